"""The system's packages that the tests need: the one list of them, and how they get here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from _setup import PYTHON, ROOT, apt_install, ensure, missing_for_environment, stop

# What the tests use beside Python. Chromium needs a font that has every letter, Playwright libatomic.
PACKAGES = (
    *("chromium", "firefox-esr", "fonts-noto-cjk", "curl", "sqlite3", "procps", "man-db", "libatomic1"),
    "redis-server",
    # Its programs; the tests make clusters of their own.
    "postgresql",
    # Several servers in network namespaces.
    *("haproxy", "iproute2", "etcd-server", "etcd-client", "patroni"),
    # Apache and its module without the package that starts a server on port 80; the module's Python.
    *("apache2-bin", "libapache2-mod-wsgi-py3", "openssl", "python3-venv"),
    # On Debian its program comes only with a server on port 80, where systemd runs.
    "nginx",
    # The same holds for it.
    "caddy",
    # promtool tests the alert rules. Where systemd runs, the package starts a server on port 9090.
    "prometheus",
    # What ships for systemd and tmux is read and run by the tools themselves, the completion by the shells.
    *("systemd", "tmux", "shellcheck", "zsh", "fish"),
    # One of the generators that make clients of openapi.json runs in it.
    "default-jre-headless",
)
# The Python that Debian's mod_wsgi is linked with, and the environment for it.
_SYSTEM_PYTHON = "/usr/bin/python3"
_SYSTEM_VENV = ROOT / ".venv-apache"
_RELEASE = Path("/etc/os-release")
_BROWSERS = ("chromium", "firefox-esr")
# With this priority apt takes only those packages from Debian that Ubuntu has not got.
_FROM_DEBIAN = """\
The tests need Chromium and Firefox ESR, which Ubuntu has as snaps only, and no container runs these.
The packages of Debian 12 run here. Run this once as root, then start again:

    apt-get update && apt-get install -y debian-archive-keyring
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/%s\\n' \\
        'debian bookworm main' 'debian-security bookworm-security main' > /etc/apt/sources.list.d/debian.list
    printf '%s\\n' 'Package: *' 'Pin: release o=Debian' 'Pin-Priority: 100' > /etc/apt/preferences.d/debian
    apt-get update && apt-get install -y --no-install-recommends chromium firefox-esr
"""


def ensure_packages() -> None:
    """Install what is missing; where that is not allowed, say the one command for all of it and stop."""
    missing = [name for name in PACKAGES if not _has(name)]
    if _is_ubuntu() and not all(_is_known(name) for name in _BROWSERS if name in missing):
        stop(_FROM_DEBIAN)
    if missing := missing_for_environment() + missing:
        apt_install(missing, "the tests need more of the system's packages")


def ensure_system_environment() -> None:
    """What Apache's module runs: an environment made from the system's Python, where ``.venv`` is not."""
    if not PYTHON.samefile(_SYSTEM_PYTHON):
        ensure("requirements.txt", _SYSTEM_VENV, _SYSTEM_PYTHON)


def _is_ubuntu() -> bool:
    return "ID=ubuntu" in _RELEASE.read_text().splitlines()


def _is_known(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def _has(package: str) -> bool:
    if not shutil.which("dpkg-query"):
        stop(f"the tests are made for Debian and Ubuntu; they need {', '.join(PACKAGES)}")
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"
