"""RESULTS.md: machine, versions, commands, the table, and what is known where a goal is missed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from benchmarks.results import AT_LEAST, GOAL, GOALS, Failed, Measured, verdict

HEADER = """\
| name | what | size | ours | yardstick | ratio | rounds | goal | verdict |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- |"""
METHOD = """\
Every figure is a ratio measured in one run on one embedded server, which waits for the disk (fsync and
synchronous_commit on). Its sides take turns in short rounds; the ratio is the median of the rounds' ratios, and the
column “rounds” shows how many there were, with the least and the greatest ratio. “Ours” and “yardstick” are medians
of what was measured, to give an idea of the scale: an hour later they are others; the ratios stay.

The yardstick for single acts is TPC-B (`pgbench -i -s 10`, then `pgbench -n -M prepared -s 10 -c 8 -j 2`). For bulk
paths it is the bare statements that write the same rows, a thousand to a transaction, into tables migrated the same
way: with the same columns, indexes, checks, foreign keys and triggers. Processor time comes from /proc: of all
processes of the server, so that background work counts for both sides."""


def text(
    rows: Sequence[Measured | Failed],
    *,
    full: bool,
    at: datetime,
    facts: Mapping[str, str],
    findings: Mapping[str, str],
) -> str:
    """The whole document. `facts` are lines about machine and versions, `findings` what is known of rows by name."""
    order = [goal.name for goal in GOALS]
    rows = sorted(rows, key=lambda row: order.index(row.name))
    command = "make bench FULL=1" if full else "make bench"
    sizes = "those of the table" if full else "a tenth of the table’s"
    parts = [
        "# Results of the benchmarks",
        f"Written by `{command}` on {at:%d %B %Y}. Sizes are {sizes}.",
        METHOD,
        "## Machine and versions",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        "## Figures",
        "\n".join([HEADER, *map(_line, rows)]),
    ]
    notes = [f"- {row.name}: {row.note}" for row in rows if isinstance(row, Measured) and row.note]
    if notes:
        parts.append("\n".join(notes))
    parts += _misses(rows, findings)
    return "\n\n".join(parts) + "\n"


def _line(row: Measured | Failed) -> str:
    goal = GOAL[row.name]
    words = "at least" if goal.direction == AT_LEAST else "at most"
    wanted = f"{words} {_number(goal.goal)}"
    if isinstance(row, Failed):
        cells = [row.name, goal.what, f"{row.size:,}", "", "", "", "", wanted, verdict(row)]
    else:
        spread = f"{len(row.ratios)}: {min(row.ratios):.2f} to {max(row.ratios):.2f}"
        ours, theirs = (f"{_number(value)} {row.unit}" for value in (row.ours, row.yardstick))
        cells = [
            row.name,
            goal.what,
            f"{row.size:,}",
            ours,
            theirs,
            f"**{row.ratio:.2f}**",
            spread,
            wanted,
            verdict(row),
        ]
    return "| " + " | ".join(cells) + " |"


def _misses(rows: Sequence[Measured | Failed], findings: Mapping[str, str]) -> list[str]:
    missed = [row for row in rows if verdict(row) != "met"]
    if not missed:
        return []
    parts = ["## Where a goal is missed"]
    for row in missed:
        found = [f"Could not be measured: {row.reason}"] if isinstance(row, Failed) else []
        found += [findings[row.name]] if row.name in findings else []
        parts += [f"### {row.name}", *(found or ["Not looked into yet."])]
    return parts


def read_findings(markdown: str) -> dict[str, str]:
    """The sections of findings.md by their `## name`; a name that is no row's is refused with ValueError."""
    found = {}
    for section in f"\n{markdown}".split("\n## ")[1:]:
        name, _, body = section.partition("\n")
        if name.strip() not in GOAL:
            raise ValueError(f"findings.md has a section {name.strip()!r}, which is the name of no row")
        found[name.strip()] = body.strip()
    return found


def _number(value: float) -> str:
    """Three digits that count: 5,230 and 0.0123."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
