"""The completion that `saver completion SHELL` prints, in the shells themselves."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.process import TIMEOUT
from tests.support.saver_program import COMMAND, ON_TERMINAL, Program
from tests.support.tools import tool

pytestmark = pytest.mark.system

PROMPT = b"ready> "
# What is typed before the Tab key, and what the program is then started with.
TYPED = {
    "saver sta": "[status]",
    "saver send --phr": "[send][--phrase]",
    "saver get --password-": "[get][--password-fd]",
    "saver completion f": "[completion][fish]",
    "saver send my": "[send][my notes.txt]",
}
SHELLS = {
    "bash": (["bash", "--noprofile", "--rcfile", "start", "-i"], "start", ""),
    "zsh": (["zsh", "-d", "-i"], ".zshrc", "autoload -U compinit; compinit -D -u"),
}
OFFERED_BY_FISH = {
    "saver se": ["send\tSave FILE or stdin, and print its code."],
    "saver send --ph": ["--phrase\tEncrypt with five easy words, and show them."],
    "saver completion f": ["fish"],
    "saver send my": ["my notes.txt"],
}


@pytest.fixture
def home(program_alone: Program) -> Path:
    """A home with a file and the program; if a user starts it, it only notes its arguments."""
    home = program_alone.home
    (home / "my notes.txt").write_text("notes")
    (home / "bin").mkdir()
    noted = "printf '[%s]' \"$@\" >> noted; echo >> noted"
    (home / "bin" / "saver").write_text(f'#!/bin/sh\n[ -t 1 ] || exec {shlex.join(COMMAND)} "$@"\n{noted}\n')
    (home / "bin" / "saver").chmod(0o755)
    program_alone.environ |= {"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "TERM": "xterm"}
    return home


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes_commands_options_and_files(program_alone: Program, home: Path, shell: str) -> None:
    command, start, prepared = SHELLS[shell]
    tool(shell, shell)
    (home / start).write_text(f"{prepared}\nPS1='{PROMPT.decode()}'\neval \"$(saver completion {shell})\"\n")
    with subprocess.Popen(
        [*ON_TERMINAL, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=program_alone.environ,
        cwd=home,
        start_new_session=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for line in [*TYPED, "exit"]:
            shown = b""
            while PROMPT not in shown:
                part = os.read(child.stdout.fileno(), 1_000)
                assert part, shown
                shown += part
            child.stdin.write(f"{line}{'' if line == 'exit' else chr(9)}\n".encode())
            child.stdin.flush()
        child.stdout.read()
    assert (home / "noted").read_text().splitlines() == list(TYPED.values())


def test_fish_offers_commands_options_and_files(program_alone: Program, home: Path) -> None:
    fish = tool("fish", "fish")
    for line, offered in OFFERED_BY_FISH.items():
        asked = f"saver completion fish | source; complete --do-complete {shlex.quote(line)}"
        done = subprocess.run(
            [fish, "--no-config", "--command", asked],
            env=program_alone.environ,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        )
        assert done.stdout.splitlines() == offered
        assert not done.stderr
