"""Instructions for each request, counted by callgrind, which has to run the program in a simulator.

`python -m bench.instructions FOLDER SETS` is what runs there. It starts uncounted, which is quicker, and has
callgrind write one file for each set.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.common import ROOT, Bench, say
from bench.in_process import targets

_REQUESTS = 50
_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_FILES = "counted"
_NOTHING = "nothing"
_T = TypeVar("_T")


class CannotCountError(Exception):
    """Why there is no count."""


def count(bench: Bench) -> dict[str, list[float]]:
    """Thousands of instructions for a request, by the name of its kind, one figure for each set.

    Raises CannotCountError.
    """
    if shutil.which("valgrind") is None:
        raise CannotCountError("valgrind is missing: apt-get install valgrind")
    folder, sets = bench.copy(bench.full(), "instructions"), 1 if bench.quick else 3
    say("counting instructions")
    command = [
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={folder / _FILES}",
    ]
    command += [sys.executable, "-m", "bench.instructions", str(folder), str(sets)]
    # The same order of every set and dictionary in each run.
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotCountError(f"valgrind failed: {done.stderr.strip()[-300:]}")
    counts: dict[str, list[float]] = {}
    for number, name in enumerate(done.stdout.splitlines(), 1):
        counts.setdefault(name, []).append(_total(folder / f"{_FILES}.{number}") / _REQUESTS / 1000)
    # To switch the counting on and off costs instructions too.
    nothing = min(counts.pop(_NOTHING))
    return {name: [figure - nothing for figure in figures] for name, figures in counts.items()}


def _total(path: Path) -> int:
    match = _TOTAL.search(path.read_text())
    if not match:
        raise CannotCountError(f"callgrind wrote no total into {path.name}")
    return int(match[1])


def main() -> None:
    """Answer the requests; print the kind of each set."""
    folder, sets = Path(sys.argv[1]), int(sys.argv[2])
    kinds = targets(folder)
    for kind in kinds:
        kind.check(kind.answers(kind.environs(_REQUESTS)))
    for _ in range(sets):
        _count(_NOTHING, list)
        for kind in kinds:
            answers = _count(kind.name, partial(kind.answers, kind.environs(_REQUESTS)))
            kind.check(answers)


def _count(name: str, work: Callable[[], _T]) -> _T:
    _control("--instr=on")
    result = work()
    _control("--instr=off")
    _control("--dump")
    print(name)
    return result


def _control(command: str) -> None:
    subprocess.run(["callgrind_control", command, str(os.getpid())], check=True, capture_output=True)


if __name__ == "__main__":
    main()
