"""Upgrade what runs without units on this computer: a clone with scripts/serve, or the package.

    python3 -m tests.system.upgrades.serve clone|package [--from COMMIT]

Starts the earlier version with a new data directory, saves texts of every kind, stops it, and starts this
version on the same directory, as docs/operating.md ("Upgrade") says. pip installs what both versions need.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.package import build
from tests.support.process import free_port
from tests.support.server import ROOT
from tests.system.checks import BrokenError, must, report, run, until
from tests.system.upgrades.users import LostError, Users, over_http

# The first version, and the first one with a package; it has the same schema as this one.
FIRST = {"clone": "9a3e06e", "package": "a470285"}
NO_LIMITS = ("WRITES_A_MINUTE", "MISSES_A_MINUTE", "MISSES_AN_HOUR", "MISSES_A_DAY")
TIMEOUT = 600.0


class Clone:
    """``git clone``, ``scripts/serve``; then ``git checkout`` and ``scripts/serve`` again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "saver"
        run("git", "clone", "--quiet", "--no-hardlinks", ROOT, self._folder)

    def bring(self, version: str) -> list[str]:
        """Bring a version here; the command that starts it."""
        run("git", "checkout", "--quiet", "--detach", version, cwd=self._folder)
        return [str(self._folder / "scripts" / "serve")]


class Package:
    """``pipx install``, ``saver-server serve``; then ``pipx install --force`` of the newer wheel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        run(sys.executable, "-m", "venv", folder / "venv")

    def bring(self, version: str) -> list[str]:
        """See ``Clone.bring``."""
        source = self._folder / version
        source.mkdir()
        archive = run("git", "archive", f"--output={source}.tar", version, cwd=ROOT)
        must(archive.returncode == 0, "git archive")
        run("tar", "--extract", f"--file={source}.tar", cwd=source)
        wheel, _ = build(source, self._folder / f"{version}-dist")
        run(self._folder / "venv" / "bin" / "pip", "install", "--quiet", "--force-reinstall", wheel)
        return [str(self._folder / "venv" / "bin" / "saver-server"), "serve"]


WAYS: dict[str, type[Clone] | type[Package]] = {"clone": Clone, "package": Package}


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[str]:
    """A service with its data in a folder; its address."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
    environ = {**kept, **{f"SAVER_{name}": "0" for name in NO_LIMITS}}
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        must(process.poll() is None, (folder / "log").read_text()[-2_000:])
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with (folder / "log").open("ab") as log:
        options = (f"--port={port}", f"--data-dir={folder / 'data'}")
        process = subprocess.Popen([*command, *options], cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        report("seconds until it is ready", f"{until(is_ready, 'it is ready', TIMEOUT):.0f}")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def upgrade(way: Clone | Package, old: str, new: str, folder: Path) -> None:
    """From one version to another. Raises BrokenError and LostError."""
    with serving(way.bring(old), folder) as url:
        users = Users(over_http(url))
        users.save()
    with serving(way.bring(new), folder) as url:
        users = Users(over_http(url), users.saved)
        users.finish()
    live = "with" if "live" in users.saved else "without"
    report(f"{old[:7]} to {new[:7]}: all is there", f"{live} an open live transfer")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.system.upgrades.serve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--from", dest="old", help="the earlier version")
    given = parser.parse_args()
    old, new = (
        run("git", "rev-parse", f"{version}^{{commit}}", cwd=ROOT).stdout.strip()
        for version in (given.old or FIRST[given.way], "HEAD")
    )
    with tempfile.TemporaryDirectory(prefix="saver-upgrade-", dir="/var/tmp") as folder:
        try:
            upgrade(WAYS[given.way](Path(folder)), old, new, Path(folder))
        except (BrokenError, LostError) as error:
            print(f"BROKEN: {error}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
