"""Moving the dates of live lots later. Every move is a recorded fact, and makes an earlier notice stale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from ledger.actors import Actor
from ledger.allocation import LotState
from ledger.book import Book, Draft, Move, Signature
from ledger.errors import BadInput, EarlierDate, LotNotLive, PastExpiry
from ledger.kinds import Kind
from ledger.models import Account
from ledger.policies import end_of_day, last_day
from ledger.posting import Order, act
from ledger.programmes import Rules, rules_of
from ledger.receipts import Receipt


def extend(
    *, account: Account, lots: Sequence[int], until: date, now: datetime, key: str, by: Actor, reason: str
) -> Receipt:
    """Make the lots with these ids valid through `until`, a day in the programme's zone.

    Raises BadInput without a reason or lots, PastExpiry, LotNotLive, EarlierDate (all or none), BadKey, KeyReused.
    """
    rules = rules_of(account.programme_id)
    return act(
        extend_order(account_id=account.pk, rules=rules, lots=lots, until=until, now=now, key=key, by=by, reason=reason)
    )


def extend_order(
    *, account_id: int, rules: Rules, lots: Sequence[int], until: date, now: datetime, key: str, by: Actor, reason: str
) -> Order:
    """An extension to a day as an order for the pen."""
    expires_at = end_of_day(until, rules.zone)
    if expires_at <= now:
        raise PastExpiry(field="until")
    asked = {"kind": "extend", "lots": sorted(lots), "until": until, "reason": reason}
    return _order(account_id, lots, lambda lot: expires_at, now, key, by, reason, asked)


def extend_by_days_order(
    *, account_id: int, rules: Rules, lots: Sequence[int], days: int, now: datetime, key: str, by: Actor, reason: str
) -> Order:
    """An extension of each lot by `days` from its own date, as an order for the pen."""
    if days < 1:
        raise BadInput("An extension is by at least one day.", field="days")

    def later(lot: LotState) -> datetime:
        if lot.expires_at is None:
            raise EarlierDate("A lot without a date cannot be extended.", field="lots")
        return end_of_day(last_day(lot.expires_at, rules.zone) + timedelta(days=days), rules.zone)

    asked = {"kind": "extend", "lots": sorted(lots), "days": days, "reason": reason}
    return _order(account_id, lots, later, now, key, by, reason, asked)


def _order(
    account_id: int,
    lots: Sequence[int],
    new_date: Callable[[LotState], datetime],
    now: datetime,
    key: str,
    by: Actor,
    reason: str,
    asked: dict[str, object],
) -> Order:
    if not reason.strip() or len(reason) > 500:
        raise BadInput("An extension needs a reason of at most 500 characters.", field="reason")
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")

    def decide(book: Book, signature: Signature) -> Draft:
        return book.write(Kind.EXTEND, signature, moves=moves_of(book, lots, new_date), reason=reason)

    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def moves_of(book: Book, lots: Sequence[int], new_date: Callable[[LotState], datetime]) -> list[Move]:
    """The moves of these live lots to their new dates. Raises LotNotLive, EarlierDate: then none is moved."""
    wanted = set(lots)
    found = [lot for lot in book.live() if lot.id in wanted]
    if len(found) < len(wanted):
        raise LotNotLive(field="lots")
    moves = [Move(lot, lot.expires_at, new_date(lot)) for lot in found]
    for move in moves:
        if move.was is None or move.until is None or move.until <= max(move.was, book.at):
            raise EarlierDate(field="until")
    return moves
