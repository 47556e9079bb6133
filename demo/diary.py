"""A diary: things to do at their times. What is done may add more; all of it happens in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Deed = Callable[[datetime], object]


class Diary:
    def __init__(self) -> None:
        self._pages: list[tuple[datetime, int, Deed]] = []
        self._order = count()

    def add(self, at: datetime, deed: Deed) -> None:
        """`deed` is done at `at`, and is given that time."""
        heapq.heappush(self._pages, (at, next(self._order), deed))

    def live(self, until: datetime) -> int:
        """Do everything up to `until`, one after the other; returns how much that was."""
        done = 0
        while self._pages and self._pages[0][0] <= until:
            at, _, deed = heapq.heappop(self._pages)
            deed(at)
            done += 1
        return done
