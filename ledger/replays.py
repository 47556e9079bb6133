"""Replaying a feed: what would every account hold on a given day, had this programme run from the first row on?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ledger.expiry import sweep_all
from ledger.feed import FeedRow, Line
from ledger.imports import CHUNK, Import
from ledger.policies import start_of_day


def is_in_order(lines: Iterable[Line]) -> bool:
    """Whether the usable rows are in the order of time."""
    last: datetime | None = None
    for line in lines:
        if isinstance(line.outcome, FeedRow):
            if last and line.outcome.occurred_at < last:
                return False
            last = line.outcome.occurred_at
    return True


@dataclass(slots=True)
class Replay:
    """A feed applied row by row with each row's own time as now, and swept as the days pass."""

    work: Import
    as_of: datetime  # rows at or after this instant are not applied
    in_order: bool  # the rows are in the order of time: then the days can be swept as they pass

    def run(self, lines: Iterable[Line]) -> Iterator[int]:
        """Apply the rows before `as_of`, then sweep; yields how many lines were gone through each time.

        Out of order, a sweep at a row's day would come before earlier rows of other accounts. What expires is then
        written by catch-up, at each account's own rows, and by the sweep at the end; the numbers are the same.
        """
        swept: date | None = None
        for day, batch, seen in self._batches(lines):
            if self.in_order and day and (swept is None or day > swept):
                sweep_all(now=start_of_day(day, self.work.programme.tz), programme_id=self.work.programme.pk)
                swept = day
            for _ in self.work.run(batch):
                pass
            yield seen
        sweep_all(now=self.as_of, programme_id=self.work.programme.pk)

    def _batches(self, lines: Iterable[Line]) -> Iterator[tuple[date | None, list[Line], int]]:
        """Lines to apply at once, of one local day if in order, and how many lines each time were gone through."""
        day: date | None = None
        batch: list[Line] = []
        seen = 0
        for line in lines:
            row = line.outcome
            if isinstance(row, FeedRow):
                if row.occurred_at >= self.as_of:
                    seen += 1
                    continue
                row_day = row.occurred_at.astimezone(self.work.programme.tz).date()
                if batch and ((self.in_order and row_day != day) or len(batch) >= CHUNK):
                    yield day, batch, seen
                    batch, seen = [], 0
                day = row_day
            batch.append(line)
            seen += 1
        if seen:
            yield day, batch, seen
