"""Part 3: filling the pool as the app does, against the fastest raw SQL for the same rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.common import Bench, Row, checkpoint, load_average, raw, say, services
from saver.codes import ALPHABET, SPACE

# In the order of the key, so that each row is appended.
_RAW = """
WITH letters(letter) AS (SELECT value FROM json_each(?))
INSERT INTO code
SELECT a.letter || b.letter || c.letter || d.letter
FROM letters AS a CROSS JOIN letters AS b CROSS JOIN letters AS c CROSS JOIN letters AS d
"""


def measure(bench: Bench) -> Iterator[Row]:
    """The row of part 3."""
    pairs = []
    for turn in range(bench.rounds):
        say(f"fill, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        ways = [_by_raw_sql, _by_app]
        took = {way: _time(bench, way) for way in (ways if turn % 2 == 0 else reversed(ways))}
        pairs.append((took[_by_app], took[_by_raw_sql]))
    app, sql = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    note = f"{app:.1f} / {sql:.1f} s for {SPACE:,} codes"
    yield Row("fill: app / raw SQL", [one / other for one, other in pairs], "<= 1.5", note=note)


def _time(bench: Bench, fill: Callable[[Path], None]) -> float:
    folder = bench.copy(bench.empty(), "fill")
    started = time.perf_counter()
    fill(folder)
    # Both end with everything in the database and nothing in its log.
    checkpoint(folder)
    took = time.perf_counter() - started
    with raw(folder) as database:
        assert database.execute("SELECT count(*) FROM code").fetchone() == (SPACE,)
    return took


def _by_app(folder: Path) -> None:
    for _step in services(folder).store.fill():
        pass


def _by_raw_sql(folder: Path) -> None:
    letters = "[" + ",".join(f'"{letter}"' for letter in sorted(ALPHABET)) + "]"
    with raw(folder) as database:
        database.execute(_RAW, (letters,))
