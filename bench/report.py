"""The results of a run: rows of figures, one JSON file for each run, and whether the machine was quiet."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_HEAD = ("what", "goal", "median", "min - max", "", "details")
# Above these a ratio says as much about other programs as about the two sides of it.
_MAX_SPREAD = 0.25
_MIN_SETS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``figures`` has one for each set, ``goal`` is empty where there is none."""

    what: str
    figures: Sequence[float]
    goal: str = ""
    unit: str = ""
    note: str = ""
    # What else is known of each set; only the file has it.
    sets: Sequence[Mapping[str, float]] = ()
    # With a larger median other programs had the processor too often.
    max_when_quiet: float | None = None

    @property
    def median(self) -> float | None:
        """None if nothing could be measured."""
        return statistics.median(self.figures) if self.figures else None

    @property
    def verdict(self) -> str:
        """Whether the median meets the goal, or every set a goal with ">"; empty without a goal."""
        if not self.goal or self.median is None:
            return ""
        relation, limit = self.goal.split()[0], float(self.goal.split()[1])
        met = {
            ">=": self.median >= limit,
            "<=": self.median <= limit,
            ">": min(self.figures) > limit,
        }
        return "met" if met[relation] else "MISSED"

    def cells(self) -> list[str]:
        """The line as it is printed."""
        if self.median is None:
            return [self.what, self.goal, "", "", "", self.note]
        figures = self.figures
        span = f"{_short(min(figures))} - {_short(max(figures))}" if len(figures) > 1 else ""
        return [
            self.what,
            self.goal,
            f"{_short(self.median)} {self.unit}".strip(),
            span,
            self.verdict,
            self.note,
        ]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one part, and the load average before and after it."""

    name: str
    rows: Sequence[Row]
    load_before: float
    load_after: float


@dataclass(slots=True)
class Run:
    """One run: when, of which commit, on what machine; its parts come while it lasts."""

    engine: str
    arguments: Sequence[str]
    started: datetime.datetime
    load_before: float
    commit: str
    parts: list[Part] = field(default_factory=list)

    @property
    def too_busy(self) -> list[str]:
        """Why the figures mean little; empty if the machine was quiet enough."""
        rows = [row for part in self.parts for row in part.rows]
        return too_busy(self.load_before, os.cpu_count() or 1, rows)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the figure of each set."""
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "commit": self.commit,
            "arguments": list(self.arguments),
            "machine": {
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "engine": self.engine,
                "load_average_before": self.load_before,
            },
            "too_busy": self.too_busy,
            "parts": [
                {
                    "part": part.name,
                    "load_average": [part.load_before, part.load_after],
                    "rows": [
                        {**asdict(row), "median": row.median, "verdict": row.verdict} for row in part.rows
                    ],
                }
                for part in self.parts
            ],
        }

    def save(self, folder: Path) -> Path:
        """Write the JSON into a new file of a folder, which is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        names = "-".join(part.name for part in self.parts)
        path = folder / f"{self.started:%Y%m%dT%H%M%SZ}-{names}.json"
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n")
        return path

    def table(self) -> str:
        """The table in Markdown, below what it was measured on and how much it can be trusted."""
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {self.engine}"
        lines: list[tuple[str, ...]] = [(*_HEAD, "load average")]
        for part in self.parts:
            load = f"{part.load_before:.1f} - {part.load_after:.1f}"
            lines += [(*row.cells(), load) for row in part.rows]
        trust = "The machine was quiet enough."
        if reasons := self.too_busy:
            trust = "\n".join(["THE MACHINE WAS TOO BUSY for these figures to mean much:", *reasons])
        head = f"{self.started:%Y-%m-%d %H:%M} UTC, {self.commit}, {machine}"
        return f"{head}\n{trust}\n\n{_markdown(lines)}"


def start(engine: str, arguments: Sequence[str], root: Path) -> Run:
    """A run that begins now, of the commit that is checked out at ``root``."""
    return Run(engine, arguments, datetime.datetime.now(datetime.UTC), os.getloadavg()[0], _commit(root))


def spread(figures: Sequence[float]) -> float:
    """The interquartile range as a share of the median: half of all sets lie within it."""
    low, middle, high = statistics.quantiles(figures, n=4, method="inclusive")
    return (high - low) / middle


def ratios(figures: Sequence[float], others: Sequence[float]) -> list[float]:
    """Each figure against the one of the same turn."""
    return [figure / other for figure, other in zip(figures, others, strict=True)]


def too_busy(load: float, cores: int, rows: Sequence[Row]) -> list[str]:
    """A sentence for each sign that other programs disturbed the run; ``load`` is from before it."""
    reasons = []
    if load > cores / 2:
        reasons.append(f"- The load average was {load:.1f} on {cores} cores before the run.")
    for row in rows:
        if row.max_when_quiet is not None and row.median is not None and row.median > row.max_when_quiet:
            reasons.append(f"- {row.what}: {row.median:.2f}; without other programs about 1.")
        if row.goal and len(row.figures) >= _MIN_SETS and spread(row.figures) > _MAX_SPREAD:
            share = f"{spread(row.figures):.0%}"
            reasons.append(f"- {row.what}: the middle half of its sets spreads over {share} of the median.")
    return reasons


def _commit(root: Path) -> str:
    """The commit, with a plus if files have been changed since; "unknown" without git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--exclude=*", "--dirty=+"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def _markdown(lines: list[tuple[str, ...]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _short(figure: float) -> str:
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"
