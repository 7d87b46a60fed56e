"""What the benchmark makes of its figures: medians, ratios, goals, its JSON, and when it mistrusts itself."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from bench.report import Part, Row, Run, ratios, spread, too_busy

QUIET = [2.0, 2.05, 1.95, 2.1, 1.9]
RESTLESS = [1.0, 4.0, 2.0, 3.0, 1.5]


def run_of(*rows: Row, load: float = 0.1) -> Run:
    started = datetime.datetime(2026, 11, 29, 12, 30, tzinfo=datetime.UTC)
    return Run("SQLite 3.40.1", ["cpu"], started, load, "abc1234", [Part("cpu", rows, load, 1.2)])


def test_each_figure_is_compared_with_the_one_of_its_own_turn() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="shorter"):
        ratios([2.0, 9.0], [1.0])


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [("<= 2.0", "met"), ("<= 1.9", "MISSED"), (">= 2.0", "met"), (">= 2.1", "MISSED"), ("", "")],
)
def test_the_median_is_held_against_the_goal(goal: str, verdict: str) -> None:
    row = Row("load / bare load", [1.0, 2.0, 90.0], goal, note="details")
    assert row.median == 2.0
    assert row.cells() == ["load / bare load", goal, "2.00", "1.00 - 90.0", verdict, "details"]


@pytest.mark.parametrize(("worst", "verdict"), [(1.01, "met"), (1.0, "MISSED"), (0.5, "MISSED")])
def test_a_goal_of_every_set_is_missed_in_one(worst: float, verdict: str) -> None:
    assert Row("load: saver / peer", [2.0, worst, 2.0], "> 1 in every set").verdict == verdict


def test_what_could_not_be_measured_has_neither_figure_nor_verdict() -> None:
    assert Row("instructions", (), "<= 2", note="why").cells() == ["instructions", "<= 2", "", "", "", "why"]


def test_the_spread_is_that_of_the_middle_half() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0, 100.0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("load", "row", "reason"),
    [
        (0.9, Row("load", QUIET, "<= 2.0"), ""),
        (0.9, Row("a figure without a goal", RESTLESS), ""),
        (0.9, Row("too few sets to know", RESTLESS[:3], "<= 2.0"), ""),
        (0.9, Row("load", (), "<= 2.0", max_when_quiet=1.25), ""),
        (0.9, Row("wall time", [1.0, 1.2, 3.0], max_when_quiet=1.25), ""),
        (1.1, Row("load", QUIET, "<= 2.0"), "The load average was 1.1 on 2 cores before the run."),
        (0.9, Row("load", RESTLESS, "<= 2.0"), "load: the middle half of its sets spreads over 75%"),
        (0.9, Row("wall time", [1.0, 1.3, 3.0], max_when_quiet=1.25), "wall time: 1.30; without other"),
    ],
)
def test_a_machine_that_was_too_busy_is_named(load: float, row: Row, reason: str) -> None:
    reasons = too_busy(load, 2, [row])
    assert len(reasons) == bool(reason)
    assert reason in "".join(reasons)


def test_the_table_says_first_whether_the_figures_mean_anything() -> None:
    assert "THE MACHINE WAS TOO BUSY" in run_of(Row("load", RESTLESS, "<= 2.0")).table()
    quiet = run_of(Row("load", QUIET, "<= 2.0", "us")).table()
    assert quiet.startswith("2026-11-29 12:30 UTC, abc1234, ")
    assert "The machine was quiet enough." in quiet
    assert quiet.splitlines()[-1].split("|")[1:-1] == [
        " load ", " <= 2.0 ", " 2.00 us ", " 1.90 - 2.10 ", " met ", "         ", " 0.1 - 1.2    "
    ]  # fmt: skip


def test_the_file_has_the_figure_of_every_set(tmp_path: Path) -> None:
    run = run_of(Row("load", RESTLESS, "<= 2.0"), load=99.0)
    path = run.save(tmp_path / "results")
    assert path.name == "20261129T123000Z-cpu.json"
    saved = json.loads(path.read_text())
    row = saved["parts"][0]["rows"][0]
    assert (row["figures"], row["median"], row["verdict"]) == (RESTLESS, 2.0, "met")
    assert (saved["commit"], saved["arguments"], saved["started"][:16]) == (
        "abc1234",
        ["cpu"],
        "2026-11-29T12:30",
    )
    assert saved["machine"]["engine"] == "SQLite 3.40.1"
    assert saved["machine"]["load_average_before"] == 99.0
    assert saved["parts"][0]["load_average"] == [99.0, 1.2]
    assert saved["too_busy"] == run.too_busy
    assert len(saved["too_busy"]) == 2
