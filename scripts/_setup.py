"""Make what a bare machine lacks: the virtual environment and the system's packages.

Nothing but the standard library may be used here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

_VENV_PACKAGE = "python3-venv"
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--quiet")


def say(sentence: str) -> None:
    """Print a message to stderr; stdout is for results."""
    print(f"saver: {sentence}", file=sys.stderr, flush=True)


def stop(sentence: str) -> NoReturn:
    """Say why it cannot go on, and end with status 1."""
    say(sentence)
    raise SystemExit(1)


def ensure(requirements: str, venv: Path = VENV, base: str = sys.executable) -> Path:
    """The Python of ``venv``, made from the Python ``base``, with ``requirements`` installed.

    Every file is checked by its hash.
    """
    environment = _Environment(venv, base)
    if not environment.has(requirements):
        with installation_lock() as lock:
            if not environment.has(requirements):
                environment.install(requirements, lock)
    return environment.python


def ready(requirements: str, venv: Path = VENV, base: str = sys.executable) -> bool:
    """Whether ``ensure`` would have nothing to do."""
    return _Environment(venv, base).has(requirements)


def missing_for_environment() -> list[str]:
    """The system's packages without which ``.venv`` cannot be made; none when it is there."""
    environment = _Environment(VENV, sys.executable)
    return [] if environment.is_complete() or _can_make(environment.base) else [_VENV_PACKAGE]


def apt_install(packages: Sequence[str], why: str) -> None:
    """Install the system's packages if that is allowed; if not, say the one command and stop."""
    command = f"apt-get update && apt-get install -y --no-install-recommends {shlex.join(packages)}"
    if os.geteuid() != 0:
        stop(f"{why}. Run this once, then start again:\n\n    sudo sh -c '{command}'\n")
    say(f"{why}: installing {', '.join(packages)}")
    if run_to_stderr(["sh", "-c", command], DEBIAN_FRONTEND="noninteractive") != 0:
        stop(f"apt-get failed. Install these, then start again: {', '.join(packages)}")


def run_to_stderr(command: Sequence[str | Path], lock: tuple[int, ...] = (), **environ: str) -> int:
    """Run a command that writes to stderr only; its exit status. It inherits ``lock``."""
    # Nothing may come before or between the lines that belong on stdout. What is stopped is stopped with
    # all that it has started; what outlives a killed launcher keeps the lock until it has ended.
    with subprocess.Popen(
        command, stdout=sys.stderr, env={**os.environ, **environ}, start_new_session=True, pass_fds=lock
    ) as process:
        try:
            return process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise


@dataclass(frozen=True)
class _Environment:
    """A virtual environment: its folder, and the Python that it is made from."""

    folder: Path
    base: str

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def has(self, requirements: str) -> bool:
        return self.is_complete() and read(self._stamp(requirements)) == _digest(requirements)

    def is_complete(self) -> bool:
        # The interpreter behind the link changes with the system's, and the packages do not follow.
        return self.python.exists() and read(self._complete_stamp) == os.path.realpath(self.python)

    def install(self, requirements: str, lock: int) -> None:
        if not self.is_complete():
            self._make(lock)
        self._complete_stamp.unlink(missing_ok=True)
        say(f"installing {requirements} into {self.folder.name}; this happens once")
        command = [self.python, *_PIP, "install", "--require-hashes", "-r", ROOT / requirements]
        if run_to_stderr(command, (lock,)) != 0:
            stop(f"pip could not install {requirements}; the lines above say why")
        self._stamp(requirements).write_text(_digest(requirements))
        self._complete_stamp.write_text(os.path.realpath(self.python))

    @property
    def _complete_stamp(self) -> Path:
        # There only while no installation is under way, so that a half-made environment is made anew.
        return self.folder / ".whole"

    def _make(self, lock: int) -> None:
        if not _can_make(self.base):
            apt_install([_VENV_PACKAGE], "Python cannot make virtual environments here")
            if not _can_make(self.base):
                stop(f"{self.base} has no module ensurepip; use a Python that has it")
        say(f"making {self.folder.name}")
        if run_to_stderr([self.base, "-m", "venv", "--clear", self.folder], (lock,)) != 0:
            stop("python3 -m venv failed; the lines above say why")

    def _stamp(self, requirements: str) -> Path:
        return self.folder / f".{requirements.replace('/', '-')}.sha256"


def _can_make(base: str) -> bool:
    # A new process: what this one has looked up before the installation is remembered as missing.
    result = subprocess.run([base, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return result.returncode == 0


def _digest(requirements: str) -> str:
    return hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()


def read(path: Path) -> str:
    """What stands in a stamp; nothing if it is not there."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@contextmanager
def installation_lock() -> Iterator[int]:
    """One installation at a time; the lock, for those that are started meanwhile."""
    # The folder itself is locked, so that no lock file is left.
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another installation to end")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
