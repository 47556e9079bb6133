"""Reinstating: giving points back that the clock has ended, while the policy's window is open, once per family."""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.allocation import Slice
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.errors import AlreadyReinstated, LotNotExpired, TooLateToReinstate
from ledger.inputs import check_reason
from ledger.kinds import Kind
from ledger.models import Account
from ledger.policies import can_be_reinstated, reinstated_date
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.restoring import new_lot_of
from ledger.settling import settle


def reinstate(*, account: Account, lot: int, now: datetime, key: str, by: Actor, reason: str) -> Receipt:
    """Give back the points that expired of the lot with this id, in a new lot with the life that its policy says.

    Raises BadInput without a reason, LotNotExpired, TooLateToReinstate, AlreadyReinstated, BadKey, KeyReused,
    FutureAct, AccountClosed.
    """
    return act(reinstate_order(account_id=account.pk, lot=lot, now=now, key=key, by=by, reason=reason))


def reinstate_order(*, account_id: int, lot: int, now: datetime, key: str, by: Actor, reason: str) -> Order:
    """A reinstatement as an order for the pen."""
    check_reason(reason)

    def decide(book: Book, signature: Signature) -> Draft:
        ended = book.known.ended.get(lot)
        if ended is None or ended.ended_at is None:
            raise LotNotExpired(field="lot")
        terms = book.rules.terms(ended.lot.policy_id)
        if not can_be_reinstated(terms, ended.ended_at, book.at):
            raise TooLateToReinstate(field="lot")
        if ended.reinstated_before:
            raise AlreadyReinstated(field="lot")
        seq, until = book.next_seq(), book.dated(terms, reinstated_date(terms, book.at))
        made = new_lot_of(ended.lot, terms, seq, 0, ended.points, until, book.at)
        draft = book.write(
            Kind.REINSTATE,
            signature,
            give=[Slice(made, ended.points)],
            made=[made],
            undoes_seq=ended.seq,
            reason=reason,
        )
        settle(book)
        return draft

    asked = {"kind": "reinstate", "lot": lot, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide, lot=lot)
