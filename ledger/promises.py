"""Promised points: granted now, to be spent from a later instant on, by the clock alone. A promise can be postponed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger.actors import Actor
from ledger.allocation import LotState
from ledger.book import Book
from ledger.drafts import Draft, Move, Signature
from ledger.errors import BadInput, EarlierDate, LotNotLive, LotNotPromised
from ledger.inputs import check_new_date, check_reason
from ledger.kinds import Kind
from ledger.models import Account
from ledger.policies import postponed_date
from ledger.posting import Order, act
from ledger.receipts import Receipt


def postpone(
    *, account: Account, lots: Sequence[int], spendable_at: datetime, now: datetime, key: str, by: Actor, reason: str
) -> Receipt:
    """Let the promised lots with these ids be spent from `spendable_at` on only; their dates follow, never earlier.

    Where a date moves, an earlier notice of it is stale. Raises BadInput without a reason or lots, LotNotLive,
    LotNotPromised,
    EarlierDate (all or none), BadKey, KeyReused, FutureAct, AccountClosed.
    """
    return act(
        postpone_order(
            account_id=account.pk, lots=lots, spendable_at=spendable_at, now=now, key=key, by=by, reason=reason
        )
    )


def postpone_order(
    *, account_id: int, lots: Sequence[int], spendable_at: datetime, now: datetime, key: str, by: Actor, reason: str
) -> Order:
    """A postponement as an order for the pen."""
    check_reason(reason)
    check_new_date(spendable_at, now=now, field="spendable_at")
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")
    wanted = set(lots)

    def decide(book: Book, signature: Signature) -> Draft:
        found = [lot for lot in book.live() if lot.id in wanted]
        if len(found) < len(wanted):
            raise LotNotLive(field="lots")
        for lot in found:
            if lot.spendable_at <= book.at:
                raise LotNotPromised(field="lots")
            if spendable_at <= lot.spendable_at:
                raise EarlierDate("A promise can only be postponed to a later time.", field="spendable_at")
        moves = [
            Move(lot, lot.expires_at, _date(book, lot, spendable_at), lot.spendable_at, spendable_at) for lot in found
        ]
        return book.write(Kind.POSTPONE, signature, moves=moves, reason=reason)

    asked = {"kind": "postpone", "lots": sorted(lots), "spendable_at": spendable_at, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def _date(book: Book, lot: LotState, spendable_at: datetime) -> datetime | None:
    """The date by the lot's own policy, never earlier. Raises BadInput where it would come before they can be spent."""
    if lot.expires_at is None:
        return None
    until = postponed_date(book.rules.terms(lot.policy_id), lot.expires_at, lot.spendable_at, spendable_at)
    if until <= spendable_at:
        raise BadInput("The points would be gone before they can be spent.", field="spendable_at")
    return until
