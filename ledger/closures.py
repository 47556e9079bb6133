"""Closing an account: what would be lost is told before, there is time to think again, and withdrawing loses nothing.

Until its instant all acts work. From then on every act is refused; catch-up releases open holds, then forfeits what is
left. Debt stays, as the debt of a closed account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ledger import statements
from ledger.actors import Actor
from ledger.book import Book
from ledger.drafts import Closing, Draft, Signature
from ledger.errors import AlreadyClosing, NotClosing
from ledger.inputs import check_text
from ledger.kinds import Kind
from ledger.models import Account, Closure
from ledger.policies import end_of_day
from ledger.posting import Order, act
from ledger.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Loss:
    """What a closure would take, were it asked for now: all live points and those on hold; the day it would be done."""

    points: int
    promised: int  # of the points: not spendable yet
    on_hold: int
    debt: int
    closes_at: datetime
    last_day: date  # the last day on which everything still works, and the closure can be withdrawn


def preview(account: Account, *, at: datetime) -> Loss:
    """What the member is told before they ask for the closure, as their balance says it. Writes nothing."""
    held = statements.balance(account, at=at)
    programme = account.programme
    last = at.astimezone(programme.tz).date() + timedelta(days=programme.cooling_off_days)
    return Loss(
        points=held.live,
        promised=held.promised,
        on_hold=held.on_hold,
        debt=held.debt,
        closes_at=end_of_day(last, programme.tz),
        last_day=last,
    )


def pending(accounts: Sequence[Account]) -> dict[int, Closure]:
    """The closures that were asked for and can still be withdrawn, by account."""
    rows = Closure.objects.filter(account__in=accounts, open=True)
    return {closure.account_id: closure for closure in rows}


def close(*, account: Account, now: datetime, key: str, by: Actor, reason: str = "") -> Receipt:
    """Ask for the account's end: it comes after the programme's cooling-off days, at the end of the last of them.

    Raises AlreadyClosing, AccountClosed, BadKey, KeyReused, FutureAct.
    """
    return act(close_order(account_id=account.pk, now=now, key=key, by=by, reason=reason))


def close_order(*, account_id: int, now: datetime, key: str, by: Actor, reason: str = "") -> Order:
    """A closure as an order for the pen."""
    check_text(reason, field="reason", longest=500)

    def decide(book: Book, signature: Signature) -> Draft:
        if book.closing:
            raise AlreadyClosing(field="account")
        zone = book.rules.zone
        closes_at = end_of_day(book.at.astimezone(zone).date() + timedelta(days=book.cooling_off_days), zone)
        told = sum(lot.remaining for lot in book.live())
        return book.write(Kind.CLOSE, signature, closing=Closing(book.next_seq(), closes_at, told), reason=reason)

    asked = {"kind": "close", "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def withdraw(*, account: Account, now: datetime, key: str, by: Actor, reason: str = "") -> Receipt:
    """Withdraw the closure: nothing was lost. Raises NotClosing, AccountClosed, BadKey, KeyReused, FutureAct."""
    return act(withdraw_order(account_id=account.pk, now=now, key=key, by=by, reason=reason))


def withdraw_order(*, account_id: int, now: datetime, key: str, by: Actor, reason: str = "") -> Order:
    """The withdrawal of a closure as an order for the pen."""
    check_text(reason, field="reason", longest=500)

    def decide(book: Book, signature: Signature) -> Draft:
        if book.closing is None:
            raise NotClosing(field="account")
        return book.write(Kind.CLOSE, signature, undoes_seq=book.closing.seq, reason=reason)

    asked = {"kind": "close", "withdraws": True, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)
