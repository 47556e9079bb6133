"""Paying debt: while there is any, the points at hand pay it; only the rest can be spent or expire (law 8). Pure."""

from __future__ import annotations

from datetime import datetime

from ledger.allocation import take
from ledger.book import Book
from ledger.drafts import BY_CLOCK
from ledger.kinds import Kind


def settle(book: Book, *, effective_at: datetime | None = None) -> None:
    """Right after points came in: let them pay what is owed, in redemption order.

    All open lots are live here, for the account was caught up; but for a lot that was dated back so far that it is over
    already, which pays as it would have paid in its time.
    """
    if book.debt:
        slices = take(book.lots(), book.debt)
        paid = sum(part.points for part in slices)
        if paid:
            book.write(Kind.SETTLE, BY_CLOCK, take=slices, debt_delta=-paid, effective_at=effective_at)
