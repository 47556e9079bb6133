"""Which reminder is due: purely from a programme's offsets and dates. `reminders.py` says the same in SQL.

An offset is a number of days before the last day. Of several that are due only the nearest counts: whoever was
away for five days gets one message, not three.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.policies import end_of_day, start_of_day


@dataclass(frozen=True, slots=True)
class Offset:
    """A rule's offset in days before the last day, and the least number of points worth a message."""

    days: int
    least_points: int = 1


def due_on(expires_on: date, offset_days: int) -> date:
    """The day from which a reminder goes out."""
    return expires_on - timedelta(days=offset_days)


def due_at(expires_on: date, offset_days: int, zone: ZoneInfo) -> datetime:
    """The first instant of that day in the programme's zone."""
    return start_of_day(due_on(expires_on, offset_days), zone)


def due_offset(offsets: Iterable[Offset], *, today: date, expires_on: date, points: int) -> int | None:
    """The nearest offset that is due today for this many points; None: there is none."""
    due = [o.days for o in offsets if due_on(expires_on, o.days) <= today and o.least_points <= points]
    return min(due, default=None)


def horizon(offsets: Iterable[Offset], *, today: date, zone: ZoneInfo) -> datetime | None:
    """The last instant of expiry for which any offset can be due today; None without offsets."""
    widest = max((offset.days for offset in offsets), default=None)
    return None if widest is None else end_of_day(today + timedelta(days=widest), zone)
