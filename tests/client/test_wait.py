"""`--wait`: a rate limit of a real service is met, waited for, and then the command succeeds."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

from saver.ratelimit.mapped_table import SLOT
from tests.client.conftest import made
from tests.conftest import NO_LIMITS
from tests.support.saver_program import ON_TERMINAL
from tests.support.server import Server
from tests.support.snapshot import put_codes

# More than a pipe holds: when all of it is written, the program reads.
LONG = b"a line of a long text\n" * 10_000


def end_windows_in(counts: Path, seconds: float) -> None:
    """Let the windows of all rate limits end that many seconds from now."""
    ends_at = time.time() + seconds
    # In place, as the service has mapped the file.
    with counts.open("r+b") as file:
        slots = [*SLOT.iter_unpack(file.read())]
        file.seek(0)
        file.write(b"".join(SLOT.pack(key, count, ends_at if count else end) for key, count, end in slots))


def test_a_command_waits_for_a_rate_limit_and_then_succeeds(tmp_path: Path, migrated: Path) -> None:
    """The clock of the service is real, so a window that has begun is made shorter."""
    folder = tmp_path / "service"
    folder.mkdir()
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", ["aaaa", "bbbb"])
    with Server(folder, {**NO_LIMITS, "writes_a_minute": 1, "loads_a_minute": 1}) as server:
        program, other = made(tmp_path / "alice", server.url), made(tmp_path / "bob", server.url)
        first = program.run("send", stdin=b"first").line
        assert other.run("get", first).stdout == b"first"
        with (
            other.started("get", "--wait", before=ON_TERMINAL, stderr=None) as on_terminal,
            program.started("send", "--wait") as sender,
        ):
            assert on_terminal.stdin is not None
            assert on_terminal.stdout is not None
            assert sender.stdin is not None
            shown = b""
            while not shown.endswith(b"Code: "):
                part = os.read(on_terminal.stdout.fileno(), 1_000)
                assert part, shown
                shown += part
            sender.stdin.write(LONG)
            end_windows_in(folder / "counts", 3)
            on_terminal.stdin.write(first.encode() + b"\n")
            on_terminal.stdin.flush()
            output, errors = sender.communicate()
            shown = on_terminal.stdout.read()
            assert (sender.returncode, on_terminal.wait()) == (0, 0)
        assert {output.strip(), first.encode()} == {b"aaaa", b"bbbb"}
        assert re.match(rb"Waiting for [1-3] seconds, as the service asks\.\nUntil 20", errors)
        countdown = [int(left) for left in re.findall(rb"Waiting, as the service asks: (\d+) s ", shown)]
        assert countdown[0] in {1, 2, 3}
        assert countdown == list(range(countdown[0], 0, -1))
        assert shown.endswith(b"first\r\n")
