"""Holding points: redeeming them provisionally, until they are captured, released, or the hold lapses by the clock."""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.book import Book
from ledger.drafts import BY_CLOCK, Draft, HoldState, Signature
from ledger.errors import BadInput, HoldNotOpen, MoreThanHeld
from ledger.inputs import check_key, check_new_date, check_points, check_text
from ledger.kinds import Kind
from ledger.models import Account
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.redemptions import spend
from ledger.restoring import give_back
from ledger.undoing import last_points

LEFT = "what the capture left"  # the reason of a release that follows a capture


def hold(
    *, account: Account, points: int, lapses_at: datetime, now: datetime, key: str, by: Actor, reference: str = ""
) -> Receipt:
    """Hold points until `lapses_at`, soonest-expiring first; from that instant on they are released.

    Raises BadPoints, BadKey, BadInput, InsufficientPoints, KeyReused, FutureAct, AccountClosed.
    """
    return act(
        hold_order(
            account_id=account.pk, points=points, lapses_at=lapses_at, now=now, key=key, by=by, reference=reference
        )
    )


def hold_order(
    *, account_id: int, points: int, lapses_at: datetime, now: datetime, key: str, by: Actor, reference: str = ""
) -> Order:
    """A hold as an order for the pen."""
    check_points(points)
    check_text(reference, field="reference", longest=200)
    check_new_date(lapses_at, now=now, field="lapses_at")

    def decide(book: Book, signature: Signature) -> Draft:
        if lapses_at <= book.at:
            raise BadInput("A hold must lapse in the future.", field="lapses_at")
        return spend(
            book,
            Kind.HOLD,
            signature,
            points,
            reference,
            held=lambda slices: HoldState(book.next_seq(), key, lapses_at, slices),
        )

    asked = {"kind": "hold", "points": points, "lapses_at": lapses_at, "reference": reference}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def capture(
    *,
    account: Account,
    hold: str,
    now: datetime,
    key: str,
    by: Actor,
    points: int | None = None,
    reference: str = "",
) -> Receipt:
    """Make the hold under the key `hold` final: its first `points`, or all of it; the rest is released in the same act.

    Raises BadPoints, BadKey, HoldNotOpen (from its lapse on, too), MoreThanHeld, KeyReused, FutureAct, AccountClosed.
    """
    return act(
        capture_order(account_id=account.pk, hold=hold, now=now, key=key, by=by, points=points, reference=reference)
    )


def capture_order(
    *,
    account_id: int,
    hold: str,
    now: datetime,
    key: str,
    by: Actor,
    points: int | None = None,
    reference: str = "",
) -> Order:
    """A capture as an order for the pen."""
    check_key(hold, field="hold")
    check_text(reference, field="reference", longest=200)
    if points is not None:
        check_points(points)

    def decide(book: Book, signature: Signature) -> Draft:
        held = _open_hold(book, hold)
        captured = held.points if points is None else points
        if captured > held.points:
            raise MoreThanHeld(f"{captured} points were to be captured, {held.points} are held.", field="points")
        draft = book.write(Kind.CAPTURE, signature, asked=captured, undoes_seq=held.seq, reference=reference)
        if captured < held.points:
            rest = last_points(book.known.left[held.seq], held.points - captured)
            give_back(book, Kind.RELEASE, BY_CLOCK, rest, undoes_seq=held.seq, at=book.at, reason=LEFT)
        return draft

    asked = {"kind": "capture", "hold": hold, "points": points, "reference": reference}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def release(*, account: Account, hold: str, now: datetime, key: str, by: Actor, reason: str = "") -> Receipt:
    """Give all points of the hold under the key `hold` back, as a refund does.

    Raises BadKey, HoldNotOpen, KeyReused, FutureAct, AccountClosed.
    """
    return act(release_order(account_id=account.pk, hold=hold, now=now, key=key, by=by, reason=reason))


def release_order(*, account_id: int, hold: str, now: datetime, key: str, by: Actor, reason: str = "") -> Order:
    """A release as an order for the pen."""
    check_key(hold, field="hold")
    check_text(reason, field="reason", longest=500)

    def decide(book: Book, signature: Signature) -> Draft:
        held = _open_hold(book, hold)
        slices = last_points(held.slices, held.points)
        return give_back(book, Kind.RELEASE, signature, slices, undoes_seq=held.seq, at=book.at, reason=reason)

    asked = {"kind": "release", "hold": hold, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def _open_hold(book: Book, key: str) -> HoldState:
    held = book.hold_under(key)
    if held is None:
        raise HoldNotOpen(field="hold")
    return held
