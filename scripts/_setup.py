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
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# There only while no installation is under way, so that a half-made environment is made anew.
_WHOLE = VENV / ".whole"
_VENV_PACKAGE = "python3-venv"
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--quiet")


def say(sentence: str) -> None:
    """Tell the person at the terminal; stdout is for results."""
    print(f"saver: {sentence}", file=sys.stderr, flush=True)


def stop(sentence: str) -> NoReturn:
    """Say why it cannot go on, and end with status 1."""
    say(sentence)
    raise SystemExit(1)


def ensure(requirements: str) -> Path:
    """The Python of ``.venv`` with ``requirements`` installed, every file checked by its hash."""
    if not _installed(requirements):
        with alone() as lock:
            if not _installed(requirements):
                _install(requirements, lock)
    return PYTHON


def missing_for_environment() -> list[str]:
    """The system's packages without which ``.venv`` cannot be made; none when it is there."""
    return [] if _whole() or _can_make() else [_VENV_PACKAGE]


def apt_install(packages: Sequence[str], why: str) -> None:
    """Install the system's packages if that is allowed; if not, say the one command and stop."""
    command = f"apt-get update && apt-get install -y --no-install-recommends {shlex.join(packages)}"
    if os.geteuid() != 0:
        stop(f"{why}. Run this once, then start again:\n\n    sudo sh -c '{command}'\n")
    say(f"{why}: installing {', '.join(packages)}")
    if quietly(["sh", "-c", command], DEBIAN_FRONTEND="noninteractive") != 0:
        stop(f"apt-get failed. Install these, then start again: {', '.join(packages)}")


def quietly(command: Sequence[str | Path], lock: tuple[int, ...] = (), **environ: str) -> int:
    """Run a command that writes to stderr only; its exit status. It keeps the locks that it is given."""
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


def _installed(requirements: str) -> bool:
    return _whole() and read(_stamp(requirements)) == _digest(requirements)


def _install(requirements: str, lock: int) -> None:
    if not _whole():
        _make(lock)
    _WHOLE.unlink(missing_ok=True)
    say(f"installing {requirements} into .venv; this happens once")
    if quietly([PYTHON, *_PIP, "install", "--require-hashes", "-r", ROOT / requirements], (lock,)) != 0:
        stop(f"pip could not install {requirements}; the lines above say why")
    _stamp(requirements).write_text(_digest(requirements))
    _WHOLE.write_text(os.path.realpath(PYTHON))


def _make(lock: int) -> None:
    if not _can_make():
        apt_install([_VENV_PACKAGE], "Python cannot make virtual environments here")
        if not _can_make():
            stop(f"{sys.executable} has no module ensurepip; use a Python that has it")
    say("making .venv")
    if quietly([sys.executable, "-m", "venv", "--clear", VENV], (lock,)) != 0:
        stop("python3 -m venv failed; the lines above say why")


def _can_make() -> bool:
    # A new process: what this one has looked up before the installation is remembered as missing.
    asked = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return asked.returncode == 0


def _whole() -> bool:
    # The interpreter behind the link changes with the system's, and the packages do not follow.
    return PYTHON.exists() and read(_WHOLE) == os.path.realpath(PYTHON)


def _stamp(requirements: str) -> Path:
    return VENV / f".{requirements.replace('/', '-')}.sha256"


def _digest(requirements: str) -> str:
    return hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()


def read(path: Path) -> str:
    """What stands in a stamp; nothing if it is not there."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@contextmanager
def alone() -> Iterator[int]:
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
