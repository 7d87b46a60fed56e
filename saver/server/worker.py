"""The gunicorn worker, which gunicorn's master loads."""

from __future__ import annotations

import os
import signal
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker


class Worker(ASGIWorker):  # type: ignore[misc]
    """gunicorn's event loop and signals, around a WSGI app in threads."""

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Accept the number of threads, which are used here."""

    def init_process(self) -> None:
        """Start; until ``handle_signals`` the signals that end a process end it at once."""
        # The handlers of the master would go on as if nothing had come, and uvloop forgets what comes
        # before it runs: the master would wait until its timeout.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            # Not the default of SIGQUIT, which writes the memory to the disk.
            signal.signal(number, lambda *_: os._exit(0))
        super().init_process()

    def init_signals(self) -> None:
        """Handle no signals yet: the loop does not run."""

    def handle_signals(self) -> None:
        """Finish the requests in progress at a signal; to be called when the loop runs."""
        super().init_signals()

    def load_wsgi(self) -> None:
        """Create the app."""
        self.wsgi = self.app.wsgi()

    def run(self) -> None:
        """Serve until the master stops this worker."""
        # Imported here: the master must not import the app, or a reload would start old code.
        from saver.server.process import Process  # noqa: PLC0415

        try:
            self.loop.run_until_complete(Process(self).serve())
        finally:
            self._cleanup()

    @property
    def is_quick_shutdown(self) -> bool:
        """Whether to stop without finishing requests."""
        return bool(self._quick_shutdown)

    def tls(self) -> Any:
        """The TLS context, if the master was given a certificate."""
        return self._get_ssl_context()
