"""deploy/install on a machine that has an Apache already, or was installed before."""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.test_deploy import DEBIAN, program


class Installed:
    """A machine with its Apache configuration in a folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install = program("install")
        self.apache, self.machine = sys.modules["_apache"], sys.modules["_machine"]
        self.site = folder / "apache2" / "sites-available" / "saver.conf"
        self.on = folder / "apache2" / "sites-enabled"
        self.page = folder / "html"
        for place in (self.site.parent, self.on, self.page, folder / "apache2" / "mods-enabled"):
            place.mkdir(parents=True)
        (folder / "default.html").write_text("It works")
        for name, value in {
            "SITE": self.site,
            "_HOME": folder / "apache2",
            "_DEFAULT": self.on / "000-default.conf",
            "_DEFAULT_PAGE": folder / "default.html",
            "_PAGES": self.page,
            "LOGROTATE": folder / "none",
            "defined": self._defined,
        }.items():
            monkeypatch.setattr(self.apache, name, value)
        monkeypatch.setattr(self.install, "defined", self._defined)

    def _defined(self, name: str) -> str:
        return str(self.machine.defined(name, self.site))

    def default_page(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Debian's default site, as the package installs it."""
        file = self.on / "000-default.conf"
        file.write_text("Debian's")
        (self.page / "index.html").write_text("It works")
        listed = f" /etc/apache2/sites-available/{file.name} {hashlib.md5(file.read_bytes()).hexdigest()}"
        said = subprocess.CompletedProcess((), 0, listed, "")
        monkeypatch.setattr(self.apache, "asked", lambda *_: said)
        return file

    def given(self, *words: str) -> argparse.Namespace:
        given: argparse.Namespace = self.install.options(["--self-signed", "--dry-run", *words])
        self.install.fill_in(given)
        assert self.install.refusal(given, 0, DEBIAN) == ""
        return given

    def write_site(self, *words: str) -> list[str]:
        """Let install write the site; the variables that it defines."""
        machine = self.machine.Machine(dry=False)
        machine.write = lambda path, text: path.write_text(text)
        self.apache.site(machine, self.given(*words))
        return re.findall(r"^Define SAVER_(?:HOST|BARE) (\S+)$", self.site.read_text(), re.M)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(tmp_path, monkeypatch)


def test_another_name_does_not_keep_the_bare_domain_of_the_old_one(installed: Installed) -> None:
    assert installed.write_site("--name", "www.saver.test") == ["www.saver.test", "saver.test"]
    assert installed.write_site() == ["www.saver.test", "saver.test"]
    assert installed.write_site("--name", "www.other.org") == ["www.other.org", "other.org"]
    assert installed.write_site("--name", "paste.other.org") == ["paste.other.org"]
    assert installed.write_site() == ["paste.other.org"]
    assert installed.write_site("--bare", "old.test") == ["paste.other.org", "old.test"]
    assert installed.write_site("--name", "www.saver.test", "--bare", "") == ["www.saver.test"]
    assert installed.write_site() == ["www.saver.test"]


def test_other_sites_stay_and_are_spoken_of(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def commands() -> str:
        installed.apache.apache(installed.machine.Machine(dry=True), installed.given("--name", "a.test"))
        said = capfd.readouterr()
        assert ("which stay" in said.err) == ("a2ensite" in said.out and "a2dissite" not in said.out)
        return said.out

    default = installed.default_page(monkeypatch)
    assert "a2dissite --quiet 000-default" in commands()
    (installed.page / "index.html").write_text("my home page")
    assert "a2dissite" not in commands()
    (installed.page / "index.html").write_text("It works")
    default.write_text("edited")
    assert "a2dissite" not in commands()
    default.write_text("Debian's")
    (installed.on / "blog.conf").touch()
    assert "a2dissite" not in commands()
    (installed.on / "blog.conf").unlink()
    (installed.on / "saver.conf").touch()
    # If the operator enabled it again, it stays.
    assert "a2dissite" not in commands()


def test_what_an_operator_has_switched_off_stays_off(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install = program("install")
    on: set[str] = set()
    monkeypatch.setattr(install, "holds", lambda *words: words[-1] in on)
    monkeypatch.setattr(sys.modules["_machine"], "system_runs", lambda: True)
    install.services(sys.modules["_machine"].Machine(dry=True))
    said = capfd.readouterr()
    assert "enable saver-migrate.service saver-worker.service saver-backup.timer" in said.out
    assert said.err == ""
    on |= {"saver-migrate.service", "saver-worker.service"}
    install.services(sys.modules["_machine"].Machine(dry=True))
    said = capfd.readouterr()
    assert said.out == ""
    assert "nothing makes backups: systemctl enable --now saver-backup.timer" in said.err


def test_a_machine_with_postgresql_gets_pg_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install = program("install")
    settings, found = tmp_path / "saver.env", [""]
    monkeypatch.setattr(install, "SETTINGS", settings)
    monkeypatch.setattr(install.shutil, "which", lambda _: found[0])

    def commands(url: str) -> str:
        settings.write_text(f"SAVER_THREADS=16\nSAVER_DATABASE_URL={url}\n")
        install.packages(sys.modules["_machine"].Machine(dry=True))
        return capfd.readouterr().out

    for url in ("postgresql:///saver", "postgresql+psycopg://saver@db/saver", '"postgresql:///saver"'):
        assert "postgresql-client" in commands(url)
    assert "postgresql-client" not in commands("sqlite:////var/lib/saver/saver.db")
    found[0] = "/usr/bin/pg_dump"
    assert "postgresql-client" not in commands("postgresql:///saver")


def test_backups_get_the_network_of_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("install")
    module = sys.modules["_machine"]
    monkeypatch.setattr(module, "_COPIES", {})
    monkeypatch.setattr(module, "NETWORK", f"{tmp_path}/{{}}.conf")
    machine = module.Machine(dry=False)
    machine.write = lambda path, text: path.write_text(text)
    machine.run = lambda *_: None
    worker, backup = tmp_path / "worker.conf", tmp_path / "backup.conf"
    assert not machine.copies()
    assert not backup.exists()
    worker.write_text("IPAddressAllow=192.0.2.7")
    assert machine.copies()
    assert backup.read_text() == "IPAddressAllow=192.0.2.7"
    backup.write_text("edited")
    assert not machine.copies()
    assert backup.read_text() == "edited"


def test_logrotate_no_longer_reloads_apache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("install")
    apache, machine = sys.modules["_apache"], sys.modules["_machine"].Machine(dry=False)
    debian = (
        "/var/log/apache2/*.log {\n\tdaily\n\tprerotate\n\t\tif x; then\n\t\tfi\n\tendscript\n"
        "\tpostrotate\n\t\tinvoke-rc.d apache2 reload\n\tendscript\n}\n"
    )
    file = tmp_path / "apache2"
    file.write_text(debian)
    written: list[str] = []
    monkeypatch.setattr(apache, "LOGROTATE", file)
    machine.write = lambda _, text: written.append(text)
    apache.rotation(machine)
    assert written == ["/var/log/apache2/*.log {\n\tdaily\n\tcopytruncate\n}\n"]
    file.write_text(written[0])
    apache.rotation(machine)
    assert len(written) == 1
