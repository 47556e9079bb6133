"""The breaker of a transport: after failures in a row it is left alone for a while, then one message tries it.

So an outage costs a call now and then and no delivery's tries. A provider to which too much was sent is left alone for
as long as it asks, and tried in the same way: that is no failure. The row of a transport stands for all workers; a
switch that a person has thrown shuts it as well (`switches.py`).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from alerts.models import Transport

# So many calls in a row that came to nothing, for no fault of their messages, open the breaker; where nobody could be
# reached at all one is enough.
FAILURES = 5
# How long it stays open, longer after each try that failed; the last one repeats.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600))
# How long a provider that asks for it is left alone. Not less, or a tick would go on asking; not more than so long at
# once, whatever it says: a call now and then finds out whether it still means it.
SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Passage:
    """What may be claimed now: everything of the transports in `free`, one message of each in `tried`."""

    free: frozenset[str]
    tried: frozenset[str]


class Gate:
    """What one worker knows of the breakers in one tick; it asks the rows again at each `look`."""

    def __init__(self) -> None:
        self._tried: frozenset[str] = frozenset()
        self._troubled: set[str] = set()

    def look(self, transports: Iterable[str], *, now: datetime) -> Passage:
        """Which of these transports are open for messages at `now`. Reads only."""
        names = set(transports)
        rows = list(Transport.objects.filter(name__in=names))
        shut = {row.name for row in rows if row.stopped_at or (row.open_until and row.open_until > now)}
        self._tried = frozenset(row.name for row in rows if row.open_until and row.name not in shut)
        self._troubled = {row.name for row in rows if row.failures or row.open_until}
        return Passage(free=frozenset(names - shut - self._tried), tried=self._tried)

    def enter(self, transport: str, *, now: datetime, longest_call: timedelta) -> bool:
        """Ask just before a call: after an outage only one worker may make it. False: another one is at it.

        A worker that dies in the call leaves the breaker open until twice the longest call has passed.
        """
        if transport not in self._tried:
            return True
        row = Transport.objects.filter(name=transport, stopped_at=None, open_until__lte=now)
        return row.update(open_until=now + 2 * longest_call) == 1

    def came_through(self, transport: str) -> None:
        """The provider answered: the failures in a row are over."""
        if transport not in self._troubled:
            return  # nothing is written while all is well
        trying = transport in self._tried
        self._troubled.discard(transport)
        self._tried -= {transport}
        row = Transport.objects.filter(name=transport)
        if trying:
            row.update(failures=0, open_until=None)
        else:  # an answer from before another worker was sent away says nothing about now
            row.filter(open_until=None).exclude(failures=0).update(failures=0)

    def failed(self, transport: str, *, now: datetime, away: bool) -> datetime | None:
        """A call came to nothing; `away`: nobody could be reached at all. Until when nobody tries; None: go on."""
        trying = transport in self._tried
        self._troubled.add(transport)
        self._tried -= {transport}
        with transaction.atomic():
            row, _ = Transport.objects.select_for_update().get_or_create(name=transport)
            if row.open_until and row.open_until > now and not trying:
                return row.open_until  # of several that fail together only the first counts
            row.failures = max(row.failures + 1, FAILURES) if away or trying else row.failures + 1
            if row.failures >= FAILURES:
                row.open_until = now + _wait(row.failures - FAILURES, random.random())
            Transport.objects.filter(pk=row.pk).update(failures=row.failures, open_until=row.open_until)
        return row.open_until

    def rest(self, transport: str, *, now: datetime, wait: timedelta) -> datetime:
        """The provider answered, and takes nothing of anybody for so long; returns until when it is left alone."""
        trying = transport in self._tried
        self._tried -= {transport}
        until = now + min(max(wait, SHORTEST_REST), LONGEST_REST)
        with transaction.atomic():
            row, _ = Transport.objects.select_for_update().get_or_create(name=transport)
            if row.open_until and not trying:
                until = max(until, row.open_until)
            Transport.objects.filter(pk=row.pk).update(failures=0, open_until=until)
        return until


def _wait(times: int, jitter: float) -> timedelta:
    """`jitter` from 0 to 1 spreads it from 80 to 120 percent: hosts that saw the same outage do not try together."""
    return WAITS[min(times, len(WAITS) - 1)] * (0.8 + 0.4 * jitter)
