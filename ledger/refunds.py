"""Refunding: undoing part or all of a redemption, in reverse, so that what stays is a prefix of the original.

Where the points go is said in `restoring.py`.
"""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.errors import MoreThanRedeemed, NotARedemption
from ledger.inputs import check_key, check_points, check_text
from ledger.kinds import Kind
from ledger.models import Account
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.restoring import give_back
from ledger.undoing import SpendingFacts, first_points, last_points


def refund(
    *,
    account: Account,
    points: int,
    undoes: str,
    now: datetime,
    key: str,
    by: Actor,
    reference: str = "",
    reason: str = "",
) -> Receipt:
    """Give back points of the redemption or capture made under the key `undoes`: in parts, up to the whole.

    The receipt says how many came back, until when, and how many of them paid debt. Raises BadPoints, BadKey,
    NotARedemption, MoreThanRedeemed, KeyReused, FutureAct, AccountClosed.
    """
    return act(
        refund_order(
            account_id=account.pk,
            points=points,
            undoes=undoes,
            now=now,
            key=key,
            by=by,
            reference=reference,
            reason=reason,
        )
    )


def refund_order(
    *,
    account_id: int,
    points: int,
    undoes: str,
    now: datetime,
    key: str,
    by: Actor,
    reference: str = "",
    reason: str = "",
) -> Order:
    """A refund as an order for the pen."""
    check_points(points)
    check_key(undoes, field="undoes")
    check_text(reference, field="reference", longest=200)
    check_text(reason, field="reason", longest=500)

    def decide(book: Book, signature: Signature) -> Draft:
        spent = book.known.by_key.get(undoes)
        if not isinstance(spent, SpendingFacts):
            raise NotARedemption(field="undoes")
        left = spent.points - spent.refunded
        if points > left:
            raise MoreThanRedeemed(f"{points} points were to be refunded, {left} can be.", field="points")
        kept = first_points(spent.slices, left)  # what has not come back yet is a prefix of the original
        return give_back(
            book,
            Kind.REFUND,
            signature,
            last_points(kept, points),
            undoes_seq=spent.seq,
            at=book.at,
            reference=reference,
            reason=reason,
        )

    asked = {"kind": "refund", "points": points, "undoes": undoes, "reference": reference, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide, undoes=undoes)
