"""The time of a run: it begins in the past, goes as fast as the real one, and is put forward when nothing is due.

The ledger refuses acts of the future, and points live for weeks: a run that wants to see them go must begin long ago.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

VARIABLE = "CHAOS_CLOCK"  # how far behind the real clock the processes of a run are, in seconds


@dataclass(slots=True)
class Clock:
    """Behind the machine's clock by so much; less after each leap, never ahead of it."""

    behind: timedelta

    @classmethod
    def of_environment(cls) -> Clock:
        return cls(timedelta(seconds=float(os.environ.get(VARIABLE, "0"))))

    @property
    def as_text(self) -> str:
        return str(self.behind.total_seconds())

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) - self.behind

    def leap_to(self, at: datetime) -> None:
        """Put it forward to this moment; one that is past already changes nothing. Raises ValueError in the future."""
        leap = at - self.now()
        if leap > self.behind:
            raise ValueError("the clock of a run cannot be put ahead of the machine's")
        self.behind -= max(leap, timedelta(0))


def install(clock: Clock) -> None:
    """From now on the edges of this process read this clock: all of them ask Django's."""
    timezone.now = clock.now
