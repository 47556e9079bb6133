"""Returns of a shop's feed: what a return takes back of the points that its purchase gave, at the rate of then.

A purchase's entry says in its reason what was bought and at which rate it earned, a return's says what came back. So a
rate that is changed later changes no return of what was bought before.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from ledger.actors import Actor
from ledger.book import Book
from ledger.clawbacks import clawback_order
from ledger.drafts import Draft, Signature
from ledger.feed import points_for
from ledger.inputs import MOST
from ledger.kinds import Kind
from ledger.posting import Order
from ledger.undoing import GrantFacts

_NUMBER = r"(\d+(?:\.\d+)?)"
_WORTHLESS = "is worth no point"
_PURCHASE = re.compile(rf"a purchase of {_NUMBER} at {_NUMBER}(?: {_WORTHLESS})?")
_RETURN = re.compile(rf"a return of {_NUMBER}(?: {_WORTHLESS})?")


class Purchase(NamedTuple):
    """What was bought: for how much money, and how many points a unit of it earned."""

    amount: Decimal
    rate: Decimal


def reason_of_purchase(bought: Purchase, points: int) -> str:
    """What the entry of a purchase says: from here its returns know it again."""
    return _worth(f"a purchase of {bought.amount:f} at {_plain(bought.rate)}", points)


def reason_of_return(amount: Decimal, points: int) -> str:
    """What the entry of a return says: the returns that follow count it."""
    return _worth(f"a return of {amount:f}", points)


def return_order(
    *,
    account_id: int,
    amount: Decimal,
    rate: Decimal,
    undoes: str | None,
    now: datetime,
    key: str,
    by: Actor,
    content: dict[str, object],
) -> Order:
    """A return as an order for the pen: a clawback, or a note where it is worth no point.

    `amount` is the money that was given back, `undoes` the key of the purchase; `rate` is today's, for a purchase that
    is not known or does not say its own.
    """
    common: dict = {"account_id": account_id, "now": now, "key": key, "by": by, "content": content}

    def decide(book: Book, signature: Signature) -> Draft:
        points = _points(book, undoes, amount, rate)
        reason = reason_of_return(amount, points)
        if points:
            order = clawback_order(points=points, undoes=undoes, unknown_grant_is_none=True, reason=reason, **common)
            return order.decide(book, signature)
        grant = _grant(book, undoes)
        return book.write(Kind.NOTE, signature, reason=reason, undoes_seq=grant.seq if grant else None)

    return Order(decide=decide, undoes=undoes, **common)


def _points(book: Book, undoes: str | None, amount: Decimal, rate: Decimal) -> int:
    """The return's amount at the rate of its purchase, rounded down; the last of a purchase takes what is left."""
    bought = _bought(book, undoes)
    points = _earned(amount, bought.rate if bought else rate)
    grant = _grant(book, undoes)
    if bought is None or grant is None:
        return points
    if amount + _returned(book, grant) >= bought.amount:
        points = max(points, grant.granted - grant.clawed_back)
    return points


def _grant(book: Book, key: str | None) -> GrantFacts | None:
    known = book.known.by_key.get(key) if key else None
    return known if isinstance(known, GrantFacts) else None


def _bought(book: Book, key: str | None) -> Purchase | None:
    said = _PURCHASE.fullmatch(book.known.reasons.get(key, "")) if key else None
    return Purchase(Decimal(said[1]), Decimal(said[2])) if said else None


def _returned(book: Book, grant: GrantFacts) -> Decimal:
    """The money that came back before; clawbacks that no feed asked for say none."""
    with localcontext(prec=60):
        said = (_RETURN.fullmatch(reason) for reason in book.known.undone_for.get(grant.seq, ()))
        return sum((Decimal(one[1]) for one in said if one), Decimal(0))


def _earned(amount: Decimal, rate: Decimal) -> int:
    """As a purchase earns; more than an entry can hold is as good as the most: no grant has more."""
    with localcontext(prec=60):
        return points_for(amount, rate) if amount * rate <= MOST else MOST


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _worth(said: str, points: int) -> str:
    return said if points else f"{said} {_WORTHLESS}"
