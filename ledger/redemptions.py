"""Redeeming points: soonest-expiring first, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ledger.actors import Actor
from ledger.allocation import Slice, is_spendable, take
from ledger.book import Book
from ledger.drafts import Draft, HoldState, Signature
from ledger.inputs import check_points, check_text
from ledger.kinds import Kind
from ledger.models import Account
from ledger.posting import Order, act
from ledger.receipts import Receipt


def redeem(*, account: Account, points: int, now: datetime, key: str, by: Actor, reference: str = "") -> Receipt:
    """Redeem points, soonest-expiring first. Raises BadPoints, BadKey, InsufficientPoints, KeyReused, FutureAct."""
    return act(redeem_order(account_id=account.pk, points=points, now=now, key=key, by=by, reference=reference))


def redeem_order(
    *,
    account_id: int,
    points: int,
    now: datetime,
    key: str,
    by: Actor,
    reference: str = "",
    content: dict[str, object] | None = None,
) -> Order:
    """A redemption as an order for the pen."""
    check_points(points)
    check_text(reference, field="reference", longest=200)

    def decide(book: Book, signature: Signature) -> Draft:
        return spend(book, Kind.REDEEM, signature, points, reference)

    asked = {"kind": "redeem", "points": points, "reference": reference}
    return Order(account_id=account_id, now=now, by=by, key=key, content=content or asked, decide=decide)


def spend(
    book: Book,
    kind: Kind,
    signature: Signature,
    points: int,
    reference: str,
    *,
    held: Callable[[list[Slice]], HoldState] | None = None,
) -> Draft:
    """Take spendable points, for good or into a hold, or decline where there are too few."""
    there, slices = _look_for(book, points)
    if there < points:
        return book.write(Kind.DECLINE, signature, asked=points, available=there, reference=reference)
    return book.write(kind, signature, take=slices, reference=reference, held=held(slices) if held else None)


def _look_for(book: Book, points: int) -> tuple[int, list[Slice]]:
    """How many of these points can be spent, and where they are; where they are too few, only how many."""
    if book.debt:
        return 0, []  # an account in debt has nothing to spend
    if points > book.balance:
        # The clock was caught up with, so the balance is the sum of all open lots: no lot need be gone through to
        # decline. Promised points are part of it, so how many can be spent is a sum of its own.
        spendable = book.spendable()
        if spendable < points:
            return spendable, []
    slices = take((lot for lot in book.live() if is_spendable(lot, book.at)), points)
    return sum(part.points for part in slices), slices
