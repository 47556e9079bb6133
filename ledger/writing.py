"""Writing what was drafted: entries, lots, allocations, dates, notices, holds, closures and accounts, in one call.

A single entry goes as one statement (`single_entry.py`). All else goes to `ledger_write` (`migrations/pen.sql`) as one
document of rows, for one act or a thousand: final states only, each lot and account once. Rows of the document name
each other by their places, so no id is needed beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import OperationalError
from psycopg.errors import SerializationFailure

from ledger import columns, single_entry, wire
from ledger.allocation import LotState
from ledger.book import Book
from ledger.drafts import Closing, Draft, HoldState

Row = dict[str, Any]


class MovedOn(Exception):
    """Somebody has written to an account since its page was read: nothing is written."""


def write(books: Iterable[Book]) -> None:
    """Write all that these books drafted, in the order in which each drafted it. Raises MovedOn."""
    books = [book for book in books if book.drafts]
    if not books:
        return
    if len(books) == 1 and single_entry.is_single(books[0]):
        if not single_entry.write(books[0]):
            raise MovedOn
        return
    parts = _Places(books).parts()
    document = json.dumps({name: rows for name, rows in parts.items() if rows}, default=_text, separators=(",", ":"))
    try:
        wire.call("SELECT ledger_write($1)", [document])
    except OperationalError as error:
        if isinstance(error.__cause__, SerializationFailure):
            raise MovedOn from error
        raise


def _text(value: object) -> str:
    if isinstance(value, date):  # a datetime as well
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"a {type(value).__name__} is no value of a column")


class _Places:
    """The drafts of a document and the lots that they make, with their places, from 1."""

    def __init__(self, books: Sequence[Book]) -> None:
        self.books = books
        self.drafts = [draft for book in books for draft in book.drafts]
        self.made = [(draft, lot) for draft in self.drafts for lot in draft.made]
        self.place_of_lot = {id(lot): place for place, (_, lot) in enumerate(self.made, start=1)}

    def parts(self) -> dict[str, list[Any]]:
        """The rows of each part; those of facts in the order in which they happened."""
        drafts = list(enumerate(self.drafts, start=1))
        return {
            "entries": [_row(columns.ENTRY, columns.of_entry(draft)) for draft in self.drafts],
            "lots": [_row(columns.LOT, columns.of_lot(draft, lot)) for draft, lot in self.made],
            "allocations": [
                {"entry": place, **self._name(lot), "delta": delta, "until": until}
                for place, draft in drafts
                for lot, delta, until in draft.allocations
            ],
            "moves": [
                {
                    "entry": place,
                    **self._name(move.lot),
                    "was": move.was,
                    "until": move.until,
                    "spendable_was": move.spendable_was,
                    "spendable_until": move.spendable_until,
                }
                for place, draft in drafts
                for move in draft.moves
            ],
            "notices": [_notice(place, draft) for place, draft in drafts if draft.told],
            "holds": [_hold(draft, draft.held) for draft in self.drafts if draft.held],
            "closures": [_closure(draft, draft.closing) for draft in self.drafts if draft.closing],
            "touched": [
                {"id": lot.id, **_row(columns.TOUCHED, columns.of_touched(lot))}
                for book in self.books
                for lot in book.touched.values()
            ],
            "ended_holds": self._ended(HoldState),
            "ended_closures": self._ended(Closing),
            "accounts": [
                {
                    "id": book.account_id,
                    "was_seq": columns.was_seq(book),
                    **_row(columns.ACCOUNT, columns.of_account(book)),
                }
                for book in self.books
            ],
        }

    def _name(self, lot: LotState) -> Row:
        return {"lot": lot.id} if lot.id is not None else {"made": self.place_of_lot[id(lot)]}

    def _ended(self, kind: type[HoldState | Closing]) -> list[int | None]:
        return [pending.id for book in self.books for pending in book.ended if isinstance(pending, kind)]


def _row(names: Iterable[str], values: Sequence[Any]) -> Row:
    return dict(zip(names, values, strict=True))


def _notice(place: int, d: Draft) -> Row:
    told = d.told
    assert told is not None
    return {
        "entry": place,
        "account_id": d.account_id,
        "expires_at": told.expires_at,
        "expires_on": told.expires_on,
        "told_on": told.told_on,
        "channel": told.channel,
        "evidence": told.evidence,
        "named": [lot.id for lot in told.lots],
        "waiver": told.waiver,
    }


def _hold(d: Draft, held: HoldState) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": held.seq,
        "points": held.points,
        "lapses_at": held.lapses_at,
        "open": held.open,
    }


def _closure(d: Draft, closing: Closing) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": closing.seq,
        "closes_at": closing.closes_at,
        "points": closing.points,
        "open": closing.open,
    }
