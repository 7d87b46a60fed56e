"""deploy/install and deploy/upgrade: dry runs and refusals; install.py runs them for real."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.servers.apache.software import as_user
from tests.support.server import ROOT
from tests.system.install import commands

DEPLOY = ROOT / "deploy"
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
NAMES = ["--name", "www.example.org", "--email", "you@example.org"]
# The paths that install would change.
PLACES = [Path(place) for place in ("/opt/saver", "/etc/saver", "/var/lib/saver", "/var/www/saver")]


def program(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(f"deploy_{name}", str(DEPLOY / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    before, quiet = sys.path[:], sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        loader.exec_module(module)
    finally:
        sys.path[:], sys.dont_write_bytecode = before, quiet
    return module


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DEPLOY / name, *words], capture_output=True, text=True, check=False, timeout=180)


def refusal(*words: str, uid: int = 0, release: str = DEBIAN) -> str:
    install = program("install")
    given = install.options(["--dry-run", *words])
    install.fill_in(given)
    given.dry_run = uid == 0
    return str(install.refusal(given, uid, release))


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_install_shows_every_step_and_changes_nothing() -> None:
    before = [place.exists() for place in PLACES]
    done = run("install", "--dry-run", *NAMES)
    assert done.returncode == 0, done.stderr
    assert "nothing was changed" in done.stderr or "nothing to do" in done.stderr
    assert [place.exists() for place in PLACES] == before
    if not any(before):
        steps = ("python3 -m venv", "--require-hashes", "saver.env", "db upgrade", "pool fill")
        later = (
            "systemctl enable",
            "sites-available/saver.conf",
            "a2ensite",
            "configtest",
            "certbot certonly",
        )
        assert in_order(done.stdout, *steps, *later), done.stdout


def test_install_asks_for_one_certificate_with_both_names() -> None:
    asked = re.search(r"^\+ certbot .*$", run("install", "--dry-run", *NAMES).stdout, re.M)
    assert asked
    assert "--webroot" in asked[0]
    assert "-d example.org -d www.example.org" in asked[0]


def test_a_self_signed_certificate_asks_no_acme_server() -> None:
    said = run("install", "--dry-run", "--self-signed", "--name", "www.example.org").stdout
    assert "certbot certonly" not in said
    assert "subjectAltName=DNS:example.org,DNS:www.example.org" in said


def test_one_name_is_enough() -> None:
    done = run("install", "--dry-run", "--name", "paste.example.org", "--email", "you@example.org")
    assert done.returncode == 0, done.stderr
    [asked] = re.findall(r"^\+ certbot .*$", done.stdout, re.M)
    assert asked.endswith("--cert-name paste.example.org --renew-with-new-domains -d paste.example.org")
    for words in (["--name", "paste.example.org"], ["--name", "www.example.org", "--bare", ""]):
        said = run("install", "--dry-run", "--self-signed", *words).stdout
        assert f"subjectAltName=DNS:{words[1]} " in said


def test_install_never_shows_the_secret() -> None:
    assert "SECRET" not in run("install", "--dry-run", *NAMES).stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--name", "WWW.example.org", "--bare", "example.org", "--self-signed"],
            "--name WWW.example.org: write",
        ),
        (["--name", "www.example.org/", "--self-signed"], "write a host name"),
        (["--name", "www.example.org", "--bare", "www.example.org", "--self-signed"], "must differ"),
        (["--self-signed"], "--name is missing"),
        (["--name", "www.example.org"], "--email is missing"),
        (["--name", "www.example.org", "--email", "me"], "no e-mail address"),
    ],
)
def test_install_refuses_names_in_a_sentence(words: list[str], sentence: str) -> None:
    assert sentence in refusal(*words)


def test_install_refuses_another_system() -> None:
    assert "this is Fedora" in refusal(*NAMES, release='ID=fedora\nVERSION_ID=44\nPRETTY_NAME="Fedora 44"\n')
    assert "this is Debian" in refusal(*NAMES, release=DEBIAN.replace('"12"', '"11"'))
    ubuntu = 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.2 LTS"\n'
    assert refusal(*NAMES, release=ubuntu) == ""
    assert refusal(*NAMES, release=DEBIAN.replace('"12"', '"13"')) == ""


def test_install_and_upgrade_want_root() -> None:
    assert "as root" in refusal(*NAMES, uid=1_000)
    upgrade = program("upgrade")
    assert "as root" in upgrade.refusal(upgrade.options([]), 1_000)


def test_a_refusal_is_one_sentence_and_status_1() -> None:
    done = run("install", "--dry-run", "--name", "nonsense", "--self-signed")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


def test_upgrade_backs_up_before_it_touches_anything() -> None:
    done = run("upgrade", "--dry-run", "HEAD")
    assert done.returncode == 0, done.stderr
    order = ("backup --to", "checkout", "--only environment", "saver.wsgi", "db upgrade", "--only copies")
    later = ("restart saver-worker", "pkill -USR1", "healthz", "--app saver check")
    assert in_order(done.stdout, *order, *later), done.stdout


def test_upgrade_goes_back_with_the_database_if_it_was_migrated(capsys: pytest.CaptureFixture[str]) -> None:
    upgrade = program("upgrade")
    way = upgrade.Way("HEAD", "HEAD", backup="/var/backups/saver/BACKUP")
    machine = upgrade.Machine(dry=True)
    upgrade.roll_back(machine, way)
    assert "restore" not in capsys.readouterr().out
    way.migrated = True
    upgrade.roll_back(machine, way)
    order = (
        "systemctl stop",
        "checkout",
        "restore /var/backups/saver/BACKUP",
        "start apache2",
        "restart saver-worker",
    )
    assert in_order(capsys.readouterr().out, *order)


def test_upgrade_undoes_the_migrations_of_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    upgrade = program("upgrade")
    way = upgrade.Way("HEAD", "HEAD", "0002 (head)", "/var/backups/saver/BACKUP.dump", migrated=True)
    upgrade.roll_back(upgrade.Machine(dry=True), way)
    said = capsys.readouterr().out
    # While the new version, which has them, is still checked out.
    assert in_order(said, "systemctl stop", "db downgrade 0002", "checkout", "start apache2"), said
    assert " restore " not in said


def test_upgrade_knows_no_such_revision() -> None:
    done = run("upgrade", "--dry-run", "no-such-revision")
    assert done.returncode == 1
    assert "no-such-revision" in done.stderr


def test_the_readme_has_the_commands_that_the_install_test_runs() -> None:
    clone, try_out, for_real = commands()
    assert clone == "git clone /srv/saver.git /opt/saver"
    assert "--self-signed" in try_out
    assert "--email" in for_real


def test_a_dry_run_of_install_needs_no_root() -> None:
    command = as_user([str(DEPLOY / "install"), "--dry-run", *NAMES])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # If saver is installed on this machine, only root may read its settings.
    assert done.returncode == 0 or "run it as root" in done.stderr, done.stderr
