"""The tables of bench/capacity."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from sqlite3 import Connection

from bench.codespace import DAY, HOUR, MINUTE, Kind, Seen, Service, draw_cost, guessed, simulate
from bench.common import TEXT, Bench, raw, show
from saver.codes import ALPHABET, SPACE, Code
from saver.settings import Settings

_LIVES = {"10 min": 600, "1 h": HOUR, "3 h": 3 * HOUR, "24 h": DAY, "30 days": 30 * DAY}
_RESTS = {"24 h": DAY, "6 h": 6 * HOUR, "1 h": HOUR, "10 min": 600, "0": 0}
_USUAL = (Kind(0.7, 600), Kind(0.2, HOUR), Kind(0.1, DAY))
# A text of a given life, and when it is read and gone if it is a one-time text.
_ENDS = (("10 min", 5 * MINUTE), ("24 h", HOUR), ("30 days", HOUR), ("30 days", DAY))
_MILLION = 1_000_000
_SAMPLE = 100_000
_DEFAULTS = Settings(_env_file=None)

_Rows = list[tuple[str, ...]]


def everything(days: int) -> None:
    """Print what needs no database."""
    usual = [Service(rate, _USUAL, swing=0.8) for rate in (10, 40, 70, 90)]
    services = [*usual, Service(90, _USUAL, HOUR, swing=0.8), Service(90, _USUAL, 0, swing=0.8)]
    _print("Played: 70 % live 10 min, 20 % an hour, 10 % a day", _played(services, days))
    _print("The most that may be written a second, by life and rest", _most())
    _print("One-time texts: what reading them early changes, texts a second", _once())
    _print("What a draw costs", _draws())
    _print("What guesses find", _guesses())


def own(rate: float, mix: str, rest: int, swing: float, days: int) -> None:
    """Print what one service would see. Raises SystemExit where the mix makes no sense."""
    try:
        parts = [part.split(":") for part in mix.split(",")]
        kinds = tuple(Kind(float(share), int(life)) for life, share in parts)
    except ValueError:
        raise SystemExit("bench: --mix: LIFE:PART,LIFE:PART,…, for instance 600:0.9,3600:0.1") from None
    if abs(sum(kind.share for kind in kinds) - 1) > 1e-6 or any(kind.life < 1 for kind in kinds):
        raise SystemExit("bench: --mix: the parts must make 1, and a life must be a second or more")
    longest = max(kind.life for kind in kinds) + rest
    if days * DAY < longest + DAY:
        raise SystemExit(
            f"bench: --days: it settles after {longest / DAY:.1f} days, and a day is counted after"
        )
    _print("Played", _played([Service(rate, kinds, rest, swing=swing)], days))


def disk(bench: Bench) -> None:
    """Print what a million texts take in SQLite, measured on a tenth of that."""
    folder = bench.copy(bench.full(), "disk")
    random = Random(6)
    rows: _Rows = [("what", "MB")]
    with raw(folder) as database:
        database.execute("PRAGMA synchronous = OFF")
        pool = _used(database)
        rows.append(("the full pool, all other tables empty", f"{pool / 1e6:,.0f}"))
        waiting = deque([_save(database, _SAMPLE, random)])
        rows.append(("a million live texts of 1 KB", _millions(_used(database) - pool)))
        _wipe(database, waiting[0])
        _give_back(database, waiting.popleft())
        for one_lives_of in (10, 100):
            # Three times over, so that nothing is left of how it began.
            for _ in range(3 * one_lives_of):
                waiting.append(_save(database, _SAMPLE // one_lives_of, random))
                if len(waiting) > 1:
                    _wipe(database, waiting[-2])
                if len(waiting) > one_lives_of:
                    _give_back(database, waiting.popleft())
            what = f"a million codes taken for a long while, one in {one_lives_of} lives"
            rows.append((what, _millions(_used(database) - pool)))
            while waiting:
                _wipe(database, waiting[0])
                _give_back(database, waiting.popleft())
    _print(f"On the disk, SQLite, measured with {_SAMPLE:,} codes taken", rows)


def _used(database: Connection) -> int:
    """Bytes of the pages in use."""
    names = ("page_count", "freelist_count", "page_size")
    pages, spare, size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - spare) * size)


def _millions(size: int) -> str:
    return f"{size * _MILLION / _SAMPLE / 1e6:,.0f}"


def _save(database: Connection, many: int, random: Random) -> list[tuple[str]]:
    """Lease codes as a service does, without its waits for the disk; texts are of 1 KB."""
    now = int(time.time())
    codes: list[tuple[str]] = []
    database.execute("BEGIN")
    while len(codes) < many:
        code = Code.nth(random.randrange(SPACE))
        if database.execute("DELETE FROM code WHERE code = ?", (code,)).rowcount == 1:
            codes.append((code,))
            values = (code, TEXT, now, now + len(codes), now + len(codes) + DAY, len(TEXT))
            database.execute(
                "INSERT INTO text (code, body, owner_hash, saved_at, expires_at, free_at, source, size)"
                " VALUES (?, ?, randomblob(32), ?, ?, ?, randomblob(16), ?)",
                values,
            )
    database.execute("COMMIT")
    return codes


def _wipe(database: Connection, codes: list[tuple[str]]) -> None:
    database.execute("BEGIN")
    database.executemany("UPDATE text SET body = NULL, source = NULL WHERE code = ?", codes)
    database.execute("COMMIT")


def _give_back(database: Connection, codes: list[tuple[str]]) -> None:
    database.execute("BEGIN")
    database.executemany("DELETE FROM text WHERE code = ?", codes)
    database.executemany("INSERT INTO code VALUES (?)", codes)
    database.execute("COMMIT")


def _played(services: Sequence[Service], days: int) -> _Rows:
    rows: _Rows = [
        (
            "writes a second",
            "rest",
            "codes taken, Little",
            "played, the last day",
            "fewest free",
            "live",
            "refused",
        )
    ]
    for service in services:
        seen = simulate(service, days * DAY, Random(6))
        last = seen[-DAY // MINUTE :]
        rows.append((f"{service.rate:g}", _span(service.rest), *_settled(service, last)))
    return rows


def _settled(service: Service, last: Sequence[Seen]) -> Iterator[str]:
    yield f"{min(service.taken, service.space):,.0f}"
    yield f"{statistics.mean(service.space - step.free for step in last):,.0f}"
    yield f"{min(step.free for step in last):,}"
    yield f"{statistics.mean(step.live for step in last):,.0f}"
    refused, written = sum(step.refused for step in last), sum(step.written for step in last)
    yield f"{refused / (refused + written):.1%} (by the formula {service.refused:.1%})"


def _most() -> _Rows:
    rows: _Rows = [("life", *(f"rest {name}" for name in _RESTS))]
    for name, life in _LIVES.items():
        rates = [Service(1, (Kind(1, life),), rest).most for rest in _RESTS.values()]
        rows.append((name, *map(_rate, rates)))
    return rows


def _once() -> _Rows:
    rows: _Rows = [
        ("life", "read after", *(f"{share} % read" for share in (0, 50, 90, 100)), "all, rest 1 h")
    ]
    for name, after in _ENDS:
        kinds = [Kind(1, _LIVES[name], share, after) for share in (0, 0.5, 0.9, 1)]
        rates = [Service(1, (kind,)).most for kind in kinds] + [Service(1, (kinds[-1],), HOUR).most]
        rows.append((name, _span(after), *map(_rate, rates)))
    return rows


def _draws() -> _Rows:
    rows: _Rows = [("free", "codes tried", "statements", "that end with counting")]
    for part in (1, 0.5, 0.1, 0.03, 0.01, 0.005):
        cost = draw_cost(int(SPACE * part))
        codes, statements = f"{cost.codes:.1f}", f"{cost.statements:.2f}"
        rows.append((f"{part:.1%}: {int(SPACE * part):,}", codes, statements, f"{cost.counting:.1%}"))
    cost = draw_cost(10_000)
    return [*rows, ("10,000", "0", f"{cost.statements:.2f}", "100.0%")]


def _guesses() -> _Rows:
    one, everybody = _DEFAULTS.misses_a_day, _DEFAULTS.misses_a_day_in_all
    five = len(ALPHABET) ** 5
    misses = (f"{one} misses", f"{everybody:,} misses", "the same, five letters")
    rows: _Rows = [("live open texts", "a guess hits", *misses)]
    for live in (100, 1_000, 10_000, 100_000, 1_000_000):
        rows.append(
            (
                f"{live:,}",
                f"1 in {SPACE / live:,.0f}",
                _found(guessed(live, one)),
                _found(guessed(live, everybody)),
                _found(guessed(live, everybody, five)),
            )
        )
    return rows


def _found(texts: float) -> str:
    """A day's misses find so many texts, or one in so many days."""
    return f"{texts:,.1f} a day" if texts >= 1 else f"one in {1 / texts:,.1f} days"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def _span(seconds: int) -> str:
    named = {length: name for name, length in (_RESTS | _LIVES).items()}
    return named.get(seconds, f"{seconds // 60} min")


def _print(title: str, rows: _Rows) -> None:
    print(f"\n{title}\n")
    show(rows)
