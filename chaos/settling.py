"""After the storm: the ticks run and the clock leaps to what is due next, until nothing is; then weeks pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils.module_loading import import_string

from chaos.clock import Clock
from config.celery import CLOCK

LEFT_OUT = ("audit", "seal")  # ticks that send nothing; the audit comes at the end, and whole
TOGETHER = timedelta(minutes=1)  # what is due within so long is waited for at once
MOST_ROUNDS = 2_000
QUIET_ROUNDS = 3  # so many rounds in which nothing happened: nothing will
WEEK = timedelta(days=7)

# What waits, and for when: a delivery in a worker's hands for the end of its lease. A row whose time has come and that
# no tick touches waits for a person.
_NEXT = """
SELECT min(due) FROM (
  SELECT coalesce(lease_until, next_attempt_at) AS due FROM alerts_delivery
   WHERE status IN ('pending', 'claimed', 'sending', 'unknown')
  UNION ALL SELECT open_until FROM alerts_transport) waiting
 WHERE due > %s"""
_LEFT = "SELECT count(*) FROM alerts_delivery WHERE status IN ('pending', 'claimed', 'sending')"
_STATE = """
SELECT (SELECT count(*) FROM alerts_reminder), (SELECT count(*) FROM alerts_attempt),
       (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM alerts_delivery WHERE noticed_at IS NOT NULL),
       (SELECT array_agg((status, number)::text ORDER BY status)
          FROM (SELECT status, count(*) AS number FROM alerts_delivery GROUP BY status) states)"""


class NeverSettles(Exception):
    """The ticks find something to do for ever."""


def settle(clock: Clock, *, heed: Callable[[], None]) -> int:
    """Run all ticks until nothing is due, now or later; returns the number of rounds. Raises NeverSettles."""
    before: tuple | None = None
    quiet = 0
    for rounds in range(MOST_ROUNDS):
        heed()
        tick()
        state = _one_row(_STATE)
        quiet = quiet + 1 if state == before else 0
        before = state
        if quiet:
            following: datetime | None = _one_row(_NEXT, clock.now())[0]
            if following is not None:
                clock.leap_to(following + TOGETHER)
                quiet = 0
            elif quiet >= QUIET_ROUNDS:
                if not _one_row(_LEFT)[0]:
                    return rounds
                clock.leap_to(clock.now() + TOGETHER)  # due, and held up by something that keeps a time of its own
    raise NeverSettles(f"after {MOST_ROUNDS} rounds at {clock.now()}")


def pass_time(clock: Clock, until: datetime, *, heed: Callable[[], None]) -> None:
    """Let weeks pass up to this moment, with all ticks in each, and settle what they brought."""
    while clock.now() < until:
        clock.leap_to(min(clock.now() + WEEK, until))
        tick()
        settle(clock, heed=heed)


def tick() -> None:
    """One round of all ticks, in this process, as the clock's own list has them."""
    for name, (task, _) in CLOCK.items():
        if name not in LEFT_OUT:
            import_string(task)()


def _one_row(sql: str, *values: datetime) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        row = cursor.fetchone()
    assert row is not None
    return tuple(str(value) if isinstance(value, list) else value for value in row)
