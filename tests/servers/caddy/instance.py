"""A private Caddy with the configuration that ships: free ports, a folder of its own, an ordinary user.

What the test changes is what the operator changes: names, paths, ports, and where the certificate comes from.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.servers.apache import software
from tests.servers.caddy import specifics
from tests.servers.client import Client
from tests.servers.folder import server_folder
from tests.servers.gunicorn import Gunicorn
from tests.servers.names import BARE, WWW
from tests.servers.pki import Authority
from tests.support.process import Process, free_port
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "caddy"
SOCKET = "unix//run/saver/saver.sock"
INSTALL = "apt-get install -y --no-install-recommends caddy"


class Caddy:
    """``with Caddy(database, authority, settings) as caddy: caddy.client.get("/healthz")``."""

    errors = specifics.ERRORS
    log_line = specifics.LINE
    joins_slashes = False
    operator_statuses = frozenset({200, 404, 503})
    refused_method = ("PURGE", "405")
    operator_is_one_address = True
    own_error = specifics.ERRORS["chunks that are none"][0]
    curves = frozenset({"X25519", "P-256"})
    broken_chunks_status = 502
    # Caddy passes it as an empty body.
    no_length = (400, "urn:saver:problem:not-json")
    passes_long_bodies = True
    answers_what_is_no_http = False
    # Without a body: deploy/caddy/README.md.
    cut_off_status = 200

    def __init__(
        self,
        database: Path,
        authority: Authority,
        settings: Mapping[str, object],
        edited: Mapping[str, str] | None = None,
        below: str = "",
    ) -> None:
        self._below = below
        # What an operator changes in the files.
        self._edited = edited or {}
        self.root = server_folder(database, "conf")
        self.http, self.https = free_port(), free_port()
        self._gunicorn = Gunicorn(self.root, settings)
        self.authority = authority
        self.client = Client(self.http, self.https, authority.root)
        self._process = Process(
            self._command("run"),
            self.root / "log" / "out.log",
            self._answers,
            logs=self.said,
            environ=self._environ(),
        )

    def __enter__(self) -> Self:
        self._write()
        try:
            if SOCKET not in self._edited:
                self._gunicorn.start()
            self._process.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop_or_kill(5)
        self._gunicorn.stop()
        shutil.rmtree(self.root)

    def reload(self) -> None:
        """What `systemctl reload caddy` does; returns when the new configuration is used."""
        self._run("reload", "--force")

    def check(self) -> subprocess.CompletedProcess[str]:
        """The result of ``caddy validate``."""
        return self._run("validate")

    @contextlib.contextmanager
    def without_socket(self) -> Iterator[None]:
        """During the block, as if gunicorn did not run."""
        place = self.root / "run" / "saver.sock"
        aside = place.rename(place.with_name("aside.sock"))
        try:
            yield
        finally:
            aside.rename(place)

    def said(self) -> str:
        """All logs of Caddy and of the service."""
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.root / "log").iterdir()))

    def _run(self, *what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*what), env=self._environ(), capture_output=True, text=True, check=True
        )

    def _answers(self) -> bool:
        return self.client.get(f"{self._below}/healthz").status == 200

    def _command(self, *what: str) -> list[str]:
        caddy = shutil.which("caddy", path="/usr/bin")
        if not caddy:
            pytest.fail(f"there is no caddy: sudo {INSTALL}")
        return software.as_user([caddy, *what, "--config", str(self.root / "conf" / "Caddyfile")])

    def _environ(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "run")}

    def _changes(self) -> dict[str, str]:
        certificate = self.authority.certify(BARE, WWW)
        ports = f"http_port {self.http}\n\thttps_port {self.https}\n\tdefault_bind 127.0.0.1\n\t"
        return {
            **self._edited,
            "admin unix": f"{ports}admin unix",
            "# With a certificate that Caddy does not get itself: tls CHAIN KEY": (
                f"tls {certificate.chain} {certificate.key}"
            ),
            "example.org": BARE,
            # Another loopback address is not the operator's.
            "127.0.0.0/8": "127.0.0.1",
            "/opt/saver/deploy/caddy": str(self.root / "conf"),
            **({} if SOCKET in self._edited else {"/run/saver": str(self.root / "run")}),
            "/var/lib/caddy": str(self.root / "run"),
            "/var/log/caddy": str(self.root / "log"),
        }

    def _write(self) -> None:
        changes, used = self._changes(), set()
        for name in ("Caddyfile", "saver.caddy"):
            text = (FOLDER / name).read_text()
            for old, new in changes.items():
                used |= {old} & {old if old in text else ""}
                text = text.replace(old, new)
            (self.root / "conf" / name).write_text(text)
        assert used == set(changes), set(changes) - used
        if os.geteuid() == 0:
            for path in (self.root, *self.root.rglob("*")):
                shutil.chown(path, *software.user())
