"""Granting points: a new lot, whose dates the policy in force works out; debt is paid first."""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.allocation import LotState, Slice
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.errors import BadInput, FutureAct, PastExpiry
from ledger.inputs import check_instant, check_new_date, check_points, check_text
from ledger.kinds import Kind, Origin
from ledger.models import Account
from ledger.policies import Model, Terms, days_after, expiry_date, inactivity_date, last_day, spendable_from
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.settling import settle


def grant(
    *,
    account: Account,
    points: int,
    now: datetime,
    key: str,
    by: Actor,
    origin: Origin = Origin.PURCHASE,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    spendable_at: datetime | None = None,
    reference: str = "",
    reason: str = "",
) -> Receipt:
    """Grant points.

    `effective_at` dates the grant back (never forward); `expires_at` replaces the date that the policy gives, under an
    inactivity policy with a later one only, under a notice duty with one that leaves time to tell;
    `spendable_at` promises the points for then: from that instant on they can be spent, by the clock alone.
    Raises BadInput, BadPoints, BadKey, PastExpiry, NoPolicy, BooksClosed, KeyReused, FutureAct, AccountClosed.
    """
    return act(
        grant_order(
            account_id=account.pk,
            points=points,
            now=now,
            key=key,
            by=by,
            origin=origin,
            effective_at=effective_at,
            expires_at=expires_at,
            spendable_at=spendable_at,
            reference=reference,
            reason=reason,
        )
    )


def grant_order(
    *,
    account_id: int,
    points: int,
    now: datetime,
    key: str,
    by: Actor,
    origin: Origin = Origin.PURCHASE,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    spendable_at: datetime | None = None,
    reference: str = "",
    reason: str = "",
    content: dict[str, object] | None = None,
) -> Order:
    """A grant as an order for the pen. `content` replaces what the key stands for, as a feed's whole row does."""
    _check(points, origin, reference, reason)
    if effective_at is not None:
        check_instant(effective_at, field="effective_at")
    if expires_at is not None:
        check_new_date(expires_at, now=now, field="expires_at")
    if spendable_at is not None:
        check_new_date(spendable_at, now=now, field="spendable_at")

    def decide(book: Book, signature: Signature) -> Draft:
        since = effective_at or book.at
        if since > book.at:
            raise FutureAct("A grant can be dated back, never forward.", field="effective_at")
        book.refuse_closed_books(since)
        if expires_at is not None and expires_at <= book.at:
            raise PastExpiry("The date must lie in the future.", field="expires_at")
        terms = book.rules.in_force(since, origin)
        if expires_at is not None:
            _check_date_by_hand(book, terms, since, expires_at)
        spendable = spendable_at or spendable_from(terms, since)
        if spendable < since:
            raise BadInput("Points cannot be spent before they are granted.", field="spendable_at")
        until = expires_at or expiry_date(terms, spendable, granted_at=since)
        if until is not None and expires_at is None:
            until = book.dated(terms, until)
        if until is not None and until <= spendable:
            raise BadInput("The points would be gone before they can be spent.", field="expires_at")
        lot = _new_lot(book, terms, origin, points, spendable, until)
        draft = book.write(
            Kind.GRANT,
            signature,
            give=[Slice(lot, points)],
            made=[lot],
            effective_at=since,
            reference=reference,
            reason=reason,
        )
        settle(book)
        return draft

    asked = {"kind": "grant", "points": points, "origin": origin.value, "reference": reference, "reason": reason}
    asked |= {"effective_at": effective_at, "expires_at": expires_at}
    if spendable_at is not None:  # what was asked before there were promises keeps its hash
        asked["spendable_at"] = spendable_at
    return Order(account_id=account_id, now=now, by=by, key=key, content=content or asked, decide=decide)


def _check(points: int, origin: Origin, reference: str, reason: str) -> None:
    check_points(points)
    check_text(reference, field="reference", longest=200)
    check_text(reason, field="reason", longest=500)
    if not isinstance(origin, Origin):
        raise BadInput(f"The origin must be one of {', '.join(Origin.values)}.", field="origin")


def _check_date_by_hand(book: Book, terms: Terms, since: datetime, expires_at: datetime) -> None:
    """Raises BadInput for a date that activity or the notice duty would move again."""
    _refuse_what_activity_moves(book, terms, since, expires_at)
    _refuse_what_leaves_no_time_to_tell(book, terms, expires_at)


def _refuse_what_activity_moves(book: Book, terms: Terms, since: datetime, expires_at: datetime) -> None:
    """Raises BadInput for a date by hand that would not hold: the grant itself is activity, which moves all points of
    an inactivity policy to the date that is counted from it, those of this grant too."""
    if terms.model != Model.INACTIVITY:
        return
    active_at = max(book.active_at or since, since)
    until = inactivity_date(terms, active_at, book.not_before, expires_at)
    if until > expires_at:
        day = last_day(until, terms.zone)
        raise BadInput(
            f"Under an inactivity policy no points go before the day counted from activity, {day}: "
            "a date by hand can only be later.",
            field="expires_at",
        )


def _refuse_what_leaves_no_time_to_tell(book: Book, terms: Terms, expires_at: datetime) -> None:
    """Raises BadInput for a date by hand before the duty and its slack are over. They are counted from the act itself,
    however far it dates the grant back: nobody can have been told of points that nobody had recorded."""
    if not terms.notice_days:
        return
    least = days_after(book.at, terms.notice_days + terms.notice_slack, terms.zone)
    if expires_at < least:
        raise BadInput(
            f"Under a notice duty of {terms.notice_days} days and {terms.notice_slack} days of slack the last day can "
            f"be {last_day(least, terms.zone)} at the earliest.",
            field="expires_at",
        )


def _new_lot(
    book: Book, terms: Terms, origin: Origin, points: int, spendable_at: datetime, expires_at: datetime | None
) -> LotState:
    """The lot of a grant, still empty: it is given its points by the entry. Its notice duty is its own from here on."""
    seq = book.next_seq()
    has_duty = expires_at is not None and terms.notice_days > 0
    return LotState(
        seq=seq,
        number=0,
        family_seq=seq,
        policy_id=terms.policy_id,
        origin=origin.value,
        granted=points,
        remaining=0,
        spendable_at=spendable_at,
        expires_at=expires_at,
        gated=has_duty,
        notice_days=terms.notice_days if has_duty else 0,
        notice_slack=terms.notice_slack if has_duty else 0,
    )
