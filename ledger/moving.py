"""Dates that move together. Pure.

All points of an account under inactivity policies go by one date of the account: moving one of them later moves those
that would go earlier.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.book import Book
from ledger.drafts import Move


def moved_together(book: Book, moves: Sequence[Move]) -> list[Move]:
    """These moves, and those of the points that go with them, in redemption order."""
    not_before = max((move.until for move in moves if move.until and book.is_inactivity(move.lot)), default=None)
    if not_before is None:
        return list(moves)
    dates = {id(move.lot): move.until for move in moves if not book.is_inactivity(move.lot)}
    for lot in book.live():
        if book.is_inactivity(lot) and lot.expires_at and lot.expires_at < not_before:
            dates[id(lot)] = not_before
    return [Move(lot, lot.expires_at, dates[id(lot)]) for lot in book.live() if id(lot) in dates]
