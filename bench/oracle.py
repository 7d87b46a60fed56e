"""Does the uniform 404 take the same time whatever its cause?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient

from bench.common import Bench, app_of, say
from bench.report import Row
from saver import seal
from saver.seal import Keys, Seal
from saver.texts import NewText

_TRIALS = 1_000
_WITH_PASSWORD = 40
# Anybody may load it; status needs the owner's token.
_OPEN = "open, 1 MB"


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part: the slowest cause against the quickest, by medians of interleaved trials."""
    folder = bench.copy(bench.full(), "oracle")
    client, codes = _causes(folder)
    trials = _TRIALS // 10 if bench.quick else _TRIALS
    spreads: dict[str, list[float]] = {
        "without a password": [],
        "with a password": [],
        "of status with a wrong token": [],
    }
    for turn in range(bench.rounds):
        say(f"oracle, round {turn + 1} of {bench.rounds}")
        ask = partial(_spread, client)
        hidden = {cause: code for cause, code in codes.items() if cause != _OPEN}
        spreads["without a password"].append(ask("load", hidden, {}, trials))
        spreads["with a password"].append(ask("load", hidden, {"password": "wrong"}, _WITH_PASSWORD))
        wrong = {"owner_token": seal.encode(bytes(16))}
        spreads["of status with a wrong token"].append(ask("status", codes, wrong, trials))
    for what, measured in spreads.items():
        causes = codes if "token" in what else hidden
        note = f"slowest / quickest of {len(causes)} causes: {', '.join(causes)}"
        yield Row(f"the uniform 404 {what}", measured, "<= 1.05", note=note)


def _causes(folder: Path) -> tuple[FlaskClient, dict[str, str]]:
    app = app_of(
        folder, misses_a_minute=0, misses_an_hour=0, misses_a_day=0, misses_a_day_in_all=0, loads_a_minute=0
    )
    store = app.extensions["saver"].store
    keys = Keys(bytes(32), bytes(32))

    def sealed(size: int) -> str:
        jwe = seal.encrypt("x" * size, Seal(bytes(16)), keys, bytes(12))
        return str(store.save(NewText(jwe, 86_400, proof=keys.proof)).code)

    def claimed(text: str) -> str:
        lease = store.save(NewText(text, 86_400, once=True))
        store.load(lease.code, claim="8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001")
        return str(lease.code)

    deleted = store.save(NewText("x", 600))
    store.delete(deleted.code, deleted.owner_token)
    codes = {
        "free": "qqqq",
        "sealed": sealed(1_000),
        "sealed, 1 MB": sealed(1_000_000),
        "deleted": str(deleted.code),
        "claimed": claimed("x"),
        "claimed, 1 MB": claimed("x" * 1_000_000),
        _OPEN: str(store.save(NewText("x" * 1_000_000, 86_400)).code),
    }
    return app.test_client(), codes


def _spread(
    client: FlaskClient, route: str, codes: dict[str, str], fields: dict[str, str], trials: int
) -> float:
    took: dict[str, list[float]] = {cause: [] for cause in codes}
    for trial in range(trials + trials // 10):
        for cause, code in codes.items():
            started = time.perf_counter()
            answer = client.post(f"/api/v1/{route}", json={"code": code, **fields})
            if trial >= trials // 10:
                took[cause].append(time.perf_counter() - started)
            assert answer.status_code == 404
    medians = [statistics.median(durations) for durations in took.values()]
    return max(medians) / min(medians)
