"""The shipped configuration is valid, sets nothing twice, and has the service's limits."""

from __future__ import annotations

import re
from pathlib import Path

from saver.settings import Settings
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import README, VARIANTS, modules_to_enable, shipped_defines
from tests.servers.web_server import IMPERSONATOR
from tests.support.server import ROOT

FOLDER = ROOT / "apache"
FILES = sorted(FOLDER.rglob("*.conf"))


def read(path: Path) -> str:
    """The directives of a file, without its comments."""
    return "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))


def test_apache_finds_no_fault(apache: Apache) -> None:
    # For an undefined name Apache only warns, and uses ${…} literally.
    assert apache.check().splitlines()[-1] == "Syntax OK"
    assert "AH00111" not in apache.check() + apache.said()


def test_the_longest_body_is_the_service_s() -> None:
    assert int(shipped_defines()["SAVER_MAX_BODY"]) == Settings(_env_file=None).max_body_bytes


def test_every_name_is_defined_once_and_used() -> None:
    defined = [name for path in FILES for name in re.findall(r"^\s*Define (\w+)", read(path), re.MULTILINE)]
    used = {name for path in FILES for name in re.findall(r"\$\{(\w+)\}", read(path))}
    # Each variant has its own way to the service.
    once = [name for name in defined if name != "SAVER_APP"]
    assert len(once) == len({*once})
    assert len(defined) - len(once) == len(VARIANTS)
    assert used == {*defined}


def test_paths_and_names_are_only_in_site_conf() -> None:
    for path in FILES:
        if path.name != "site.conf":
            assert not re.search(r"example\.org|/opt/|/var/|/etc/|/run/", read(path)), path.name


def test_nothing_keeps_other_sites_from_embedded_apps() -> None:
    assert not any("WSGIRestrictEmbedded" in read(path) for path in FILES)


def test_the_site_ends_with_the_variant_that_is_the_default() -> None:
    lines = [line for line in read(FOLDER / "site.conf").splitlines() if line]
    assert lines[-1] == "Include ${SAVER_HOME}/apache/saver.conf"
    assert all(line.startswith("Define ") for line in lines[:-1])


def test_host_and_forwarded_headers_decide_nothing() -> None:
    text = "\n".join(map(read, FILES))
    assert not re.search(r"HTTP_HOST|SERVER_NAME|RemoteIPHeader|WSGITrustedProxies|SSLUseStapling", text)
    assert IMPERSONATOR not in text


def test_every_file_is_named_in_the_readme() -> None:
    readme = README.read_text()
    assert [path.name for path in FILES if f"`{path.relative_to(FOLDER)}`" not in readme] == []
    assert modules_to_enable(VARIANTS[0]) != modules_to_enable(VARIANTS[1])
