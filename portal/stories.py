"""An entry with the facts around it that its explanation needs. Looks at no table; `history.py` fills it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ledger.models import Entry
from portal import words


@dataclass(frozen=True, slots=True)
class Moved:
    """Points whose last day moved; of a postponed promise, the first day to use them as well."""

    points: int
    was: date | None
    until: date | None
    usable_was: date | None = None
    usable_from: date | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Points that a grant brought: their origin, their last day as given then and as it is now, their first day."""

    origin: str
    until: date | None
    now: date | None
    usable_from: date | None = None  # where they could not be used at once


@dataclass(frozen=True, slots=True)
class Returned:
    """Points that came back, and the last day to use them; None: they do not expire."""

    points: int
    until: date | None


@dataclass(frozen=True, slots=True)
class Ending:
    """A closure that was asked for: its last day, and the points that were told to go with it."""

    last_day: date
    points: int


@dataclass(frozen=True, slots=True)
class Story:
    """An entry, and what it needs to be told."""

    entry: Entry
    zone: ZoneInfo
    unit: str
    given: Given | None = None
    moved: Sequence[Moved] = ()
    returned: Sequence[Returned] = ()
    lapses_at: datetime | None = None  # of a hold
    ending: Ending | None = None  # of a closure

    def points(self, number: int) -> str:
        return words.points(abs(number), self.unit)

    @property
    def withdraws(self) -> bool:
        """Whether the entry takes back an earlier one of its own kind."""
        return self.entry.undoes_seq is not None
