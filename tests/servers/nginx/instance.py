"""A private nginx with the configuration that ships: free ports, a folder of its own, an ordinary user.

What the test changes is what the operator changes, names and paths; a stand-in for Debian's nginx.conf
is around it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.servers.apache import software
from tests.servers.client import Client
from tests.servers.folder import server_folder
from tests.servers.gunicorn import Gunicorn
from tests.servers.names import BARE, WWW
from tests.servers.nginx import specifics
from tests.servers.pki import Authority
from tests.servers.web_server import IMPERSONATOR
from tests.support.process import Process, free_port
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "nginx"
INSTALL = "apt-get install -y --no-install-recommends nginx"
# Debian's values that differ from ours: our configuration must override all of them.
_BASE = """\
daemon off;
worker_processes 2;
pid {root}/run/nginx.pid;
error_log {root}/log/error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types {{ text/html html; }}
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log {root}/log/access.log;
    gzip on;
    proxy_temp_path {root}/run/proxy;
    fastcgi_temp_path {root}/run/fastcgi;
    uwsgi_temp_path {root}/run/uwsgi;
    scgi_temp_path {root}/run/scgi;
    set_real_ip_from {impersonator};
    real_ip_header X-Test-Address;
    include {root}/sites/*;
}}
"""


class Nginx:
    """``with Nginx(database, authority, settings) as nginx: nginx.client.get("/healthz")``."""

    errors = specifics.ERRORS
    log_line = specifics.LINE
    joins_slashes = False
    operator_statuses = frozenset({200, 308, 404, 503})
    refused_method = ("PURGE", "501")
    operator_is_one_address = False
    own_error = specifics.ERRORS["TRACE"][0]
    curves = frozenset({"X25519", "P-256", "P-384"})
    broken_chunks_status = 400
    no_length = (411, "urn:saver:problem:length")
    passes_long_bodies = False
    answers_what_is_no_http = True
    cut_off_status = None

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
        self.root = server_folder(database, "sites", "conf", "acme/.well-known/acme-challenge")
        self.http, self.https = free_port(), free_port()
        self.gunicorn = Gunicorn(self.root, settings)
        self.authority = authority
        self.client = Client(self.http, self.https, authority.root)
        self._process = Process(self._command(), self.root / "log" / "out.log", self._answers, logs=self.said)

    def __enter__(self) -> Self:
        self._write()
        try:
            self.gunicorn.start()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.gunicorn.stop()
        shutil.rmtree(self.root)

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process.start()

    def stop(self) -> None:
        """Stop it."""
        self._process.stop_or_kill(5)

    def reload(self) -> None:
        """What `systemctl reload nginx` does."""
        self._process.send(signal.SIGHUP)

    @contextlib.contextmanager
    def without_socket(self) -> Iterator[None]:
        """During the block, as if gunicorn did not run."""
        place = self.root / "run" / "saver.sock"
        aside = place.rename(place.with_name("aside.sock"))
        try:
            yield
        finally:
            aside.rename(place)

    def workers(self) -> set[int]:
        """The worker processes."""
        return self._process.children()

    def check(self) -> subprocess.CompletedProcess[str]:
        """The result of ``nginx -t``."""
        return subprocess.run(self._command("-t"), capture_output=True, text=True, check=False)

    def said(self) -> str:
        """All logs of nginx and of the service."""
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.root / "log").iterdir()))

    def _answers(self) -> bool:
        return self.client.get(f"{self._below}/healthz").status == 200

    def _command(self, *options: str) -> list[str]:
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        if not nginx:
            pytest.fail(f"there is no nginx: sudo {INSTALL}")
        # Messages from before the file is read do not go to its "error_log".
        first = ["-e", str(self.root / "log" / "start.log"), "-c", str(self.root / "nginx.conf")]
        return software.as_user([nginx, *first, *options])

    def _changes(self) -> dict[str, str]:
        certificate = self.authority.certify(BARE, WWW)
        return {
            **self._edited,
            "listen [::]:80 default_server;": "",
            "listen [::]:443 ssl default_server;": "",
            "listen [::]:443 ssl http2;": "",
            "listen 80 ": f"listen 127.0.0.1:{self.http} ",
            "listen 443 ": f"listen 127.0.0.1:{self.https} ",
            "/etc/letsencrypt/live/example.org/fullchain.pem": str(certificate.chain),
            "/etc/letsencrypt/live/example.org/privkey.pem": str(certificate.key),
            "example.org": BARE,
            "/opt/saver/deploy/nginx": str(self.root / "conf"),
            "/run/saver": str(self.root / "run"),
            "/var/www/saver": str(self.root / "acme"),
            "/var/log/nginx": str(self.root / "log"),
            "/dev/shm/saver-nginx": str(self.root / "run" / "body"),
        }

    def _write(self) -> None:
        changes, used = self._changes(), set()
        for path in FOLDER.glob("*.conf"):
            text = path.read_text()
            for old, new in changes.items():
                used |= {old} & {old if old in text else ""}
                text = text.replace(old, new)
            site = path.name.startswith("saver")
            place = self.root / "sites" / path.stem if site else self.root / "conf" / path.name
            place.write_text(text)
        assert used == set(changes), set(changes) - used
        (self.root / "nginx.conf").write_text(_BASE.format(root=self.root, impersonator=IMPERSONATOR))
        if os.geteuid() == 0:
            for path in (self.root, *self.root.rglob("*")):
                shutil.chown(path, *software.user())
