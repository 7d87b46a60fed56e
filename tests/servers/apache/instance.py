"""A private Apache with the configuration that ships: free ports, a folder of its own, an ordinary user.

What the test writes is what the operator writes (site.conf: names and paths), and a stand-in for
Debian's apache2.conf. All else is read from ``apache/`` as it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.apache import software, specifics
from tests.servers.apache.shipped import PROXY, WSGI, modules_to_enable, name_of_the_daemons, shipped_defines
from tests.servers.client import Client
from tests.servers.folder import server_folder
from tests.servers.gunicorn import Gunicorn
from tests.servers.names import BARE, WWW
from tests.servers.pki import Authority, Certificate
from tests.servers.web_server import IMPERSONATOR
from tests.support.process import Process, free_port
from tests.support.server import ROOT

# Modules that Debian enables; mod_remoteip is only for the tests.
_BY_DEFAULT = (
    *("mpm_event", "authz_core", "authz_host", "alias", "deflate", "dir", "env", "filter", "mime"),
    *("reqtimeout", "setenvif", "status", "remoteip"),
)
# Debian's values that differ from ours: our configuration must override all of them.
_BASE = """\
ServerRoot "{root}"
DefaultRuntimeDir "{root}/run"
PidFile "{root}/run/apache.pid"
Mutex file:{root}/run default
ServerName localhost
{modules}
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
TypesConfig /dev/null
ErrorLog "{root}/log/error.log"
LogLevel warn
ServerTokens OS
RequestReadTimeout header=20-40,minrate=500
AddOutputFilterByType DEFLATE text/html text/plain text/css text/javascript
RemoteIPHeader X-Test-Address
RemoteIPInternalProxy {impersonator}
<IfModule ssl_module>
    SSLCipherSuite HIGH:!aNULL
    SSLProtocol all -SSLv3
    SSLSessionCache shmcb:{root}/run/ssl(512000)
</IfModule>
<IfModule wsgi_module>
    WSGISocketPrefix "{root}/run/wsgi"
</IfModule>
<IfModule mpm_event_module>
    StartServers 2
    MinSpareThreads 25
    MaxSpareThreads 75
    ThreadLimit 64
    ThreadsPerChild 25
    MaxRequestWorkers 150
</IfModule>
<Directory />
    Options FollowSymLinks
    AllowOverride None
    Require all denied
</Directory>
Include "{root}/site.conf"
"""


class Apache:
    """``with Apache(WSGI, database, authority, settings) as apache: apache.client.get("/healthz")``.

    It is up when it answers ``awaited``, which is asked for over https if it is the service's.
    """

    errors = specifics.ERRORS
    log_line = specifics.LINE
    joins_slashes = True
    operator_statuses = frozenset({200, 503})
    refused_method = ("PUT", "405")
    operator_is_one_address = True
    own_error = specifics.ERRORS["TRACE"][0]
    curves = frozenset({"X25519", "P-256", "P-384"})
    broken_chunks_status = 400
    no_length = (411, "urn:saver:problem:length")
    passes_long_bodies = False
    answers_what_is_no_http = True

    def __init__(
        self,
        variant: str,
        database: Path,
        authority: Authority,
        settings: Mapping[str, object],
        *,
        awaited: str = "/healthz",
        gunicorn: bool = True,
        site: str = "",
        **defines: object,
    ) -> None:
        self.variant = variant
        self._awaited = awaited
        # The configuration instead of the shipped one, where the service is below a path of another site.
        self._other_site = site
        self.root = server_folder(database, "start", "acme/.well-known/acme-challenge")
        self.http, self.https = free_port(), free_port()
        self.gunicorn = Gunicorn(self.root, settings) if variant == PROXY and gunicorn else None
        self._settings = settings
        self._defines = {**self._names(authority.certify(BARE, WWW)), **defines}
        self.authority = authority
        self.client = Client(self.http, self.https, authority.root)
        self._process = Process(
            self._command("-D", "FOREGROUND"),
            self.root / "log" / "out.log",
            self._answers,
            logs=self.said,
            environ=self._environ(),
        )

    def __enter__(self) -> Self:
        self._write()
        try:
            if self.gunicorn:
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
        if self.gunicorn:
            self.gunicorn.stop()
        shutil.rmtree(self.root)

    def start(self) -> None:
        """Start and wait until it answers; ``-t`` alone does not find every error."""
        self._process.start()

    def stop(self) -> None:
        """Stop as systemd would, then end what is left: a daemon after SIGSTOP would outlive its parent."""
        self._process.stop_or_kill(15)

    def kill(self) -> None:
        """kill -9 of Apache and of all that it has started."""
        self._process.kill()
        # The process of its pid file is gone, and the id may belong to another one.
        (self.root / "run" / "apache.pid").unlink(missing_ok=True)

    def graceful(self) -> None:
        """What `apachectl graceful` and `systemctl reload apache2` do."""
        self._process.send(signal.SIGUSR1)

    def check(self) -> str:
        """The output of ``apache2 -t``."""
        asked = subprocess.run(
            self._command("-t"), env=self._environ(), capture_output=True, text=True, check=False
        )
        return asked.stderr + asked.stdout

    def children(self) -> set[int]:
        """Every process that Apache has started."""
        return self._process.children()

    def daemons(self) -> set[int]:
        """The processes of mod_wsgi's daemon group, found as the README has the operator find them."""
        command = ["pgrep", "-P", str(self._process.pid), "-f", name_of_the_daemons()]
        return set(map(int, subprocess.run(command, capture_output=True, check=False).stdout.split()))

    @property
    def cut_off_status(self) -> int:
        """mod_wsgi has no other status for a client that has stopped: apache/README.md."""
        return 500 if self.variant == WSGI else 400

    def said(self) -> str:
        """All logs of Apache and of the service."""
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.root / "log").iterdir()))

    def _answers(self) -> bool:
        return self.client.get(self._awaited, tls=self._awaited.endswith("/healthz")).status < 400

    def _command(self, *options: str) -> list[str]:
        return software.as_user([software.apache2(), "-d", str(self.root), "-f", "apache2.conf", *options])

    def _names(self, certificate: Certificate) -> dict[str, object]:
        user, group = software.user()
        return {
            "SAVER_HOST": WWW,
            "SAVER_BARE": BARE,
            "SAVER_CERT": certificate.chain,
            "SAVER_KEY": certificate.key,
            "SAVER_HOME": ROOT,
            "SAVER_VENV": software.environment(),
            "SAVER_USER": user,
            "SAVER_GROUP": group,
            "SAVER_SOCKET": self.root / "run" / "saver.sock",
            "SAVER_ACME": self.root / "acme",
            "SAVER_LOGS": self.root / "log",
            "SAVER_HTTP": self.http,
            "SAVER_HTTPS": self.https,
            "SAVER_OPERATOR": "127.0.0.1",
        }

    def _write(self) -> None:
        modules = "\n".join(f"LoadModule {name}_module {software.module(name)}" for name in self._modules())
        base = _BASE.format(
            root=self.root, modules=modules, http=self.http, https=self.https, impersonator=IMPERSONATOR
        )
        (self.root / "apache2.conf").write_text(base)
        defines = {**shipped_defines(), **self._defines}
        lines = [f"Define {name} {value}" for name, value in defines.items() if value]
        lines.append(self._other_site or f"Include ${{SAVER_HOME}}/apache/{self.variant}")
        (self.root / "site.conf").write_text("\n".join(lines) + "\n")
        settings = {"DATA_DIR": self.root / "data", **self._settings}
        (self.root / "start" / ".env").write_text(
            "".join(f"SAVER_{name.upper()}={value}\n" for name, value in settings.items())
        )
        if os.geteuid() == 0:
            for path in (self.root, *self.root.rglob("*")):
                shutil.chown(path, *software.user())

    def _modules(self) -> list[str]:
        return [*_BY_DEFAULT, "socache_shmcb", *modules_to_enable(self.variant)]

    def _environ(self) -> dict[str, str]:
        # Apache passes its environment to the daemons, so the caller's settings must not be in it.
        ours = {"SAVER_ENV_FILE": str(self.root / "start" / ".env"), "PYTHONDONTWRITEBYTECODE": "1"}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", **ours}
