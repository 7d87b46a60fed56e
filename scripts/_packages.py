"""The system's packages that the tests need: the one list of them, and how they get here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from _setup import PYTHON, ROOT, apt_install, ensure, missing_for_environment, say, stop

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
_BROWSER = "chromium"
_FIREFOX = "firefox-esr"
# Ubuntu's own browsers are stubs that fetch a snap, which no container runs.
_NOT_UBUNTUS = {_BROWSER, _FIREFOX}
_MOZILLAS = """\
The tests need Firefox ESR, which Ubuntu has as a snap only. Mozilla has a package; run this once as root,
then start again:

    install -d -m 0755 /etc/apt/keyrings
    curl -fsSL https://packages.mozilla.org/apt/repo-signing-key.gpg -o /etc/apt/keyrings/mozilla.asc
    echo 'deb [signed-by=/etc/apt/keyrings/mozilla.asc] https://packages.mozilla.org/apt mozilla main' \\
        > /etc/apt/sources.list.d/mozilla.list
    apt-get update && apt-get install -y firefox-esr
"""
_LAUNCH = """\
from playwright.sync_api import sync_playwright
with sync_playwright() as driver:
    driver.chromium.launch().close()
"""


def ensure_packages() -> None:
    """Install what is missing; where that is not allowed, say the one command for all of it and stop."""
    missing = [name for name in PACKAGES if _by_apt(name) and not _has(name)]
    if missing := missing_for_environment() + missing:
        apt_install(missing, "the tests need more of the system's packages")


def ensure_system_environment() -> None:
    """What Apache's module runs: an environment made from the system's Python, where ``.venv`` is not."""
    if not PYTHON.samefile(_SYSTEM_PYTHON):
        ensure("requirements.txt", _SYSTEM_VENV, _SYSTEM_PYTHON)


def ensure_browser(python: Path) -> None:
    """Install Chromium where it is no package of the system's; ``python`` has Playwright.

    Firefox comes from Mozilla there, whom only the person at the machine can let in.
    """
    if not _by_apt(_FIREFOX) and not shutil.which(_FIREFOX):
        stop(_MOZILLAS)
    if _by_apt(_BROWSER) or _launches(python):
        return
    say("installing Chromium, which is no package here")
    playwright = [str(python), "-m", "playwright"]
    root = os.geteuid() == 0
    # The browser goes into the caller's home; what it needs of the system is for root to install.
    install = ["install", "--with-deps", _BROWSER] if root else ["install", _BROWSER]
    subprocess.run([*playwright, *install], stdout=sys.stderr, check=False)
    if _launches(python):
        return
    if root:
        stop("Playwright's Chromium does not start; the lines above say why")
    command = shlex.join([*playwright, "install-deps", _BROWSER])
    stop(f"Chromium does not start yet. Run this once, then start again:\n\n    sudo {command}\n")


def _by_apt(package: str) -> bool:
    release = Path("/etc/os-release").read_text().splitlines()
    return package not in _NOT_UBUNTUS or "ID=ubuntu" not in release


def _has(package: str) -> bool:
    if not shutil.which("dpkg-query"):
        stop(f"the tests are made for Debian and Ubuntu; they need {', '.join(PACKAGES)}")
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def _launches(python: Path) -> bool:
    return subprocess.run([python, "-c", _LAUNCH], capture_output=True, check=False).returncode == 0
