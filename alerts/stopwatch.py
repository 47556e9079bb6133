"""The time within one tick: what the edge said it is, plus what has passed since. Nothing here reads the date."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class Stopwatch:
    """Started with the edge's `now`; a tick that sends messages lasts long enough for the difference to matter."""

    def __init__(self, now: datetime) -> None:
        self._began = now
        self._started = time.monotonic()

    @property
    def spent(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._started)

    @property
    def now(self) -> datetime:
        return self._began + self.spent
