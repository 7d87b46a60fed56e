"""What install and upgrade share: commands that are shown before they run, and the service's places.

Standard library only: it runs before the virtual environment is there.
"""

from __future__ import annotations

import grp
import http.client
import os
import pwd
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
HOME = Path("/opt/saver")
VENV = HOME / ".venv"
SETTINGS = Path("/etc/saver/saver.env")
STATE = Path("/var/lib/saver")
BACKUPS = Path("/var/backups/saver")
SITE = Path("/etc/apache2/sites-available/saver.conf")
SELF_SIGNED = Path("/etc/saver/self-signed")
# The one that Debian's mod_wsgi is linked with: no other may make the environment.
SYSTEM_PYTHON = "/usr/bin/python3"
BACKUP_TIMER = "saver-backup.timer"
SERVICES = ("saver-migrate.service", "saver-worker.service", BACKUP_TIMER)
# What lets a unit reach a server on the network: deploy/systemd/app-server.
NETWORK = "/etc/systemd/system/saver-{}.service.d/network.conf"
DAEMONS = r"^\(wsgi:saver\)"

_SHIPPED = ROOT / "deploy"
_COPIES = {
    "systemd/sysusers.d/saver.conf": "/etc/sysusers.d/saver.conf",
    "systemd/tmpfiles.d/saver.conf": "/etc/tmpfiles.d/saver.conf",
    "systemd/saver-migrate.service": "/etc/systemd/system/saver-migrate.service",
    "systemd/saver-worker.service": "/etc/systemd/system/saver-worker.service",
    "systemd/saver-backup.service": "/etc/systemd/system/saver-backup.service",
    "systemd/saver-backup.timer": "/etc/systemd/system/saver-backup.timer",
    "systemd/apache2.conf": "/etc/systemd/system/apache2.service.d/saver.conf",
    "certbot/50-saver": "/etc/letsencrypt/renewal-hooks/deploy/50-saver",
}
_STATUS_OK = 200


class FailedError(Exception):
    """A command that must not fail has failed."""


def say(sentence: str) -> None:
    """Tell the person at the terminal; stdout is for the commands."""
    print(f"saver: {sentence}", file=sys.stderr, flush=True)


def stop(sentence: str) -> NoReturn:
    """Say why it cannot go on, and end with status 1."""
    say(sentence)
    raise SystemExit(1)


def system_runs() -> bool:
    """Whether systemd is the init here; in a chroot or an image that is being built it is not."""
    return Path("/run/systemd/system").is_dir()


class Machine:
    """Shows every command and every file, and does it unless this is a dry run."""

    def __init__(self, dry: bool) -> None:
        self.dry = dry
        self.changes = 0

    def run(self, *command: str | Path, cwd: Path | None = None, **environ: str) -> None:
        """Run a command that changes something. Raises FailedError."""
        self.changes += 1
        prefix = [f"{name}={value}" for name, value in environ.items()]
        print("+ " + shlex.join([*prefix, *map(str, command)]), flush=True)
        if self.dry:
            return
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, check=False)
        if done.returncode:
            raise FailedError(f"this failed with status {done.returncode}: {shlex.join(map(str, command))}")

    def flask(self, *command: str) -> None:
        """Run an operator's command as the service's user: what root makes, the daemons cannot write."""
        self.run(*as_saver(*command), cwd=HOME, PYTHONDONTWRITEBYTECODE="1")

    def write(self, path: Path, text: str, mode: int = 0o644, group: str = "root") -> bool:
        """Give a file this text and these rights; whether anything was changed. The text is not shown."""
        fresh = not path.is_file() or path.read_text() != text
        if not fresh and _rights(path) == (mode, group):
            return False
        self.changes += 1
        print(f"+ write {path} (root:{group} {mode:04o})", flush=True)
        if not self.dry:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Never for a moment with more rights than it is to have.
            aside = path.with_name(f".{path.name}.new")
            aside.unlink(missing_ok=True)
            aside.touch(0o600, exist_ok=False)
            aside.write_text(text)
            os.chown(aside, 0, grp.getgrnam(group).gr_gid)
            aside.chmod(mode)
            aside.replace(path)
        return True

    def copies(self) -> bool:
        """Units, users, folders and the certificate's hook as they ship here; whether any was new."""
        new = [
            self.write(Path(place), (_SHIPPED / name).read_text(), 0o755 if "certbot" in name else 0o644)
            for name, place in _COPIES.items()
        ]
        worker, backup = Path(NETWORK.format("worker")), Path(NETWORK.format("backup"))
        # A backup needs the server that the worker needs; earlier versions made none of a server.
        if worker.is_file() and not backup.exists():
            new.append(self.write(backup, worker.read_text()))
        if any(new) and system_runs():
            self.run("systemctl", "daemon-reload")
        return any(new)


def as_saver(*command: str) -> list[str]:
    """The command line of an operator's command."""
    return ["runuser", "-u", "saver", "--", str(VENV / "bin" / "flask"), "--app", "saver", *command]


def asked(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a command says that changes nothing; one that is missing has failed."""
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def holds(*command: str | Path) -> bool:
    """Whether a command that changes nothing ends with status 0."""
    return asked(*command).returncode == 0


def defined(name: str, site: Path = SITE) -> str:
    """What the site defines, or nothing."""
    text = site.read_text() if site.is_file() else ""
    found = re.search(rf"^Define {name} (\S+)$", text, re.M)
    return found[1] if found else ""


def user_exists() -> bool:
    """Whether the service's user is there."""
    try:
        pwd.getpwnam("saver")
    except KeyError:
        return False
    return True


def healthy(patience: float = 90) -> str:
    """Ask the site on this machine over HTTPS, its certificate verified; what is wrong, or nothing."""
    until = time.monotonic() + patience
    while wrong := _ask_all():
        if time.monotonic() > until:
            return wrong
        time.sleep(1)
    return ""


def _ask_all() -> str:
    for path in ("/healthz", "/readyz"):
        if wrong := _ask(defined("SAVER_HOST"), path):
            return wrong
    return ""


class _Here(http.client.HTTPSConnection):
    """To a site under its name, but on this machine, whatever the world's name service says."""

    def connect(self) -> None:
        """As the class above, to another address."""
        raw = socket.create_connection(("127.0.0.1", 443), self.timeout)
        self.sock = _trust().wrap_socket(raw, server_hostname=self.host)


def _ask(name: str, path: str) -> str:
    connection = _Here(name, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(2_000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"https://{name}{path} does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status == _STATUS_OK else f"https://{name}{path} says {answer.status}: {body.strip()}"


def _trust() -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if defined("SAVER_CERT").startswith(str(SELF_SIGNED)):
        trust.load_verify_locations(SELF_SIGNED / "fullchain.pem")
    return trust


def _rights(path: Path) -> tuple[int, str]:
    status = path.stat()
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return status.st_mode & 0o7777, group


def end_with(main: Callable[[], int]) -> NoReturn:
    """Run a program's ``main``; a command that failed becomes a sentence and status 1."""
    os.umask(0o022)
    try:
        raise SystemExit(main())
    except FailedError as error:
        stop(str(error))
    except PermissionError as error:
        stop(f"{error.filename} is not for everybody: run it as root")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
