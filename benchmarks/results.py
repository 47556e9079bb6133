"""What is claimed and what came out: goals, ratios, verdicts, and the rows of results.json. Pure.

A figure is the median of the ratios of short rounds. In each round both sides are measured one after the other, so
that what a noisy machine does to one of them it mostly does to the other, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TypedDict

AT_LEAST, AT_MOST = "at_least", "at_most"
LEAST_ROUNDS = 5
TENTH = 10  # how many times smaller the default sizes are


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table. `size` is that of a full run; `fails` is where missing the goal becomes a failure.

    `fixed`: a size that is what is measured, not how much of it, and so is the same in every run.
    """

    name: str
    what: str
    size: int
    goal: float
    direction: str
    fails: float | None = None
    fixed: bool = False

    def size_of(self, *, full: bool) -> int:
        return self.size if full or self.fixed else self.size // TENTH

    def is_met_by(self, ratio: float) -> bool:
        return ratio >= self.goal if self.direction == AT_LEAST else ratio <= self.goal

    def fails_at(self, ratio: float) -> bool:
        if self.fails is None:
            return False
        return ratio < self.fails if self.direction == AT_LEAST else ratio > self.fails


GOALS = [
    Goal("redeem", "redemptions per second, 8 connections, accounts spread, to TPC-B's", 100_000, 0.5, AT_LEAST, 0.25),
    Goal("redeem_db_cpu", "the database's processor time per redemption to TPC-B's", 100_000, 1.5, AT_MOST, 3),
    Goal("grant", "grants per second, as above, to TPC-B's", 100_000, 0.6, AT_LEAST),
    Goal("hot_batch", "redemptions of one account, 50 per call to one at a time", 50, 10, AT_LEAST, fixed=True),
    Goal("import", "grants of a feed per second to the bare statements", 1_000_000, 0.5, AT_LEAST),
    Goal("sweep", "due lots swept per second while redemptions run, to the bare statements", 1_000_000, 0.5, AT_LEAST),
    Goal("sweep_p99", "redeem's p99 during that sweep to without", 1_000_000, 3, AT_MOST),
    Goal("long_history", "a redemption after that many entries to one of a fresh account", 100_000, 1.1, AT_MOST),
    Goal("many_lots", "a redemption beside that many open lots to one of a fresh account", 1_000, 1.5, AT_MOST),
    Goal("big_table", "a redemption among that many lots to one among a hundredth", 10_000_000, 1.3, AT_MOST),
    Goal("plan", "reminders planned per second to the bare INSERT … SELECT", 1_000_000, 0.5, AT_LEAST),
    Goal("plan_big", "planning among that many lots to planning the same among a hundredth", 10_000_000, 1.3, AT_MOST),
    Goal("smtp", "messages a worker sends per second, to a bare smtplib loop", 150, 0.6, AT_LEAST, fixed=True),
    Goal("http", "messages a worker sends per second, to a bare httpx loop", 150, 0.6, AT_LEAST, fixed=True),
    Goal("peers", "redemptions per second to the faster peer's transfers", 100_000, 5, AT_LEAST),
]
GOAL = {goal.name: goal for goal in GOALS}


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure: the ratio of each round, and the medians of both sides as they were measured, in `unit`."""

    name: str
    size: int
    ratios: Sequence[float]
    ours: float
    yardstick: float
    unit: str
    note: str = ""

    @property
    def ratio(self) -> float:
        if len(self.ratios) < LEAST_ROUNDS:
            raise ValueError(f"{self.name}: {len(self.ratios)} rounds, at least {LEAST_ROUNDS} make a figure")
        return float(median(self.ratios))


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that could not be measured, and why."""

    name: str
    size: int
    reason: str


def compared(
    name: str,
    size: int,
    pairs: Sequence[tuple[float, float]],
    unit: str,
    *,
    note: str = "",
    inverse: bool = False,
) -> Measured:
    """The figure of rounds measured as (ours, yardstick). `inverse`: of rates, when the claim is about durations."""
    ratios = [theirs / ours if inverse else ours / theirs for ours, theirs in pairs]
    ours, theirs = (float(median(side)) for side in zip(*pairs, strict=True))
    return Measured(name, size, ratios, ours, theirs, unit, note)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that so many percent of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def verdict(row: Measured | Failed) -> str:
    """met, missed, failure (so far off that it counts as one), or not measured."""
    if isinstance(row, Failed):
        return "not measured"
    goal = GOAL[row.name]
    if goal.is_met_by(row.ratio):
        return "met"
    return "failure" if goal.fails_at(row.ratio) else "missed"


class Row(TypedDict):
    """One element of results.json; a row that could not be measured has no ratio and is not met."""

    name: str
    size: int
    ratio: float | None
    goal: float
    direction: str
    met: bool


def as_json(rows: Sequence[Measured | Failed]) -> list[Row]:
    """The rows in the order of the table."""
    order = [goal.name for goal in GOALS]
    return [_row(row) for row in sorted(rows, key=lambda row: order.index(row.name))]


def _row(row: Measured | Failed) -> Row:
    goal = GOAL[row.name]
    ratio = None if isinstance(row, Failed) else round(row.ratio, 3)
    met = isinstance(row, Measured) and goal.is_met_by(row.ratio)
    return Row(name=row.name, size=row.size, ratio=ratio, goal=goal.goal, direction=goal.direction, met=met)
