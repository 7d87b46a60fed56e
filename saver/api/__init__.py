"""HTTP: parses requests, calls the service, and makes responses. No rule of the service is here."""

from saver.api import health, legacy, live, openapi, problems, v1

__all__ = ["health", "legacy", "live", "openapi", "problems", "v1"]
