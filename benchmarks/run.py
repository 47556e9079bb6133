"""Measure the rows of the table, or the chosen ones: python -m benchmarks.run [ROW ...], on the server of DATABASE_URL.

Writes benchmarks/RESULTS.md and benchmarks/results.json. A run of chosen rows is no whole: it writes below
.data/bench-results instead. FULL=1 in the environment measures the table's sizes, else a tenth. Exit code 0 when
measured, goals met or not; 1 when a row could not be measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.report import read_findings, text
from benchmarks.results import GOAL, Failed, Measured, as_json, verdict

HERE = Path(__file__).parent
OF_CHOSEN_ROWS = Path(".data/bench-results")
Measure = Callable[[Plan, Sequence[str]], Sequence[Measured]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure the ledger.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(GOAL)} (default: all)")
    chosen = parser.parse_args().rows or list(GOAL)
    unknown = [name for name in chosen if name not in GOAL]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; the rows are {', '.join(GOAL)}")
    plan = Plan(full=os.environ.get("FULL", "") not in ("", "0"))
    rows, facts = _measure(plan, chosen)
    folder = HERE if set(chosen) == set(GOAL) else OF_CHOSEN_ROWS
    _write(folder, plan, rows, facts)
    for row in rows:
        figure = (
            f"{row.ratio:.3f} ({min(row.ratios):.3f} to {max(row.ratios):.3f})" if isinstance(row, Measured) else ""
        )
        print(f"{row.name:14} {verdict(row):12} {figure}")
    return 1 if any(isinstance(row, Failed) for row in rows) else 0


def _measure(plan: Plan, chosen: Sequence[str]) -> tuple[list[Measured | Failed], dict[str, str]]:
    """All chosen rows; one that cannot be measured does not take the others down."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("SECRET_KEY", "of databases that live for minutes")
    django.setup()
    from benchmarks import databases, machine, tpcb

    groups = _groups()  # with all that they import
    gc.freeze()  # as the workers and the web's processes do once they are loaded
    databases.drop_leftovers()
    say("migrating a database, and filling that of TPC-B")
    databases.make_blank()
    tpcb.prepare()
    rows: list[Measured | Failed] = []
    try:
        for names, measure in groups:
            wanted = [name for name in names if name in chosen]
            if wanted:
                rows += _attempt(measure, plan, wanted)
        return rows, machine.facts()
    finally:
        databases.drop_leftovers()


def _attempt(measure: Measure, plan: Plan, wanted: Sequence[str]) -> Sequence[Measured | Failed]:
    try:
        return measure(plan, wanted)
    except Exception as error:  # whatever it is: the other rows are still worth measuring
        traceback.print_exc()
        said = str(error).strip().splitlines()
        reason = ": ".join([type(error).__name__, *said[-1:]])
        return [Failed(name, plan.size(name), reason) for name in wanted]


def _groups() -> list[tuple[Sequence[str], Measure]]:
    """Rows that are measured together, and what measures them. They need Django to be set up."""
    from benchmarks import bringing_in, dispatching, peers, planning, scale, single_acts, sweeping

    return [
        (("redeem", "redeem_db_cpu", "grant"), single_acts.measure),
        (("hot_batch",), single_acts.measure_hot_batch),
        (("import",), bringing_in.measure),
        (("sweep", "sweep_p99"), sweeping.measure),
        (("long_history",), scale.measure_long_history),
        (("many_lots",), scale.measure_many_lots),
        (("big_table",), scale.measure_big_table),
        (("plan",), planning.measure),
        (("plan_big",), planning.measure_big),
        (("smtp",), dispatching.measure_smtp),
        (("http",), dispatching.measure_http),
        (("peers",), peers.measure),
    ]


def _write(folder: Path, plan: Plan, rows: Sequence[Measured | Failed], facts: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    findings = read_findings((HERE / "findings.md").read_text(encoding="utf-8"))
    report = text(rows, full=plan.full, at=datetime.now(UTC), facts=facts, findings=findings)
    (folder / "RESULTS.md").write_text(report, encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(as_json(rows), indent=1) + "\n", encoding="utf-8")
    say(f"written: {folder.name}/RESULTS.md and {folder.name}/results.json")


if __name__ == "__main__":
    sys.exit(main())
