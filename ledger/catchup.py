"""What the clock has already done to an account, written as entries of its own before any act. Pure.

Balances are true by the clock whether this has run or not; catch-up is bookkeeping. The sweep is catch-up for
accounts where nobody acts, so no number ever depends on when the sweep ran.
"""

from __future__ import annotations

from datetime import datetime

from ledger.allocation import Slice, is_overdue
from ledger.book import BY_CLOCK, Book
from ledger.kinds import Kind


def catch_up(book: Book) -> int:
    """Write one expire entry for each instant at which lots ended; returns how many entries that were."""
    ended: dict[datetime, list[Slice]] = {}
    for lot in book.lots():
        if lot.expires_at is None or lot.expires_at > book.at:
            break  # the order is by date: everything behind is later
        if is_overdue(lot, book.at):
            ended.setdefault(lot.expires_at, []).append(Slice(lot, lot.remaining))
    for instant, slices in ended.items():
        book.write(Kind.EXPIRE, BY_CLOCK, take=slices, effective_at=instant)
    return len(ended)
