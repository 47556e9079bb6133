"""Forecast: what an account or a programme will hold on a future day, if nobody does anything until then.

What the clock will do is done: promised points become spendable, lots end, holds lapse, closures take effect. Every
notice is taken as given in time; points that still wait for one stand beside it. Where the day for telling has passed
for good, because the date itself has, points stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from ledger.allocation import LotState, is_live, is_overdue, is_spendable
from ledger.asof import books
from ledger.book import Book
from ledger.errors import BadInput
from ledger.inputs import check_instant
from ledger.kinds import Kind
from ledger.models import Account, Programme
from ledger.movements import Watch
from ledger.recounting import one_snapshot
from ledger.standing import Standing, run_on


@dataclass(slots=True)
class Forecast:
    """Points at the instant that is asked about; the last five say what happens until then, counted from now."""

    spendable: int = 0
    promised: int = 0  # live, to be spendable later still
    debt: int = 0
    on_hold: int = 0
    becoming_spendable: int = 0  # promised now, to be spent by then
    expiring: int = 0
    not_told_yet: int = 0  # of those that expire: nobody was told yet, or not by enough channels
    released: int = 0  # by holds that lapse
    forfeited: int = 0  # by closures that take effect

    def add(self, other: Forecast) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def forecast(
    programme: Programme, *, on: datetime, now: datetime, account: Account | None = None, watch: Watch = lambda n: None
) -> Forecast:
    """What a programme, or one account of it, will hold at the instant `on`. Raises BadInput for one that is past."""
    if check_instant(on, field="on") < check_instant(now, field="now"):
        raise BadInput("A forecast is of the future; the past is asked for as of then.", field="on")
    total = Forecast()
    with one_snapshot():
        for standing, book in books(programme.pk, at=now, account_id=account.pk if account else None):
            total.add(_of_book(standing, book, on) if book else _of_lots(standing, on))
            watch(1)
    return total


def _of_lots(standing: Standing, on: datetime) -> Forecast:
    """Of an account to which nothing happens but that lots end."""
    lots = standing.live()
    untold = _as_told(lots, standing.at, on)
    found = _held(lots, on, standing.debt, becoming_since=standing.at)
    found.on_hold = standing.on_hold
    for lot in lots:
        if is_overdue(lot, on):
            found.expiring += lot.remaining
            found.not_told_yet += lot.remaining if _name(lot) in untold else 0
    return found


def _of_book(standing: Standing, book: Book, on: datetime) -> Forecast:
    """Of an account whose holds lapse, or which closes: the clock goes from one event to the next."""
    now, untold, written = standing.at, set[tuple[int, int]](), len(book.drafts)
    promised = {_name(lot) for lot in standing.live() if lot.spendable_at > now}
    events = [*(hold.lapses_at for hold in book.holds.values()), *([book.closes_at] if book.closes_at else [])]
    for instant in (*sorted(event for event in events if now < event < on), on):
        untold |= _as_told(book.lots(), now, on)
        run_on(book, instant)
    untold |= _as_told(book.lots(), now, on)
    after = run_on(book, on)
    found = _held(after.lots, on, after.debt)
    found.on_hold = after.on_hold
    found.becoming_spendable = sum(
        lot.remaining for lot in after.lots if _name(lot) in promised and is_spendable(lot, on)
    )
    for draft in book.drafts[written:]:
        if draft.kind == Kind.EXPIRE:
            found.expiring -= draft.amount
            found.not_told_yet -= sum(delta for lot, delta, _ in draft.allocations if _name(lot) in untold)
        elif draft.kind == Kind.RELEASE:
            found.released += draft.amount
        elif draft.kind == Kind.FORFEIT:
            found.forfeited -= draft.amount
    return found


def _as_told(lots: Iterable[LotState], now: datetime, on: datetime) -> set[tuple[int, int]]:
    """Take the notices of the dates ahead as given; returns the names of the lots that still wait for one."""
    waiting = [lot for lot in lots if lot.gated and lot.expires_at and now < lot.expires_at <= on]
    for lot in waiting:
        lot.gated = False
    return {_name(lot) for lot in waiting}


def _held(lots: Iterable[LotState], on: datetime, debt: int, *, becoming_since: datetime | None = None) -> Forecast:
    found = Forecast(debt=debt)
    for lot in lots:
        if not is_live(lot, on):
            continue
        if not is_spendable(lot, on):
            found.promised += lot.remaining
            continue
        found.spendable += lot.remaining if not debt else 0
        if becoming_since and lot.spendable_at > becoming_since:
            found.becoming_spendable += lot.remaining
    return found


def _name(lot: LotState) -> tuple[int, int]:
    return lot.seq, lot.number
