"""The service has gone away since a text was saved."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import NO_LIMITS
from tests.support.saver_program import Program, Result
from tests.support.server import Server
from tests.support.snapshot import put_codes

COMMANDS = ("send", "get aaaa", "status aaaa", "extend aaaa --for 1h", "delete aaaa")
SENTENCE = "The service does not answer. Is its address right, and this computer online?"


def test_a_service_that_is_away(tmp_path: Path, migrated: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", ["aaaa"])
    with Server(folder, NO_LIMITS) as server:
        program = Program(tmp_path, server.url)
        assert program.run("send", stdin=b"text").line == "aaaa"

    def run(command: str) -> Result:
        return program.run(*command.split(), stdin=b"text")

    as_json = tuple(f"{command} --json" for command in COMMANDS)
    # All at the same time, as each one tries again for some seconds.
    with ThreadPoolExecutor(len(COMMANDS + as_json)) as pool:
        found = dict(zip(COMMANDS + as_json, pool.map(run, COMMANDS + as_json), strict=True))
    ends = {command: (result.code, result.stdout) for command, result in found.items()}
    assert ends == dict.fromkeys(found, (5, b""))
    sentences = {command: found[command].stderr for command in COMMANDS}
    assert sentences == dict.fromkeys(COMMANDS, f"saver: {SENTENCE}\n")
    documents = {command: json.loads(found[command].stderr) for command in as_json}
    assert documents == {command: {"error": "unreachable", "message": SENTENCE} for command in as_json}
