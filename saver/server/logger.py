"""gunicorn's log in the format of the others."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from saver.logs import JsonFormatter


class JsonLogger(Logger):  # type: ignore[misc]
    """The log of gunicorn's master and workers, in JSON."""

    def setup(self, cfg: Any) -> None:
        """Set up the log; called again when the configuration is loaded again."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
