"""The time of a run: it begins in the past and moves on many days a second, so that dates come and go meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS_PER_SECOND = 4
HEADROOM = timedelta(days=2)  # between the end of a run's time and the real clock


@dataclass(frozen=True, slots=True)
class Clock:
    """The same for all processes of a run: it hangs on the machine's clock alone. Stops when the run is over."""

    began: float  # the machine's clock, in seconds, when the run began
    start: datetime  # the run's own time at that moment
    seconds: float  # how long the run takes

    @classmethod
    def starting(cls, *, now: datetime, seconds: float) -> Clock:
        return cls(time.time(), now - HEADROOM - timedelta(days=seconds * DAYS_PER_SECOND), seconds)

    @property
    def passed(self) -> float:
        """Seconds of the run so far, at most all of them."""
        return min(max(time.time() - self.began, 0.0), self.seconds)

    @property
    def is_over(self) -> bool:
        return self.passed >= self.seconds

    def now(self) -> datetime:
        return self.at(self.passed)

    def at(self, passed: float) -> datetime:
        return self.start + timedelta(days=passed * DAYS_PER_SECOND)
