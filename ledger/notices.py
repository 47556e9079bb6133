"""The notice gate: no point expires unannounced.

A lot under a notice duty is gated, that is live whatever its date, until a good notice for its present date is on
record. Good: told on a day that is early enough for the duty, and not too early where the policy says so, on as many
channels as the policy asks; or waived for a reason, where the policy accepts that; and not withdrawn. The ledger
enforces the gate and knows nothing of messages; whoever tells people calls `record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from ledger.actors import Actor
from ledger.allocation import LotState
from ledger.book import Book
from ledger.drafts import Draft, Move, Signature, Told
from ledger.effects import UNTOLD, known_since, said_of
from ledger.errors import BadInput, NotANotice
from ledger.inputs import check_key, check_new_date, check_reason, check_text
from ledger.kinds import Kind, Waiver
from ledger.models import Account
from ledger.moving import moved_together
from ledger.policies import Rules, date_with_full_notice, is_good_day, last_day
from ledger.posting import Order, act
from ledger.receipts import Receipt
from ledger.undoing import NoticeFacts

UNTOLD_REASON = "nobody was told in time"  # the reason of an extension that gives the full notice again
GONE = "the lots of this notice have moved or gone"  # the reason of a note in a notice's place


def record(
    *,
    account: Account,
    lots: Sequence[int],
    expires_at: datetime,
    told_on: date,
    channel: str,
    evidence: str,
    now: datetime,
    key: str,
    by: Actor,
) -> Receipt:
    """Record that on `told_on` the member was told that `lots` go at `expires_at`.

    Opens the gate of those that still have that date, once their notices are good. A notice of lots that all moved or
    went in the meantime is kept as a note. Raises BadInput, BadKey, KeyReused, FutureAct, AccountClosed; BooksClosed:
    the date lies in books that are closed.
    """
    return act(
        record_order(
            account_id=account.pk,
            lots=lots,
            expires_at=expires_at,
            told_on=told_on,
            channel=channel,
            evidence=evidence,
            now=now,
            key=key,
            by=by,
        )
    )


def waive(
    *,
    account: Account,
    lots: Sequence[int],
    expires_at: datetime,
    told_on: date,
    waiver: Waiver,
    evidence: str,
    now: datetime,
    key: str,
    by: Actor,
) -> Receipt:
    """Record that on `told_on` the member need not be told that `lots` go at `expires_at`, and what shows why.

    It counts as a notice of that day where the lots' policy accepts waivers. Raises as `record`.
    """
    if not isinstance(waiver, Waiver):
        raise BadInput(f"The waiver must be one of {', '.join(Waiver.values)}.", field="waiver")
    if not evidence:
        raise BadInput("A waiver needs its evidence.", field="evidence")
    return act(_order(account.pk, lots, expires_at, told_on, "", evidence, waiver.value, now, key, by))


def record_order(
    *,
    account_id: int,
    lots: Sequence[int],
    expires_at: datetime,
    told_on: date,
    channel: str,
    evidence: str,
    now: datetime,
    key: str,
    by: Actor,
) -> Order:
    """A notice as an order for the pen. Raises BadInput naming the field."""
    if not channel or not evidence:
        raise BadInput("A notice needs its channel and its evidence.", field="evidence" if channel else "channel")
    check_text(channel, field="channel", longest=20)
    return _order(account_id, lots, expires_at, told_on, channel, evidence, "", now, key, by)


def _order(
    account_id: int,
    lots: Sequence[int],
    expires_at: datetime,
    told_on: date,
    channel: str,
    evidence: str,
    waiver: str,
    now: datetime,
    key: str,
    by: Actor,
) -> Order:
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")
    check_new_date(expires_at, now=now, field="expires_at")
    check_text(evidence, field="evidence", longest=200)
    wanted = set(lots)

    def decide(book: Book, signature: Signature) -> Draft:
        zone = book.rules.zone
        if told_on > book.at.astimezone(zone).date():
            raise BadInput("The day of telling cannot lie in the future.", field="told_on")
        named = [lot for lot in book.live() if lot.id in wanted and lot.expires_at == expires_at]
        if any(told_on < known_since(book, lot) for lot in named):
            raise BadInput("Nobody can be told of points before they are granted.", field="told_on")
        if not named:
            return book.write(Kind.NOTE, signature, reason=GONE)
        if expires_at <= book.at:
            book.refuse_closed_books(expires_at)  # else they would end back then, when they counted as there
        told = Told(expires_at, last_day(expires_at, zone), told_on, channel, evidence, named, waiver)
        return book.write(Kind.NOTIFY, signature, told=told)

    asked = {"kind": "notify", "lots": sorted(lots), "expires_at": expires_at, "told_on": told_on}
    asked |= {"channel": channel, "evidence": evidence}
    if waiver:
        asked["waiver"] = waiver
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide, dates=(expires_at,))


def withdraw(*, account: Account, notice: str, now: datetime, key: str, by: Actor, reason: str) -> Receipt:
    """Withdraw the notice, or the waiver, recorded under the key `notice`: the message came back.

    Lots that no other good notice covers are gated again, unless they have expired already. Where all its lots have
    moved or gone, that is noted. Raises BadInput without a reason, NotANotice, BadKey, KeyReused, FutureAct,
    AccountClosed.
    """
    return act(withdraw_order(account_id=account.pk, notice=notice, now=now, key=key, by=by, reason=reason))


def withdraw_order(*, account_id: int, notice: str, now: datetime, key: str, by: Actor, reason: str) -> Order:
    """The withdrawal of a notice as an order for the pen."""
    check_reason(reason)
    check_key(notice, field="notice")

    def decide(book: Book, signature: Signature) -> Draft:
        said = book.known.by_key.get(notice)
        if not isinstance(said, NoticeFacts):
            raise NotANotice(field="notice")
        if said.withdrawn or not said_of(book, said):
            return book.write(Kind.NOTE, signature, reason=GONE)
        return book.write(Kind.NOTIFY, signature, undoes_seq=said.seq, reason=reason)

    asked = {"kind": "notify", "undoes": notice, "reason": reason}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide, undoes=notice)


def extend_untold_order(
    *, account_id: int, lots: Sequence[int], now: datetime, key: str, by: Actor, again: bool = False
) -> Order:
    """Give lots of which nobody was told in time the full notice again, as an order for the pen.

    Each date moves to today + `notice_days` + `notice_slack`, rounded as its policy rounds. Lots that were told
    in time, or still can be, stay; where none is left to move, that is noted. Once, not for ever: a lot that was moved
    so, and of which still nobody was told, moves only `again` when its member can be told now.
    """
    wanted = set(lots)

    def decide(book: Book, signature: Signature) -> Draft:
        today = book.at.astimezone(book.rules.zone).date()
        late = [
            lot
            for lot in book.live()
            if lot.id in wanted and is_too_late_to_tell(lot, today, book.rules) and (again or not lot.moved_untold)
        ]
        moves = [Move(lot, lot.expires_at, _full_notice(book, lot)) for lot in late]
        if not moves:
            return book.write(Kind.NOTE, signature, reason="told in time after all")
        return book.write(
            Kind.EXTEND, signature, moves=moved_together(book, moves), reason=UNTOLD_REASON, reference=UNTOLD
        )

    asked: dict[str, object] = {"kind": "extend", "lots": sorted(lots), "untold": True}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def _full_notice(book: Book, lot: LotState) -> datetime:
    return date_with_full_notice(book.rules.terms(lot.policy_id), book.at)


def is_too_late_to_tell(lot: LotState, today: date, rules: Rules) -> bool:
    """Whether the last day on which a good notice of this gated lot could be given has passed."""
    if not lot.gated or lot.expires_at is None:
        return False
    return not is_good_day(today, last_day(lot.expires_at, rules.zone), lot.notice_days)
