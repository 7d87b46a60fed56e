"""Apache's site: its names, its certificate, and what an operator's other sites must not notice."""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path

import _machine
from _machine import ROOT, SELF_SIGNED, SITE, Machine, asked, defined, holds, say

MODULES = ("ssl", "headers", "wsgi")
LOGROTATE = Path("/etc/logrotate.d/apache2")
_HOME = Path("/etc/apache2")
_DEFAULT = _HOME / "sites-enabled" / "000-default.conf"
_PAGES = Path("/var/www/html")
_DEFAULT_PAGE = Path("/usr/share/apache2/default-site/index.html")


def names(given: argparse.Namespace) -> list[str]:
    """The names of the service; the certificate has that of the first."""
    return [given.bare, given.name] if given.bare else [given.name]


def certified(given: argparse.Namespace, folder: Path | None = None) -> bool:
    """Whether there is a certificate for every name; the authority's unless another folder is named."""
    file = (folder or Path("/etc/letsencrypt/live") / names(given)[0]) / "fullchain.pem"
    if not file.is_file():
        return False
    output = asked("openssl", "x509", "-in", file, "-noout", "-ext", "subjectAltName").stdout
    return set(names(given)) <= set(re.findall(r"DNS:([^,\s]+)", output))


def site(machine: Machine, given: argparse.Namespace) -> bool:
    """Apache's site: the names and the certificate filled in, all else as it stands; whether it is new."""
    source = SITE if SITE.is_file() else ROOT / "apache" / "site.conf"
    folder = Path("/etc/letsencrypt/live") / ("${SAVER_BARE}" if given.bare else "${SAVER_HOST}")
    # Until the authority's certificate is there, one that is self-signed goes on serving.
    tried_out = defined("SAVER_CERT").startswith(str(SELF_SIGNED))
    if given.self_signed or (tried_out and not certified(given)):
        folder = SELF_SIGNED
    filled = source.read_text()
    bare = f"Define SAVER_BARE {given.bare}" if given.bare else "# Define SAVER_BARE example.org"
    filled = re.sub(r"^(# )?Define SAVER_BARE \S+$", bare, filled, flags=re.M)
    for name, value in {
        "SAVER_HOST": given.name,
        "SAVER_CERT": f"{folder}/fullchain.pem",
        "SAVER_KEY": f"{folder}/privkey.pem",
    }.items():
        filled = re.sub(rf"^Define {name} \S+$", f"Define {name} {value}", filled, flags=re.M)
    return machine.write(SITE, filled)


def _other_sites() -> list[str]:
    """The enabled sites other than saver's; Debian's own page counts if it was edited."""
    on = {file.stem for file in _DEFAULT.parent.glob("*.conf")} - {"saver"}
    shipped = asked("dpkg-query", "--show", "--showformat=${Conffiles}", "apache2").stdout
    # What dpkg has noted as the sum of a file that nobody has edited.
    untouched = _DEFAULT.is_file() and hashlib.md5(_DEFAULT.read_bytes()).hexdigest() in shipped  # noqa: S324
    edited = [
        file for file in _PAGES.glob("*") if file.name != "index.html" or not _same(file, _DEFAULT_PAGE)
    ]
    return sorted(on - {_DEFAULT.stem} if untouched and not edited else on)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _spare(others: list[str]) -> None:
    """Say what will hold for an operator's other sites, before it does."""
    say(
        f"Apache has other sites ({', '.join(others)}), which stay. For all of them will hold: processes,"
        " threads and ServerTokens as in apache/conf/hosts.conf, logs rotated by copytruncate; and Apache is"
        " restarted"
    )


def apache(machine: Machine, given: argparse.Namespace) -> None:
    """The site in Apache, and Apache started with it."""
    before = machine.changes
    others = _other_sites()
    is_on = (_HOME / "sites-enabled" / "saver.conf").exists()
    if others and not is_on:
        _spare(others)
    fresh = site(machine, given)
    if not all((_HOME / "mods-enabled" / f"{name}.load").exists() for name in MODULES):
        machine.run("a2enmod", "--quiet", *MODULES)
    if not is_on:
        if not others and (_DEFAULT.exists() or not SITE.parent.is_dir()):
            machine.run("a2dissite", "--quiet", "000-default")
        machine.run("a2ensite", "--quiet", "saver")
    rotation(machine)
    changed = machine.changes > before
    if not _machine.system_runs() and not machine.dry:
        return
    if changed:
        machine.run("apache2ctl", "configtest")
    only_site = fresh and machine.changes == before + 2
    if changed:
        machine.run("systemctl", "reload-or-restart" if only_site else "restart", "apache2")
    elif not holds("systemctl", "is-active", "--quiet", "apache2"):
        machine.run("systemctl", "start", "apache2")


def rotation(machine: Machine) -> None:
    """Debian's logrotate reloads Apache every night, and each reload fails some requests of mod_wsgi."""
    if not LOGROTATE.is_file():
        return
    text = LOGROTATE.read_text()
    if "copytruncate" in text or "postrotate" not in text:
        return
    text = re.sub(r"^[ \t]*(pre|post)rotate\n.*?^[ \t]*endscript\n", "", text, flags=re.M | re.S)
    machine.write(LOGROTATE, re.sub(r"\}\s*\Z", "\tcopytruncate\n}\n", text))
