"""JSON in, JSON out: v1, the old wire, health, problems. Thin: no rule lives here."""

from saver.api import health, openapi, problems, v1, wire

__all__ = ["health", "openapi", "problems", "v1", "wire"]
