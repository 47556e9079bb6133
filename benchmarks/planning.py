"""Planning reminders: against the bare statement that writes the same rows, and among many lots that are not due."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from alerts.planning import reminders
from benchmarks import databases
from benchmarks.bare import check_same
from benchmarks.members import programme, with_addresses, with_due_lots, with_lots
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared
from benchmarks.scale import LOTS_OF_A_MEMBER, SMALLER
from benchmarks.telling import LIFE, TOLD_BEFORE, remind
from ledger.models import Programme

# The same columns, checks, indexes and foreign key. The rows are those that were planned, so nothing is worked out.
_SAME_SHAPE = """
CREATE TABLE bench_reminder (LIKE alerts_reminder INCLUDING ALL);
ALTER TABLE bench_reminder ADD FOREIGN KEY (account_id) REFERENCES ledger_account DEFERRABLE INITIALLY DEFERRED"""
_COLUMNS = (
    "programme_id, account_id, expires_at, expires_on, offset_days, due_at, points_planned, planned_at, fanned_out_at"
)
_BARE = f"INSERT INTO bench_reminder ({_COLUMNS}) SELECT {_COLUMNS} FROM alerts_reminder ORDER BY id"  # noqa: S608


def measure(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """plan: each round plans for all accounts, repeats that by the bare statement, and empties both tables."""
    size = plan.size("plan")
    now = datetime.now(UTC)
    pairs = []
    with databases.copy_of_blank("bench_plan") as database:
        _fill(programme("plan"), due=size, others=0, now=now)
        with databases.connect(database) as plain:
            plain.execute(_SAME_SHAPE)
        databases.settle(database)
        databases.use(database)
        for _ in plan.each(plan.bulk_rounds, "plan"):
            planned, seconds = _plan(now, expected=size)
            rows, bare_seconds = _repeat(database)
            check_same(planned, rows)
            _forget(database, "alerts_reminder, bench_reminder")
            pairs.append((planned / seconds, rows / bare_seconds))
            say(f"  plan {pairs[-1][0]:,.0f}/s, bare {pairs[-1][1]:,.0f}/s")
    return [compared("plan", size, pairs, "/s")]


def measure_big(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """plan_big: in both databases the same number is due; in one there are a hundred times as many lots."""
    size = plan.size("plan_big")
    due = size // SMALLER // 2  # each of them has a lot that is due, and one that stays
    now = datetime.now(UTC)
    pairs = []
    with databases.copy_of_blank("bench_plan_big") as big, databases.copy_of_blank("bench_plan_small") as small:
        for database, lots in ((big, size), (small, size // SMALLER)):
            say(f"plan_big: filling a database with {lots:,} lots, {due:,} of them due")
            databases.use(database)
            _fill(programme("plan"), due=due, others=(lots - 2 * due) // LOTS_OF_A_MEMBER, now=now)
            databases.settle(database)
        for number in plan.each(plan.scale_rounds + 1, "plan_big"):
            took = []
            for database in (big, small):
                databases.use(database)
                took.append(_plan(now, expected=due)[1] * 1000)
                _forget(database, "alerts_reminder")
            if number > 1:  # in the first, pages are read and connections made
                pairs.append((took[0], took[1]))
                say(f"  big {took[0]:,.0f} ms, small {took[1]:,.0f} ms")
    note = f"{due:,} reminders planned on both sides, each time into an empty table"
    return [compared("plan_big", size, pairs, "ms", note=note)]


def _fill(of: Programme, *, due: int, others: int, now: datetime) -> None:
    """Accounts with an address: so many with a lot that is to be told of, and others with lots far from their dates."""
    remind(of)
    with_addresses(
        with_due_lots(of, copies=due, granted=now - LIFE, due=now + TOLD_BEFORE - timedelta(days=1)), now=now
    )
    if others:
        with_addresses(with_lots(of, copies=others, lots=[1_000] * LOTS_OF_A_MEMBER, now=now), now=now)


def _plan(now: datetime, *, expected: int) -> tuple[int, float]:
    """Reminders, and seconds."""
    started = time.monotonic()
    planned = reminders.plan(now=now, limit=10 * expected)
    seconds = time.monotonic() - started
    if planned != expected:
        raise AssertionError(f"{planned} reminders were planned, not {expected}")
    return planned, seconds


def _repeat(database: str) -> tuple[int, float]:
    with databases.connect(database) as plain:
        started = time.monotonic()
        rows = plain.execute(_BARE).rowcount
        return rows, time.monotonic() - started


def _forget(database: str, tables: str) -> None:
    """Empty the tables, with those that look at them; triggers that refuse it are asleep."""
    with databases.connect(database) as plain:
        plain.execute("SET session_replication_role = replica")
        plain.execute(f"TRUNCATE {tables} CASCADE".encode())
