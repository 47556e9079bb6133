"""Replaying a feed: what would every account hold on a given day, had this programme run from the first row on?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ledger.expiry import sweep_all
from ledger.feed import FeedRow, Line
from ledger.imports import CHUNK, Import
from ledger.policies import start_of_day


@dataclass(slots=True)
class Replay:
    """A feed applied row by row with each row's own time as now, and swept as the days pass."""

    work: Import
    as_of: datetime  # rows at or after this instant are not applied

    def run(self, lines: Iterable[Line]) -> Iterator[int]:
        """Apply the rows before `as_of`, then sweep; yields how many lines were gone through each time."""
        swept: date | None = None
        for day, batch, seen in self._by_day(lines):
            if day and (swept is None or day > swept):
                sweep_all(now=start_of_day(day, self.work.rules.zone), programme_id=self.work.programme.pk)
                swept = day
            for _ in self.work.run(batch):
                pass
            yield seen
        sweep_all(now=self.as_of, programme_id=self.work.programme.pk)

    def _by_day(self, lines: Iterable[Line]) -> Iterator[tuple[date | None, list[Line], int]]:
        """Runs of lines of the same local day, at most a chunk each, and how many lines each run went through."""
        day: date | None = None
        batch: list[Line] = []
        seen = 0
        for line in lines:
            row = line.outcome
            if isinstance(row, FeedRow):
                if row.occurred_at >= self.as_of:
                    seen += 1
                    continue
                row_day = row.occurred_at.astimezone(self.work.rules.zone).date()
                if batch and (row_day != day or len(batch) >= CHUNK):
                    yield day, batch, seen
                    batch, seen = [], 0
                day = row_day
            batch.append(line)
            seen += 1
        if seen:
            yield day, batch, seen
