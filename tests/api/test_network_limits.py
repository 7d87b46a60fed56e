"""An attacker with an IPv6 /48, which is 65,536 sources, cannot use up the limits of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from flask import Flask, Request, Response

from saver.api.write_limits import WriteLimits
from saver.ratelimit.lookups import RateLimitExceededError
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.rules import RateLimits
from saver.settings import Settings
from tests.api.test_rate_limits import clock, load, make_app, redis  # noqa: F401 - fixtures
from tests.conftest import NOW, Clock, look_up

SECONDS, A_SECOND = 3_600, 20


class MissError(Exception):
    """Look up a code that finds nothing."""


def missed(rate_limits: RateLimits, address: str) -> bool:
    """Whether a look-up that finds nothing is allowed."""
    try:
        with look_up(rate_limits, address, MissError):
            raise MissError
    except MissError:
        return True
    except RateLimitExceededError:
        return False


@pytest.mark.slow
def test_a_48_that_asks_all_the_time_does_not_limit_others(tmp_path: Path) -> None:
    clock, random = Clock(), Random(48)  # noqa: F811
    counters = MappedFileCounters(tmp_path / "counts")
    settings = Settings(_env_file=None, data_dir=tmp_path)
    rate_limits = RateLimits(counters, settings, clock=clock, secret=bytes(32))
    app = Flask("writes")
    write_limits = WriteLimits(rate_limits, settings)
    write_limits.init_app(app)
    app.post("/")(write_limits(_empty))
    client = app.test_client()

    def write(address: str) -> int:
        return client.post("/", environ_overrides={"REMOTE_ADDR": address}).status_code

    let_through = 0
    for second in range(SECONDS):
        clock.now = NOW + second
        for _ in range(A_SECOND):
            let_through += missed(rate_limits, f"2001:db8:1:{random.randrange(1 << 16):x}::1")
        newcomer = f"198.51.{second >> 8}.{second & 255}"
        with look_up(rate_limits, newcomer, MissError):
            assert write(newcomer) == 200
        with look_up(rate_limits, f"2001:db8:{second + 2:x}::1", MissError):
            assert write(f"2001:db8:{second + 2:x}::1") == 200
    assert let_through == 1_000
    # All of it fits into a table of the first size.
    assert (tmp_path / "counts").stat().st_size == 1 << 21
    assert (counters.used_fraction(clock.now) or 0) < 0.02


def test_a_48_has_loads_and_writes_of_its_own(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(loads_a_minute_per_network=5, writes_an_hour_per_network=3).test_client()

    def write(address: str) -> int:
        return client.post(
            "/api/v1/write", json={"text": "x"}, environ_overrides={"REMOTE_ADDR": address}
        ).status_code

    sources = [f"2001:db8:1:{number:x}::1" for number in range(8)]
    assert [load(client, address=source).status_code for source in sources] == [404] * 5 + [429] * 3
    assert [write(source) for source in sources] == [201] * 3 + [429] * 5
    for other in ("2001:db8:2::1", "192.0.2.1", "::ffff:192.0.2.2"):
        assert load(client, address=other).status_code == 404
    assert write("192.0.2.1") == 201


@pytest.mark.parametrize("settings", [{"loads_a_minute_per_network": 5}, {"misses_a_day_per_network": 5}])
def test_a_source_of_a_network_that_is_spent_is_not_counted_any_more(
    tmp_path: Path, settings: dict[str, int]
) -> None:
    counters = RecordingCounters(tmp_path / "counts")
    limits = Settings(_env_file=None, data_dir=tmp_path, **settings)  # type: ignore[arg-type]
    rate_limits = RateLimits(counters, limits, clock=Clock(), secret=bytes(32))
    for number in range(50):
        missed(rate_limits, f"2001:db8:1:{number:x}::1")
    assert counters.opened["miss"] == 5 * 3
    assert counters.opened["load"] == (5 if "loads_a_minute_per_network" in settings else 50)


def _empty(request: Request, address: str) -> Response:
    return Response()


class RecordingCounters(MappedFileCounters):
    """How many counts of each kind there are."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.opened: Counter[str] = Counter()

    def charge(self, charges, now):  # type: ignore[no-untyped-def]
        charged = super().charge(charges, now)
        self.opened.update(one.charge.key.partition("/")[0] for one in charged)
        return charged
