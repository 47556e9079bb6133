"""Points that come back: where each slice of a refunded or released redemption goes. Pure.

A slice goes back to its lot, if that lot's date leaves at least the floor of its own policy; else into one new lot per
slice that ends at the later of the old date and now + floor, and keeps family, origin and policy. So nothing that comes
back is dead on arrival, and nothing becomes immortal (law 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ledger.allocation import LotState, Slice
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.kinds import Kind
from ledger.policies import Terms, has_floor_left, restored_date
from ledger.settling import settle


def give_back(
    book: Book,
    kind: Kind,
    signature: Signature,
    slices: Iterable[Slice],
    *,
    undoes_seq: int,
    at: datetime,
    reference: str = "",
    reason: str = "",
) -> Draft:
    """Write the entry that gives these slices back as of `at`, and let them pay debt first."""
    seq = book.next_seq()
    made: list[LotState] = []
    given: list[Slice] = []
    for lot, points in slices:
        terms = book.rules.terms(lot.policy_id)
        until = book.date_of(lot)
        if has_floor_left(terms, until, at):
            if not lot.remaining:
                book.redate(lot)
            given.append(Slice(lot, points))
        else:
            assert until is not None
            made.append(new_lot_of(lot, terms, seq, len(made), points, restored_date(terms, until, at), at))
            given.append(Slice(made[-1], points))
    draft = book.write(
        kind,
        signature,
        give=given,
        made=made,
        undoes_seq=undoes_seq,
        effective_at=at,
        reference=reference,
        reason=reason,
    )
    settle(book, effective_at=at)
    return draft


def new_lot_of(
    lot: LotState, terms: Terms, seq: int, number: int, points: int, expires_at: datetime | None, at: datetime
) -> LotState:
    """A further lot of the family of `lot`, still empty: it is given its points by the entry that makes it."""
    has_duty = expires_at is not None and terms.notice_days > 0
    return LotState(
        seq=seq,
        number=number,
        family_seq=lot.family_seq,
        policy_id=lot.policy_id,
        origin=lot.origin,
        granted=points,
        remaining=0,
        spendable_at=at,
        expires_at=expires_at,
        gated=has_duty,
        notice_days=terms.notice_days if has_duty else 0,
        notice_slack=terms.notice_slack if has_duty else 0,
    )
