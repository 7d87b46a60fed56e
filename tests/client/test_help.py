"""What the program says about itself: help, completion, the man page, and docs/command-line.md."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess

import click
import pytest

from saver.client import errors
from saver.client.cli import main
from saver.client.errors import SaverError
from tests.support.saver_program import COMMAND, Program
from tests.support.server import ROOT

MAN_PAGE = (ROOT / "docs/man/saver.1").read_text("utf-8").replace("\\-", "-")
PAGE = (ROOT / "docs/command-line.md").read_text("utf-8")
SHELLS = {"bash": "complete -o nosort -F", "zsh": "#compdef saver", "fish": "complete --no-files --command"}
KINDS = {
    (found.exit_code, found.kind)
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, SaverError) and found is not errors.LaterError
}


def options() -> set[str]:
    """The options of all commands."""
    params = [param for command in main.commands.values() for param in command.params]
    return {name for param in params if isinstance(param, click.Option) for name in param.opts}


def test_the_man_page_and_the_documentation_have_every_command_and_option() -> None:
    assert len(main.commands) == 7
    assert set(re.findall(r"^\.B (\w+)$", MAN_PAGE, re.MULTILINE)) >= set(main.commands)
    assert set(re.findall(r"^\| `saver (\w+)", PAGE, re.MULTILINE)) >= set(main.commands)
    assert set(re.findall(r"^\.BI? (--[a-z-]+)", MAN_PAGE, re.MULTILINE)) == options()
    assert set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)) == options()


def test_the_documentation_has_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d) \| (.*?) \|", PAGE, re.MULTILINE)
    documented = {(int(code), kind) for code, kinds in rows for kind in re.findall("`(.+?)`", kinds)}
    assert documented == KINDS
    assert {int(code) for code in re.findall(r"^\.B (\d)$", MAN_PAGE, re.MULTILINE)} == set(range(9))


@pytest.mark.system
def test_the_man_page_is_read_without_a_warning() -> None:
    command = ["man", "--warnings", "--local-file", str(ROOT / "docs/man/saver.1")]
    read = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "saver completion bash|zsh|fish" in read.stdout
    assert not read.stderr


@pytest.mark.parametrize(("shell", "start"), SHELLS.items())
def test_a_completion_is_printed(program_alone: Program, shell: str, start: str) -> None:
    script = program_alone.run("completion", shell).line
    assert start in script
    assert f"_SAVER_COMPLETE={shell}_complete" in script


def test_bash_completes_commands_and_options(program_alone: Program) -> None:
    assert completed(program_alone, "saver s") == ["send", "status"]
    assert "--phrase" in completed(program_alone, "saver send --p")
    assert completed(program_alone, "saver completion f") == ["fish"]


def completed(program: Program, line: str) -> list[str]:
    """What bash offers for a line, by the program's script."""
    started = shlex.join(COMMAND)
    (program.home / "saver").write_text(f'#!/bin/sh\nexec {started} "$@"\n')
    (program.home / "saver").chmod(0o755)
    words = line.split(" ")
    script = (
        'eval "$(saver completion bash)"; '
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _saver_completion saver; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environ = {**program.environ, "PATH": f"{program.home}:{program.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environ, check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_help_is_there_at_once(program_alone: Program) -> None:
    """Below 0.3 seconds of processor time; alone on a machine it is a third of that."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = [program_alone.run("--help") for _ in range(3)]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert all("Usage: saver" in result.line for result in shown)
    assert (after.ru_utime - before.ru_utime) / 3 < 0.3
