"""Bringing a feed in, against the bare statements that write the same rows."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import databases
from benchmarks.bare import Bare, check_same
from benchmarks.crowd import Crowd, Seat
from benchmarks.members import programme
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared
from ledger.feed import COLUMNS, Feed
from ledger.imports import Import, Rejected
from ledger.models import Programme

GRANTS_OF_A_MEMBER = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """One round of an import: applied rows, seconds, and the memory of its process then, in megabytes."""

    rows: int
    seconds: float
    memory: float


def measure(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """A feed in as many parts as there are rounds; each part is then written again by bare statements."""
    size = plan.size("import")
    of_a_round = size // plan.bulk_rounds
    pairs, memory = [], []
    with databases.copy_of_blank("bench_import", with_bare=True) as database, tempfile.TemporaryDirectory() as folder:
        of = programme("import")
        bare = Bare(database, of.pk, expiries=False)
        bare.begin()
        databases.settle(database)
        databases.use(database)
        with Crowd(1) as crowd:
            for number in plan.each(plan.bulk_rounds, "import"):
                path = Path(folder) / f"part-{number}.csv"
                _write_feed(path, first=(number - 1) * of_a_round, rows=of_a_round, members=size // GRANTS_OF_A_MEMBER)
                crowd.begin(bring_in, database=database, programme_id=of.pk, path=path)
                (imported,) = crowd.end()
                rows, seconds = bare.repeat()
                check_same(imported.rows, rows)
                pairs.append((rows / imported.seconds, rows / seconds))
                memory.append(imported.memory)
                say(f"  import {pairs[-1][0]:,.0f}/s, bare {pairs[-1][1]:,.0f}/s, memory {imported.memory:.0f} MB")
        check_same(0, bare.differences())
    note = f"the importing process had {memory[0]:.0f} MB after the first round and {memory[-1]:.0f} MB after the last"
    return [compared("import", size, pairs, "/s", note=note)]


def bring_in(seat: Seat, *, database: str, programme_id: int, path: Path) -> Imported:
    """A job: import a file as the command `import_feed` does."""
    databases.use(database)
    of = Programme.objects.get(pk=programme_id)
    started = time.monotonic()
    with open(path, encoding="utf-8", newline="") as file:
        work = Import(of, datetime.now(UTC), _refuse)
        for _ in work.run(Feed(file, of.tz)):
            pass
    return Imported(work.tally.applied, time.monotonic() - started, _memory())


def _refuse(rejected: Rejected) -> None:
    raise AssertionError(f"a row of the benchmark's own feed was rejected: {rejected}")


def _write_feed(path: Path, *, first: int, rows: int, members: int) -> None:
    """Purchases of members in turn, a second apart, in the past."""
    begun = datetime(2024, 1, 1)  # noqa: DTZ001 -- a feed tells local time
    with open(path, "w", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        write.writerow(COLUMNS)
        for number in range(first, first + rows):
            then = begun + timedelta(seconds=number)
            amount = f"{number % 90 + 10}.50"
            write.writerow(
                [then, f"event-{number}", "purchase", f"member-{number * 7919 % members}", "KR", amount, "", ""]
            )


def _memory() -> float:
    """Resident megabytes of this process now; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if statm.exists() else 0.0
