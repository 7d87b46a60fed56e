"""The shipped files, and the steps of their README, which the tests do too."""

from __future__ import annotations

import re

from tests.support.server import ROOT

README = ROOT / "apache" / "README.md"
WSGI, PROXY = "saver.conf", "saver-proxy.conf"
VARIANTS = (WSGI, PROXY)


def shipped_defines() -> dict[str, str]:
    """The variables that the shipped site.conf defines."""
    site = (ROOT / "apache" / "site.conf").read_text()
    return dict(re.findall(r"^Define (\w+) (.+)$", site, re.MULTILINE))


def modules_to_enable(variant: str) -> list[str]:
    """The modules that the README enables for a variant."""
    line = re.search(rf"^a2enmod (.+?) +# {re.escape(variant)}$", README.read_text(), re.MULTILINE)
    assert line, f"apache/README.md does not say which modules {variant} needs"
    return line[1].split()


def name_of_the_daemons() -> str:
    """The pattern by which the README finds the daemons."""
    found = re.search(r"pkill -USR1 -f '(.+?)'", README.read_text())
    assert found, "apache/README.md does not say how code is reloaded"
    return found[1]
