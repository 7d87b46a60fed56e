"""The fixtures of all tests in this folder."""

from tests.support.browser import browser, visit

__all__ = ["browser", "visit"]
