"""The notice gate: no point expires unannounced.

A lot under a notice duty is gated, that is live whatever its date, until a good notice for its present date is on
record. Good: told on a day at least `notice_days` before the last day. The ledger enforces the gate and knows
nothing of messages; whoever tells people calls `record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ledger.actors import Actor
from ledger.allocation import LotState
from ledger.book import Book, Draft, Move, Signature, Told
from ledger.errors import BadInput
from ledger.inputs import check_new_date, check_text
from ledger.kinds import Kind
from ledger.models import Account
from ledger.policies import date_with_full_notice, last_day
from ledger.posting import Order, act
from ledger.programmes import Rules, rules_of
from ledger.receipts import Receipt

UNTOLD = "nobody was told in time"  # the reason of an extension that gives the full notice again


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

    Opens the gate of those that still have that date, where the day was early enough for their duty. A notice of
    lots that all moved or went in the meantime is kept as a note. Raises BadInput, BadKey, KeyReused, FutureAct.
    """
    if not lots:
        raise BadInput("Name at least one lot.", field="lots")
    check_new_date(expires_at, now=now, field="expires_at")
    if not channel or not evidence:
        raise BadInput("A notice needs its channel and its evidence.", field="evidence" if channel else "channel")
    check_text(channel, field="channel", longest=20)
    check_text(evidence, field="evidence", longest=200)
    zone = rules_of(account.programme_id).zone
    expires_on = last_day(expires_at, zone)
    wanted = set(lots)

    def decide(book: Book, signature: Signature) -> Draft:
        if told_on > book.at.astimezone(zone).date():
            raise BadInput("The day of telling cannot lie in the future.", field="told_on")
        named = [lot for lot in book.live() if lot.id in wanted and lot.expires_at == expires_at]
        if any(told_on < lot.spendable_at.astimezone(zone).date() for lot in named):
            raise BadInput("Nobody can be told of points before they are granted.", field="told_on")
        if not named:
            return book.write(Kind.NOTE, signature, reason="the lots of this notice have moved or gone")
        told = Told(expires_at, expires_on, told_on, channel, evidence, named)
        draft = book.write(Kind.NOTIFY, signature, told=told)
        for lot in named:
            if lot.gated and is_in_time(told_on, expires_on, lot.notice_days):
                book.open_gate(lot)
        return draft

    asked = {"kind": "notify", "lots": sorted(lots), "expires_at": expires_at, "told_on": told_on}
    asked |= {"channel": channel, "evidence": evidence}
    return act(Order(account_id=account.pk, now=now, by=by, key=key, content=asked, decide=decide))


def extend_untold_order(
    *, account_id: int, rules: Rules, lots: Sequence[int], now: datetime, key: str, by: Actor
) -> Order:
    """Give lots of which nobody was told in time the full notice again, as an order for the pen.

    Each date moves to today + `notice_days` + `notice_slack`, rounded as its policy rounds. Lots that were told
    in time, or still can be, stay; where none is left to move, that is noted.
    """
    wanted = set(lots)

    def decide(book: Book, signature: Signature) -> Draft:
        today = book.at.astimezone(rules.zone).date()
        late = [lot for lot in book.live() if lot.id in wanted and is_too_late_to_tell(lot, today, rules)]
        moves = [Move(lot, lot.expires_at, date_with_full_notice(rules.terms(lot.policy_id), book.at)) for lot in late]
        if not moves:
            return book.write(Kind.NOTE, signature, reason="told in time after all")
        return book.write(Kind.EXTEND, signature, moves=moves, reason=UNTOLD)

    asked: dict[str, object] = {"kind": "extend", "lots": sorted(lots), "untold": True}
    return Order(account_id=account_id, now=now, by=by, key=key, content=asked, decide=decide)


def is_in_time(told_on: date, expires_on: date, notice_days: int) -> bool:
    """Whether a notice given on `told_on` is early enough for points whose last day is `expires_on`."""
    return told_on + timedelta(days=notice_days) <= expires_on


def is_too_late_to_tell(lot: LotState, today: date, rules: Rules) -> bool:
    """Whether the last day on which a good notice of this gated lot could be given has passed."""
    if not lot.gated or lot.expires_at is None:
        return False
    return not is_in_time(today, last_day(lot.expires_at, rules.zone), lot.notice_days)
