"""Writing kept numbers anew where they are not what the entries say. Called under the account's lock, by nobody but
`projections.py`; facts are never touched, and the database refuses to let this touch them.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from ledger.allocation import LotState
from ledger.book import Book

_ACCOUNT = """
UPDATE ledger_account
   SET balance = %s, debt = %s, seq = %s, head_hash = %s, last_recorded_at = %s, active_at = %s, not_before = %s,
       lapses_at = %s, closes_at = %s, closed = %s
 WHERE id = %s"""

_LOT = """
UPDATE ledger_lot SET remaining = %s, open = %s, spendable_at = %s, expires_at = %s, gated = %s, moved_untold = %s
 WHERE id = %s"""

# What ended cannot begin again: the database refuses to open a hold or a closure.
_HOLD = "UPDATE ledger_hold SET open = %s WHERE account_id = %s AND seq = %s"
_CLOSURE = "UPDATE ledger_closure SET open = %s WHERE account_id = %s AND seq = %s"


def rewrite_account(book: Book) -> None:
    """Keep what the entries say of the account itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ACCOUNT,
            [
                book.balance,
                book.debt,
                book.seq,
                book.head_hash,
                book.last_recorded_at,
                book.active_at,
                book.not_before,
                book.lapses_at,
                book.closes_at,
                book.closed,
                book.account_id,
            ],
        )


def rewrite_lots(lots: Iterable[LotState]) -> None:
    """Keep what the entries say of these lots."""
    rows = [
        (
            lot.remaining,
            lot.remaining > 0,
            lot.spendable_at,
            lot.expires_at,
            lot.gated,
            lot.moved_untold,
            lot.id,
        )
        for lot in lots
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_LOT, rows)


def rewrite_pending(book: Book, holds: Iterable[int], closures: Iterable[int]) -> None:
    """Keep whether these holds and closures, by seq, are open."""
    closing = book.closing.seq if book.closing else None
    with connection.cursor() as cursor:
        cursor.executemany(_HOLD, [(seq in book.holds, book.account_id, seq) for seq in holds])
        cursor.executemany(_CLOSURE, [(seq == closing, book.account_id, seq) for seq in closures])
