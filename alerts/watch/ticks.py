"""When a tick last began and last ended: one row each. A clock that stands still shows as an age that grows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from celery import current_app
from django.db import connection

from alerts.stopwatch import Stopwatch

# Two beats may run the same tick at once: the later beginning and the later end stand.
_BEGAN = """
INSERT INTO alerts_tick (name, began_at) VALUES (%(name)s, %(at)s)
    ON CONFLICT (name) DO UPDATE SET began_at = greatest(alerts_tick.began_at, excluded.began_at)"""
_ENDED = "UPDATE alerts_tick SET ended_at = greatest(ended_at, %(at)s) WHERE name = %(name)s"


@contextmanager
def tick(name: str, *, now: datetime) -> Iterator[None]:
    """Note that the tick begins at `now`, and when it has ended. One that fails has not ended: its last end stays."""
    watch = Stopwatch(now)
    _write(_BEGAN, name, now)
    yield
    _write(_ENDED, name, watch.now)


def periods() -> dict[str, float]:
    """The names of all ticks of the clock (the table of `config/celery.py`), with the seconds between two runs."""
    return {name: float(entry["schedule"]) for name, entry in current_app.conf.beat_schedule.items()}


def _write(statement: str, name: str, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"name": name, "at": at})
