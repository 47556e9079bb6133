"""A page of an account's history: the newest entries first, turned over by the number of the last one seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects

from ledger import statements
from ledger.kinds import RESTORING, Kind
from ledger.models import Account, Allocation, Closure, Entry, Extension, Hold
from ledger.policies import last_day
from portal.lines import Line, line
from portal.stories import Ending, Given, Moved, Returned, Story

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
    prefetch_related_objects(entries, "notice", "allocations__lot", "extensions__lot")
    moved = _points_at(entries)
    lapses, endings = _lapses(entries, account), _endings(entries, account)
    zone, unit = account.programme.tz, account.programme.unit
    return [
        Story(
            entry,
            zone,
            unit,
            given=_given(entry, zone),
            moved=_moved(entry, moved.get(entry.seq, {}), zone),
            returned=_returned(entry, zone),
            lapses_at=lapses.get(entry.seq),
            ending=endings.get(entry.seq),
        )
        for entry in entries
    ]


def _given(entry: Entry, zone: ZoneInfo) -> Given | None:
    """What a grant brought: as the lot was made, and its last day as it is now."""
    if entry.kind != Kind.GRANT:
        return None
    lot = entry.allocations.all()[0].lot
    promised = lot.first_spendable_at.astimezone(zone).date() if lot.first_spendable_at > entry.effective_at else None
    return Given(lot.origin, _day(lot.first_expires_at, zone), _day(lot.expires_at, zone), promised)


def _moved(entry: Entry, held: dict[int, int], zone: ZoneInfo) -> list[Moved]:
    """The moves of an extension or a postponement, those of the same days put together."""
    sums: dict[tuple[date | None, ...], int] = defaultdict(int)
    for move in entry.extensions.all():
        usable = [at.astimezone(zone).date() if at else None for at in (move.spendable_was, move.spendable_until)]
        sums[_day(move.was, zone), _day(move.until, zone), *usable] += held.get(move.lot_id, 0)
    return [Moved(points, *days) for days, points in sums.items()]


def _points_at(entries: Iterable[Entry]) -> dict[int, dict[int, int]]:
    """How many points each lot held when its date was moved, by the number of that entry and the lot."""
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


def _returned(entry: Entry, zone: ZoneInfo) -> list[Returned]:
    """What came back, by last day, in the order in which it was given back."""
    sums: dict[date | None, int] = defaultdict(int)
    if entry.kind in RESTORING:
        for part in sorted(entry.allocations.all(), key=lambda part: part.pk):
            sums[_day(part.until, zone)] += part.delta
    return [Returned(points, until) for until, points in sums.items()]


def _lapses(entries: Iterable[Entry], account: Account) -> dict[int, datetime]:
    """When the holds among these entries lapse."""
    made = [entry.seq for entry in entries if entry.kind == Kind.HOLD]
    found = Hold.objects.filter(account=account, seq__in=made).values_list("seq", "lapses_at")
    return dict(found) if made else {}


def _endings(entries: Iterable[Entry], account: Account) -> dict[int, Ending]:
    """What was told with the closures among these entries."""
    asked = [entry.seq for entry in entries if entry.kind == Kind.CLOSE and entry.undoes_seq is None]
    found = Closure.objects.filter(account=account, seq__in=asked) if asked else ()
    zone = account.programme.tz
    return {closure.seq: Ending(last_day(closure.closes_at, zone), closure.points) for closure in found}


def _day(at: datetime | None, zone: ZoneInfo) -> date | None:
    return last_day(at, zone) if at else None
