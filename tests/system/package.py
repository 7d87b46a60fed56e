"""Install the wheel with pipx on new systems without the repository, serve, and save a text.

    sudo python3 -m tests.system.package --cache FOLDER

Makes a Debian 12, a Debian 13 and an Ubuntu 24.04 with debootstrap, which --cache then keeps, copies the
wheel into each, and follows docs/package.md. Prints how long it takes from `pipx install` to the first code;
ends with status 1 at the first thing that does not hold. pipx gets the packages from the registry of this
machine. Without Ubuntu's keyring debootstrap does not check the signature of Ubuntu's packages, and says so.

Needs: apt-get install -y --no-install-recommends debootstrap systemd-container, and hatchling in this Python
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.support.package import build
from tests.support.server import ROOT
from tests.system.checks import BrokenError, must, report
from tests.system.install import Machine, remove, run

SYSTEMS = ("bookworm", "trixie", "noble")
PACKAGES = "ca-certificates,curl,pipx,procps"
# What debootstrap needs for Ubuntu: pipx is in its second component, and Debian 12 has no script for noble
# but one for every Ubuntu.
UBUNTU = {"noble": ("--components=main,universe", "http://archive.ubuntu.com/ubuntu", "gutsy")}
# `check` fails until the worker has swept once.
SCRIPT = """\
set -e
cd "$(mktemp -d)"
export HOME=/root PATH=/root/.local/bin:$PATH
date +begin=%s.%N
pipx install /srv/saver-*.whl
date +installed=%s.%N
saver-server serve > address &
service=$!
until [ -s address ]; do sleep 0.1; done
url=$(cat address)
until code=$(curl -sf --data-binary 'from the wheel' -H 'Content-Type: text/plain' "$url/api/v1/write")
do sleep 0.1; done
date +code=%s.%N
echo "text=$(curl -sf -d "$code" -H 'Content-Type: text/plain' "$url/api/v1/load")"
curl -sf "$url/" | grep -q static/
until curl -sf "$url/readyz"; do sleep 0.1; done
saver --version
saver-server check
saver-server pool audit
saver-server backup
kill -INT $service
wait $service
find . ! -name address ! -name . | sed s/^/left=/
find /var/lib/saver -name saver.db
"""


def system(suite: str, cache: Path, folder: Path, mirror: list[str]) -> None:
    """A system with pipx in ``folder``, from the kept one if there is one."""
    kept = cache / f"{suite}-pipx.tar"
    if not kept.exists():
        made = cache / suite
        remove(made)
        try:
            components, *source = UBUNTU.get(suite, ("--components=main", *mirror))
            run(
                *("debootstrap", "--variant=minbase", components, f"--include={PACKAGES}"),
                *(suite, made, *source),
            )
            run("tar", "--create", "--file", kept.with_suffix(".part"), "--directory", made, ".")
        finally:
            remove(made)
        kept.with_suffix(".part").replace(kept)
    folder.mkdir()
    run("tar", "--extract", "--file", kept, "--directory", folder)


def install_and_use(machine: Machine) -> str:
    """Follow docs/package.md; how long it took, in words."""
    output = machine.install(SCRIPT)
    for wanted in (
        "text=from the wheel",
        "clean",
        "/var/lib/saver/backups/saver-",
        "/var/lib/saver/saver.db",
    ):
        must(wanted in output, f"without {wanted}:\n{output}")
    must("left=" not in output, f"files in the current folder:\n{output}")
    moments = {name: float(seconds) for name, seconds in re.findall(r"^(\w+)=(\d+\.\d+)$", output, re.M)}
    begin, installed, code = (moments[name] for name in ("begin", "installed", "code"))
    return f"{code - begin:.0f} s to the first code, of them pipx {installed - begin:.0f} s"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.system.package",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cache", type=Path, required=True, help="a folder that keeps the systems")
    parser.add_argument("--mirror", help="where debootstrap gets Debian; its own default if not named")
    parser.add_argument("--lend", action="append", default=[], help="a path that pip needs here, read only")
    return parser.parse_args()


def main() -> int:
    given = options()
    if os.geteuid() != 0:
        raise SystemExit("saver: this test makes machines: run it as root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given.cache.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="package-", dir=given.cache))
    try:
        wheel, _ = build(ROOT, place / "dist")
        for suite in SYSTEMS:
            folder = place / suite
            system(suite, given.cache, folder, [given.mirror] if given.mirror else [])
            shutil.copy(wheel, folder / "srv")
            report(suite, install_and_use(Machine(folder, given.lend)))
            remove(folder)
    except BrokenError as error:
        print(f"BROKEN: {suite}: {error}", flush=True)
        return 1
    finally:
        for suite in SYSTEMS:
            remove(place / suite)
        remove(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
