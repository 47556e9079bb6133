"""A page of an account's history: the newest entries first, turned over by the number of the last one seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects

from ledger import statements
from ledger.kinds import Kind
from ledger.models import Account, Allocation, Entry, Extension
from ledger.policies import last_day
from portal.lines import Given, Line, Moved, Story, line

PAGE = 25


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Line]
    older: int | None  # the next page shows what came before this number


def page(account: Account, *, before: int | None) -> Page:
    """The newest lines, or those before the number `before`."""
    entries = statements.history(account, before_seq=before, limit=PAGE + 1)
    shown = entries[:PAGE]
    lines = [line(story) for story in _stories(shown, account)]
    return Page(lines=lines, older=shown[-1].seq if len(entries) > PAGE else None)


def _stories(entries: Sequence[Entry], account: Account) -> list[Story]:
    prefetch_related_objects(entries, "notice", "allocations__lot__extensions", "extensions__lot")
    held = _points_at(entries)
    zone, unit = account.programme.tz, account.programme.unit
    return [
        Story(entry, zone, unit, given=_given(entry, zone), moved=_moved(entry, held.get(entry.seq, {}), zone))
        for entry in entries
    ]


def _given(entry: Entry, zone: ZoneInfo) -> Given | None:
    """What a grant brought. The date as it was given is that before the first extension, if there was one."""
    if entry.kind != Kind.GRANT:
        return None
    lot = entry.allocations.all()[0].lot
    first = min(lot.extensions.all(), key=lambda extension: extension.pk, default=None)
    given = first.was if first else lot.expires_at
    return Given(lot.origin, _day(given, zone), _day(lot.expires_at, zone))


def _moved(entry: Entry, held: dict[int, int], zone: ZoneInfo) -> list[Moved]:
    """The moves of an extension, those of the same two days put together."""
    sums: dict[tuple[date | None, date | None], int] = defaultdict(int)
    for extension in entry.extensions.all():
        sums[_day(extension.was, zone), _day(extension.until, zone)] += held.get(extension.lot_id, 0)
    return [Moved(points, was, until) for (was, until), points in sums.items()]


def _points_at(entries: Iterable[Entry]) -> dict[int, dict[int, int]]:
    """How many points each lot held when an extension moved it, by the extension's number and the lot."""
    moves: list[tuple[int, Extension]] = [(entry.seq, move) for entry in entries for move in entry.extensions.all()]
    if not moves:
        return {}
    given = Allocation.objects.filter(lot__in={move.lot_id for _, move in moves})
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for lot_id, seq, delta in given.values_list("lot_id", "entry__seq", "delta"):
        for moved_by, move in moves:
            if move.lot_id == lot_id and seq < moved_by:
                held[moved_by][lot_id] += delta
    return held


def _day(at: datetime | None, zone: ZoneInfo) -> date | None:
    return last_day(at, zone) if at else None
