"""Apache under load: its certificate is replaced, then the service's processes and all of Apache are killed.

Both variants as they ship; needs what ./scripts/test installs.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import ssl
import sys
import tempfile
import threading
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

from cryptography import x509
from flask_migrate import upgrade

from saver import create_app
from saver.codes import Code
from tests.conftest import NO_LIMITS, settings_in
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import VARIANTS
from tests.servers.names import BARE, WWW
from tests.servers.pki import Authority
from tests.support import leftovers
from tests.support.process import wait_until
from tests.support.snapshot import put_codes

CODES = 20_000
CLIENTS = 4
KILLS = 3
RENEWALS = 5


def main() -> None:
    # Apache's environment has the mark of this run.
    leftovers.watch()
    with tempfile.TemporaryDirectory() as folder:
        database = new_database(Path(folder))
        for variant in VARIANTS:
            figure(f"-- {variant}", "")
            check(variant, database, Authority(Path(folder)))


def new_database(folder: Path) -> Path:
    """A migrated database with codes."""

    app = create_app(settings_in(folder))
    with app.app_context():
        upgrade()
    put_codes(folder / "saver.db", [Code.nth(number * 300) for number in range(CODES)])
    with closing(sqlite3.connect(folder / "saver.db")) as database:
        # Only the file is copied, without its WAL.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "saver.db"


def check(variant: str, database: Path, authority: Authority) -> None:
    """All checks for one variant."""

    with Apache(variant, database, authority, NO_LIMITS) as apache:
        renew(apache, authority)
        kill_processes(apache)
        kill_all(apache)


class Writers:
    """``with Writers(apache) as writers``: clients that write without a pause, and their results."""

    def __init__(self, apache: Apache) -> None:
        self._client = apache.client
        self._stop = threading.Event()
        self.acknowledged: list[tuple[str, str]] = []
        self.statuses: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._write, args=(name,)) for name in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self) -> None:
        """Wait until they have written some more."""
        before = len(self.acknowledged)
        try:
            wait_until(lambda: len(self.acknowledged) >= before + 40, "clients write")
        except AssertionError:
            self._stop.set()
            raise AssertionError(f"nobody writes any more: {dict(self.statuses)}") from None

    def _write(self, name: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            text = f"{name} {count}"
            try:
                answer = self._client.post("/api/v1/write", {"text": text})
            except OSError:
                self.statuses[0] += 1
                continue
            self.statuses[answer.status] += 1
            if answer.status == 201:
                self.acknowledged.append((str(answer.document["code"]), text))

    @property
    def failed(self) -> int:
        """How many writes failed."""
        return self.statuses.total() - self.statuses[201]

    def lost(self) -> int:
        """How many acknowledged texts cannot be loaded."""
        found = (self._client.post("/api/v1/load", {"code": code}) for code, _ in self.acknowledged)
        return sum(
            answer.status != 200 or answer.document["text"] != text
            for answer, (_, text) in zip(found, self.acknowledged, strict=True)
        )


def renew(apache: Apache, authority: Authority) -> None:
    """Replace the certificate and reload, as certbot's hook does, several times."""

    with Writers(apache) as writers:
        for _ in range(RENEWALS):
            before = serial(apache)
            authority.certify(BARE, WWW)
            apache.graceful()
            wait_for_new_certificate(apache, before)
            writers.wait_for_more()
    asked = len(writers.acknowledged) + writers.failed
    figure(f"certificate replaced {RENEWALS} times under load", f"{writers.failed} of {asked} writes failed")
    assert writers.lost() == 0, "an acknowledged text is lost"


def serial(apache: Apache) -> int:
    """The serial number of the served certificate; 0 while there is no answer."""

    with suppress(OSError), apache.client.connect() as connection:
        assert isinstance(connection, ssl.SSLSocket)
        certificate = connection.getpeercert(binary_form=True)
        assert certificate is not None
        return x509.load_der_x509_certificate(certificate).serial_number
    return 0


def wait_for_new_certificate(apache: Apache, before: int) -> None:
    wait_until(lambda: serial(apache) not in (0, before), "the new certificate is served")


def kill_processes(apache: Apache) -> None:
    """kill -9 of every process that runs the service, in the middle of writes."""
    with Writers(apache) as writers:
        for _ in range(KILLS):
            for process in apache.gunicorn.workers() if apache.gunicorn else apache.daemons():
                os.kill(process, signal.SIGKILL)
            writers.wait_for_more()
    print_results(f"the service's processes killed (-9) {KILLS} times", writers)


def kill_all(apache: Apache) -> None:
    """kill -9 of Apache with all its processes, in the middle of writes, and a start."""
    with Writers(apache) as writers:
        for _ in range(KILLS):
            apache.kill()
            apache.start()
            writers.wait_for_more()
    print_results(f"Apache killed (-9) and started {KILLS} times", writers)


def print_results(what: str, writers: Writers) -> None:
    lost = writers.lost()
    figure(what, f"{len(writers.acknowledged)} texts stored, {writers.failed} writes failed, {lost} lost")
    assert lost == 0, "an acknowledged text is lost"


def figure(name: str, value: object) -> None:
    """Print one result."""
    sys.stdout.write(f"{name:<52}{value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
