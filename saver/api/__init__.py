"""JSON in, JSON out: v1, the old wire, health, problems. Thin: no rule lives here."""

from saver.api import health, legacy, openapi, problems, v1

__all__ = ["health", "legacy", "openapi", "problems", "v1"]
