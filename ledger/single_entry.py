"""Writing a single entry, as most acts do: in one statement of plain values, which the server knows by heart.

The statement is made for the shape of the act: how many lots it makes, moves points of and changes. There are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count
from typing import Any

from ledger import columns, wire
from ledger.book import Book

# An act on more lots than these goes as a document: every shape is one more statement that each connection prepares.
MANY = 4


def is_single(book: Book) -> bool:
    """Whether all that the book drafted is one entry that makes at most one lot and moves points of few."""
    if len(book.drafts) != 1 or book.ended or len(book.touched) > MANY:
        return False
    draft = book.drafts[0]
    if len(draft.made) > 1 or len(draft.allocations) > MANY:
        return False
    return not (draft.moves or draft.told or draft.held or draft.closing)


def write(book: Book) -> bool:
    """Write the single entry of this book; false, and nothing is written, when the account has moved on since."""
    (draft,) = book.drafts
    values: list[Any] = [book.account_id, columns.was_seq(book), *columns.of_account(book), *columns.of_entry(draft)]
    for lot in draft.made:
        values += columns.of_lot(draft, lot)
    for lot, delta, until in draft.allocations:
        values += (lot.id, delta, until)
    for lot in book.touched.values():
        values += (lot.id, *columns.of_touched(lot))
    statement = _statement(len(draft.made), len(draft.allocations), len(book.touched))
    return wire.call(statement, values) == [(1,)]


@cache
def _statement(made: int, allocations: int, touched: int) -> str:
    """Everything hangs on the account's row, which moves on only from where it was read."""
    holes = (f"${number}" for number in count(1))
    parts = [
        f"""account AS (UPDATE ledger_account SET {{account}} WHERE id = {next(holes)} AND seq = {next(holes)}
                     RETURNING id)""".format(account=_changes(columns.ACCOUNT, holes)),
        f"entry AS ({_insert('entry', columns.ENTRY, holes)} FROM account RETURNING id)",
    ]
    if made:
        parts.append(f"lot AS ({_insert('lot', columns.LOT, holes)} FROM account RETURNING id)")
    if allocations:
        row = {"lot": "bigint", "delta": "bigint", "until": "timestamptz"}
        rows = ", ".join(f"({', '.join(_typed(row, holes))})" for _ in range(allocations))
        lot, made_here = ("coalesce(a.lot, lot.id)", ", lot") if made else ("a.lot", "")
        parts.append(
            f"""allocation AS (INSERT INTO ledger_allocation (entry_id, lot_id, delta, until)
                SELECT entry.id, {lot}, a.delta, a.until
                  FROM entry{made_here}, (VALUES {rows}) AS a (lot, delta, until))"""
        )
    for number in range(touched):
        lot_id = next(holes)
        parts.append(
            f"""touched_{number} AS (UPDATE ledger_lot SET {_changes(columns.TOUCHED, holes)}
                FROM account WHERE ledger_lot.id = {lot_id})"""
        )
    return f"WITH {', '.join(parts)} SELECT count(*) FROM account"


def _insert(table: str, types: Mapping[str, str], holes: Iterator[str]) -> str:
    return f"INSERT INTO ledger_{table} ({', '.join(types)}) SELECT {', '.join(_typed(types, holes))}"


def _changes(types: Mapping[str, str], holes: Iterator[str]) -> str:
    return ", ".join(f"{name} = {hole}" for name, hole in zip(types, _typed(types, holes), strict=True))


def _typed(types: Mapping[str, str], holes: Iterator[str]) -> list[str]:
    return [f"{next(holes)}::{type_}" for type_ in types.values()]
