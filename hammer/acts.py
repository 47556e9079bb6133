"""The acts as the hammer asks for them: plain values of a journal's line become a call of the ledger, or an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from hammer.journal import Ask
from ledger import (
    adjustments,
    clawbacks,
    closures,
    extensions,
    grants,
    holds,
    notes,
    notices,
    posting,
    promises,
    redemptions,
    refunds,
    reinstatements,
)
from ledger.actors import Actor
from ledger.feed import parse_row
from ledger.imports import order_for
from ledger.kinds import Origin, Waiver
from ledger.models import Account, Programme
from ledger.posting import Order
from ledger.receipts import Receipt

HAMMER = Actor("system", "hammer")

CALLS: dict[str, Callable[..., Receipt]] = {
    "grant": grants.grant,
    "redeem": redemptions.redeem,
    "refund": refunds.refund,
    "clawback": clawbacks.clawback,
    "hold": holds.hold,
    "capture": holds.capture,
    "release": holds.release,
    "reinstate": reinstatements.reinstate,
    "extend": extensions.extend,
    "undo": extensions.undo,
    "postpone": promises.postpone,
    "tell": notices.record,
    "waive": notices.waive,
    "take_back": notices.withdraw,
    "close": closures.close,
    "stay": closures.withdraw,
    "adjust_up": adjustments.adjust_up,
    "adjust_down": adjustments.adjust_down,
}

ORDERS: dict[str, Callable[..., Order]] = {
    "grant": grants.grant_order,
    "redeem": redemptions.redeem_order,
    "refund": refunds.refund_order,
    "clawback": clawbacks.clawback_order,
    "hold": holds.hold_order,
    "capture": holds.capture_order,
    "release": holds.release_order,
    "reinstate": reinstatements.reinstate_order,
    "extend": extensions.extend_order,
    "extend_by_days": extensions.extend_by_days_order,
    "undo": extensions.undo_order,
    "postpone": promises.postpone_order,
    "extend_untold": notices.extend_untold_order,
    "take_back": notices.withdraw_order,
    "close": closures.close_order,
    "stay": closures.withdraw_order,
    "adjust_up": adjustments.adjust_up_order,
    "adjust_down": adjustments.adjust_down_order,
    "note": notes.note_order,
}

FEED = "feed"  # a row of a feed: done by the import, in chunks

READERS: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("effective_at", "expires_at", "spendable_at", "lapses_at", "was"), datetime.fromisoformat),
    **dict.fromkeys(("until", "told_on"), date.fromisoformat),
    "origin": Origin,
    "waiver": Waiver,
}


def do(ask: Ask) -> Receipt:
    """Ask the ledger for it. Raises what the act raises."""
    if ask.act not in CALLS:
        return posting.act(order_of(ask))
    return CALLS[ask.act](account=Account(pk=ask.account), now=ask.now, key=ask.key, by=HAMMER, **_words(ask.words))


def has_order(ask: Ask) -> bool:
    return ask.act == FEED or ask.act in ORDERS


def order_of(ask: Ask) -> Order:
    """The same as an order for the pen."""
    if ask.act == FEED:
        programme = programme_of(ask.account)
        return order_for(parse_row(dict(ask.words), programme.tz), ask.account, programme)
    return ORDERS[ask.act](account_id=ask.account, now=ask.now, key=ask.key, by=HAMMER, **_words(ask.words))


def _words(words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: READERS[name](value) if name in READERS else value for name, value in words.items()}


@lru_cache(maxsize=10_000)
def programme_of(account: int) -> Programme:
    """An account never moves to another programme."""
    return Programme.objects.get(account=account)
