"""Quiet hours: when a message may next go out, worked out purely from a window and a time zone.

A window is wall-clock time, half-open: open from `opens` on, shut from `closes` on. One that closes before it opens
crosses midnight; one that closes when it opens never shuts. Summer time is not asked about in advance: an instant is
in the window if the clock on the wall then says so. So a gap that swallows the opening opens at the first instant
after it, and an hour that comes twice counts both times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# No calendar rests for longer; a programme whose every day is a holiday is a mistake that must not turn in circles.
LONGEST_REST_DAYS = 400

_A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Wall-clock times between which messages may go out: `opens` is in it, `closes` is not. Whole seconds."""

    opens: time
    closes: time

    def holds(self, wall: time) -> bool:
        """Whether the window is open when the clock on the wall says this."""
        if self.opens == self.closes:
            return True
        if self.opens < self.closes:
            return self.opens <= wall < self.closes
        return wall >= self.opens or wall < self.closes


def is_open(at: datetime, window: Window, zone: ZoneInfo, *, rests_on: Callable[[date], bool] | None = None) -> bool:
    """Whether a message may go out at this instant: inside the window, and on no day of rest in the zone."""
    local = at.astimezone(zone)
    return window.holds(local.time()) and not (rests_on and rests_on(local.date()))


def next_opening(
    at: datetime, window: Window, zone: ZoneInfo, *, rests_on: Callable[[date], bool] | None = None
) -> datetime:
    """The first instant from `at` on at which a message may go out; `at` itself when that is one.

    `at` is aware; any other answer is in UTC. `rests_on` says which local days are wholly quiet. Raises ValueError
    for an instant without a zone, and when more than LONGEST_REST_DAYS days are.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone")
    if is_open(at, window, zone, rests_on=rests_on):
        return at
    first = at.astimezone(zone).date()
    # From the day before: where a zone lies a day behind another, the first turn may have come already.
    for n in range(-1, LONGEST_REST_DAYS):
        for turn in _turns(first + timedelta(days=n), window, zone):
            if turn > at and is_open(turn, window, zone, rests_on=rests_on):
                return turn
    raise ValueError("no day is open for messages")


def _turns(day: date, window: Window, zone: ZoneInfo) -> list[datetime]:
    """The instants of a day at which a shut window can open, in order: midnight ends a rest, `opens` opens, and a
    change of the clock can put it into the window or back into it."""
    midnight, opens = datetime.combine(day, time(), zone), datetime.combine(day, window.opens, zone)
    turns = {_real(wall.replace(fold=fold)) for wall in (midnight, opens) for fold in (0, 1)}
    return sorted(turns | _changes(day, zone))


def _real(wall: datetime) -> datetime:
    """The instant of a wall-clock time; of one in a gap, which no clock shows, the instant that its offset gives."""
    return wall.astimezone(UTC)


def _changes(day: date, zone: ZoneInfo) -> set[datetime]:
    """The instants of a local day at which the zone's offset changes: mostly none."""
    low = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    high = low + timedelta(hours=56)
    before, after = _offset(low, zone), _offset(high, zone)
    if before == after:
        return set()
    while high - low > _A_SECOND:
        middle = low + timedelta(seconds=(high - low) // _A_SECOND // 2)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    # One of a day nearby is that day's own turn: here it would be told out of order.
    return {high} if high.astimezone(zone).date() == day else set()


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
