"""The program ``saver`` of a user with a home of their own, as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import TIMEOUT
from tests.support.server import ROOT

COMMAND = (sys.executable, "-c", "from saver.client.cli import main; main(prog_name='saver')")

# Copies its stdin to a new terminal, and what is shown there to its stdout; ends with the same exit code.
ON_TERMINAL = (
    sys.executable,
    "-c",
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
)


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def line(self) -> str:
        """Stdout of a run that has succeeded, without the line break."""
        assert self.code == 0, self.stderr
        return self.stdout.decode().removesuffix("\n")


class Program:
    """``Program(home, url).run("get", "wUrp")``; ``variables`` are added to the environment."""

    def __init__(self, home: Path, service: str = "", **variables: str) -> None:
        self.home = home
        self.state = home / "state" / "saver" / "client"
        self.config = home / "config" / "saver" / "config.toml"
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        xdg = {"XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
        ours = {"SAVER_SERVICE": service} if service else {}
        self.environ = {**kept, **xdg, **ours, "HOME": str(home), "PYTHONPATH": str(ROOT), **variables}

    def run(self, *arguments: str, stdin: bytes = b"", password: str | None = None) -> Result:
        """Run to the end; a password is passed by a file descriptor."""
        with _pipe(password) as descriptor:
            added = () if descriptor is None else ("--password-fd", str(descriptor))
            done = subprocess.run(
                [*COMMAND, *arguments, *added],
                input=stdin,
                capture_output=True,
                env=self.environ,
                cwd=self.home,
                pass_fds=() if descriptor is None else (descriptor,),
                timeout=TIMEOUT,
                check=False,
                start_new_session=True,
            )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def on_terminal(self, arguments: Sequence[str], *answers: str) -> str:
        """Run on a terminal of its own and answer each question; what was shown after the last answer."""
        with self.started(*arguments, before=ON_TERMINAL, stderr=None) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            for answer in answers:
                shown = b""
                while not shown.endswith(b": "):
                    part = os.read(child.stdout.fileno(), 1_000)
                    assert part, shown
                    shown += part
                child.stdin.write(answer.encode() + b"\n")
                child.stdin.flush()
            return child.stdout.read().decode()

    @contextmanager
    def started(
        self, *arguments: str, before: Sequence[str] = (), **options: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start; it is killed at the end of the block if it still runs."""
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        child = subprocess.Popen(
            [*before, *COMMAND, *arguments],
            env=self.environ,
            cwd=self.home,
            start_new_session=True,
            **{**pipes, **options},
        )
        with child:
            try:
                yield child
            finally:
                child.kill()


@contextmanager
def _pipe(content: str | None) -> Iterator[int | None]:
    if content is None:
        yield None
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as target:
            target.write(content.encode())
        yield reading
    finally:
        os.close(reading)
