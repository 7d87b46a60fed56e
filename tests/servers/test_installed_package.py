"""`saver-server` from an installed wheel, in an empty folder and with an empty home."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from saver.codes import LENGTH
from tests.support.package import build
from tests.support.process import Process, free_port, wait_until
from tests.support.server import ROOT

# As if the caller were not root, whose data is elsewhere.
AS_A_USER = "import os; os.geteuid = lambda: 1000; from saver.operator_cli import main; main()"


class Installed:
    """An environment with the wheel, and the folders of whoever uses it."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "venv" / "bin"
        self.home, self.work, self.data = folder / "home", folder / "work", folder / "data"
        self.home.mkdir()
        self.work.mkdir()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SAVER_", "PYTHON", "XDG_"))
        }
        self.environ = {**kept, "HOME": str(self.home)}

    def run(self, *command: object, check: bool = True) -> str:
        """Run a program of the environment; what it prints."""
        name, *arguments = map(str, command)
        result = subprocess.run(
            [self.bin / name, *arguments],
            cwd=self.work,
            env=self.environ,
            check=check,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment; the packages that it needs are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    wheel, _ = build(ROOT, folder / "dist")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(venv)})
    (Path(packages) / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(folder)


@pytest.fixture(scope="module")
def served(installed: Installed) -> Iterator[Process]:
    """`saver-server serve`, after its first start."""
    port = free_port()

    def answers() -> bool:
        return b'"ok"' in ask(f"http://127.0.0.1:{port}/readyz")

    process = Process(
        [installed.bin / "saver-server", "serve", "--port", port, "--data-dir", "../data"],
        installed.work.parent / "log",
        answers,
        folder=installed.work,
        environ=installed.environ,
    )
    process.start()
    yield process
    process.stop()


def ask(url: str, text: str | None = None) -> bytes:
    """GET, or POST a text."""
    body = None if text is None else text.encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "text/plain"})) as answer:
        content: bytes = answer.read()
        return content


def address(served: Process) -> str:
    """The address, which is the first line."""
    return served.log.read_text().splitlines()[0]


def test_a_text_is_saved_and_loaded(served: Process) -> None:
    code = ask(f"{address(served)}/api/v1/write", "from the wheel").decode()
    assert len(code.strip()) == LENGTH
    assert ask(f"{address(served)}/api/v1/load", code) == b"from the wheel"


def test_the_page_has_all_its_files(served: Process) -> None:
    page = ask(f"{address(served)}/").decode()
    files = set(re.findall(r'"(static/[^"]+)"', page))
    assert len(files) > 20
    for file in files:
        assert ask(f"{address(served)}/{file}")


def test_the_word_list_is_served(served: Process) -> None:
    version = re.findall(r"static/(\w+)/", ask(f"{address(served)}/").decode())[0]
    assert b"acid" in ask(f"{address(served)}/static/{version}/vendor/eff-short-wordlist-1.txt")


def test_the_operator_s_commands(served: Process, installed: Installed) -> None:
    assert served.is_running
    server = ("saver-server", "--data-dir", installed.data)
    assert "clean" in installed.run(*server, "pool", "audit")
    assert "FAILING" not in installed.run(*server, "check")
    backup = Path(installed.run(*server, "backup").splitlines()[0])
    assert backup.parent == installed.data / "backups"
    assert backup.exists()
    assert "(head)" in installed.run(*server, "db", "current")


def test_nothing_is_left_in_the_folder_and_in_the_home(served: Process, installed: Installed) -> None:
    assert served.is_running
    assert not [*installed.work.iterdir(), *installed.home.iterdir()]


def test_ctrl_c_stops_all(served: Process) -> None:
    processes = served.children()
    assert len(processes) == 2, "the API and the worker"
    served.send(signal.SIGINT)
    wait_until(lambda: not served.is_running, "saver-server ends")
    served.stop()
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]
    assert "Traceback" not in served.log.read_text()


def test_the_worker_of_another_machine(served: Process, installed: Installed, tmp_path: Path) -> None:
    del served
    worker = Process(
        [installed.bin / "saver-server", "--data-dir", installed.data, "worker"],
        tmp_path / "log",
        lambda: "worker up" in (tmp_path / "log").read_text(),
        folder=installed.work,
        environ=installed.environ,
    )
    worker.start()
    worker.stop()
    assert "worker down" in worker.log.read_text()


@pytest.mark.parametrize(
    ("program", "folder"),
    [(AS_A_USER, "{home}/.local/state/saver"), (AS_A_USER.replace("1000", "0"), "/var/lib/saver")],
    ids=["user", "root"],
)
def test_the_data_is_not_in_the_current_folder(installed: Installed, program: str, folder: str) -> None:
    place = folder.format(home=installed.home)
    # Its lines are broken at any blank and hyphen.
    shown = "".join(installed.run("python", "-c", program, "--help").split())
    assert f"secretkeyare({place})" in shown


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--port", "abc"], "SAVER_PORT: "),
        (["--port", "70000"], "SAVER_PORT: "),
        (["--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1, port 0"),
    ],
)
def test_what_cannot_be_is_reported(installed: Installed, options: list[str], fault: str) -> None:
    said = installed.run("saver-server", "serve", "--data-dir", installed.data, *options, check=False)
    assert fault in said
    assert "Traceback" not in said


def test_a_message_names_the_program_that_is_there(installed: Installed, tmp_path: Path) -> None:
    said = installed.run("saver-server", "--data-dir", tmp_path / "no", "pool", "count", check=False)
    assert "saver-server db upgrade makes a new one" in said


def test_the_program_for_people_is_there(installed: Installed) -> None:
    assert installed.run("saver", "--version").startswith("saver, version ")
