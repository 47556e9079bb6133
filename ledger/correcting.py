"""Writing kept numbers anew where they are not what the entries say. Called under the account's lock, by nobody but
`projections.py`; facts are never touched, and the database refuses to let this touch them.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from ledger import columns
from ledger.allocation import LotState
from ledger.book import Book

_ACCOUNT = f"UPDATE ledger_account SET {', '.join(f'{name} = %s' for name in columns.ACCOUNT)} WHERE id = %s"
_LOT = f"UPDATE ledger_lot SET {', '.join(f'{name} = %s' for name in columns.TOUCHED)} WHERE id = %s"

# What ended cannot begin again: the database refuses to open a hold or a closure.
_HOLD = "UPDATE ledger_hold SET open = %s WHERE account_id = %s AND seq = %s"
_CLOSURE = "UPDATE ledger_closure SET open = %s WHERE account_id = %s AND seq = %s"


def rewrite_account(book: Book) -> None:
    """Keep what the entries say of the account itself."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNT, [*columns.of_account(book), book.account_id])


def rewrite_lots(lots: Iterable[LotState]) -> None:
    """Keep what the entries say of these lots."""
    with connection.cursor() as cursor:
        cursor.executemany(_LOT, [(*columns.of_touched(lot), lot.id) for lot in lots])


def rewrite_pending(book: Book, holds: Iterable[int], closures: Iterable[int]) -> None:
    """Keep whether these holds and closures, by seq, are open."""
    closing = book.closing.seq if book.closing else None
    with connection.cursor() as cursor:
        cursor.executemany(_HOLD, [(seq in book.holds, book.account_id, seq) for seq in holds])
        cursor.executemany(_CLOSURE, [(seq == closing, book.account_id, seq) for seq in closures])
