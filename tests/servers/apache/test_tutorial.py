"""A vhost as tutorials for Flask and mod_wsgi have it: it says where the code is, and not where to start.

Without ``home=`` mod_wsgi starts its daemons in the home of their user. The user of the tests may have
none, so they are started in another place that is not the clone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers.apache import software
from tests.servers.client import Client
from tests.servers.pki import Authority
from tests.support import leftovers
from tests.support.process import free_port, wait_until
from tests.support.server import ROOT

_CODE = ("saver", "extension", "migrations", "saver.wsgi")
_SITE = """\
ServerRoot "{root}"
PidFile "{root}/apache.pid"
DefaultRuntimeDir "{root}"
Mutex file:{root} default
ErrorLog "{root}/error.log"
ServerName localhost
{modules}
TypesConfig /dev/null
WSGISocketPrefix "{root}/wsgi"
Listen 127.0.0.1:{port}
<VirtualHost *:{port}>
    WSGIDaemonProcess saver python-home={venv} python-path={clone} home=/
    WSGIProcessGroup saver
    WSGIScriptAlias / {clone}/saver.wsgi
    <Directory {clone}>
        Require all granted
    </Directory>
</VirtualHost>
"""
_MODULES = ("mpm_event", "authz_core", "alias", "dir", "env", "mime", "wsgi")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Under pytest's temporary folder the paths of the sockets would be too long.
    with TemporaryDirectory(dir="/tmp", prefix="saver") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def clone(folder: Path, migrated: Path) -> Path:
    """A clone with a database at its default path."""
    place = folder / "myproject" / "saver"
    for name in _CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    (place / "instance").mkdir()
    shutil.copy(migrated, place / "instance" / "saver.db")
    return place


def test_it_works_on_the_database_of_the_clone(folder: Path, clone: Path, authority: Authority) -> None:
    port = free_port()
    modules = "\n".join(f"LoadModule {name}_module {software.module(name)}" for name in _MODULES)
    site = _SITE.format(root=folder, modules=modules, port=port, venv=software.environment(), clone=clone)
    (folder / "apache2.conf").write_text(site)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, *software.user())
    command = software.as_user(
        [software.apache2(), "-d", str(folder), "-f", "apache2.conf", "-D", "FOREGROUND"]
    )
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **leftovers.mark()}
    apache = subprocess.Popen(command, env=environ)
    client = Client(port, port, authority.root)

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return client.get("/healthz", tls=False).status == 200
        return False

    try:
        wait_until(answers, "Apache does not answer")
        ready = client.get("/readyz", tls=False).body
        assert b'"schema":"ok"' in ready.replace(b" ", b""), ready
    finally:
        apache.terminate()
        apache.wait(60)
    assert not Path("/instance").exists()
