"""Clawing back: undoing part or all of a grant, or taking points without one.

Cap: what was granted and reinstated, less what of it the clock expired, less earlier clawbacks of that grant, whoever
paid them.
Who pays: live lots of the grant's family, then other live lots in redemption order (promised ones last), then debt.
Under a policy that writes off, only the family pays, and the rest is kept as written off.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from ledger.actors import Actor
from ledger.allocation import clawback_payers, take
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.errors import NotAGrant
from ledger.inputs import check_key, check_points, check_text
from ledger.kinds import Kind, Origin
from ledger.models import Account
from ledger.policies import Beyond
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.undoing import GrantFacts


def clawback(
    *,
    account: Account,
    points: int,
    now: datetime,
    key: str,
    by: Actor,
    undoes: str | None = None,
    reference: str = "",
    reason: str = "",
) -> Receipt:
    """Claw points back. `undoes` is the key of the grant that this undoes; without one there is no cap.

    The receipt is a note when the cap leaves nothing to take. Raises BadPoints, BadKey, NotAGrant, NoPolicy,
    KeyReused, FutureAct, AccountClosed.
    """
    return act(
        clawback_order(
            account_id=account.pk,
            points=points,
            now=now,
            key=key,
            by=by,
            undoes=undoes,
            reference=reference,
            reason=reason,
        )
    )


def clawback_order(
    *,
    account_id: int,
    points: int,
    now: datetime,
    key: str,
    by: Actor,
    undoes: str | None = None,
    unknown_grant_is_none: bool = False,
    reference: str = "",
    reason: str = "",
    content: dict[str, object] | None = None,
) -> Order:
    """A clawback as an order for the pen. A feed takes a grant that is not known as none: then there is no cap."""
    check_points(points)
    check_text(reference, field="reference", longest=200)
    check_text(reason, field="reason", longest=500)
    if undoes is not None:
        check_key(undoes, field="undoes")

    def decide(book: Book, signature: Signature) -> Draft:
        known = book.known.by_key.get(undoes) if undoes else None
        grant = known if isinstance(known, GrantFacts) else None
        if undoes and grant is None and not unknown_grant_is_none:
            raise NotAGrant(field="undoes")
        due = points if grant is None else min(points, grant.cap)
        family = grant.seq if grant else None
        write = partial(
            book.write, signature=signature, asked=points, undoes_seq=family, reference=reference, reason=reason
        )
        if due == 0:
            return write(Kind.NOTE, available=0)
        terms = book.rules.terms(grant.policy_id) if grant else book.rules.in_force(book.at, Origin.ADJUSTMENT)
        writes_off = terms.clawback_beyond == Beyond.WRITE_OFF
        own, others = book.family(family), book.others(family)
        payers = clawback_payers(own, others, book.at, family_only=writes_off and grant is not None)
        slices = take(payers, due)
        unpaid = due - sum(part.points for part in slices)
        return write(
            Kind.CLAWBACK,
            take=slices,
            debt_delta=0 if writes_off else unpaid,
            written_off=unpaid if writes_off else 0,
            available=grant.cap if grant else None,
        )

    asked = {"kind": "clawback", "points": points, "undoes": undoes, "reference": reference, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=content or asked, decide=decide, undoes=undoes)
