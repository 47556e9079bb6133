"""All that is kept of an account beside its entries, as one hash: as it is, or as it was some entries ago.

The rows of the account, of its lots, holds and closures go into it whole, with every column; so does the hash of the
last entry. What stood in the place of columns that have changed since is given as an `Earlier`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Now:
    """What an account is now."""

    seq: int
    head_hash: bytes
    kept_hash: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """An account as it was after its entry `seq`: the columns that were others then; of lots and holds by their ids."""

    account_id: int
    seq: int
    account: Columns
    lots: Mapping[int, Columns] = field(default_factory=dict)
    holds: Mapping[int, Columns] = field(default_factory=dict)
    closures: Mapping[int, Columns] = field(default_factory=dict)


def _rows(table: str, name: str, order: str) -> str:
    """The account's rows of a table up to the entry asked about, as text, with the columns that were others then."""
    return f"""
        (SELECT string_agg(
                  CASE WHEN w.{name} ? r.id::text THEN jsonb_populate_record(r, w.{name} -> r.id::text)::text
                       ELSE r::text END, E'\\n' ORDER BY {order})
           FROM {table} r WHERE r.account_id = a.id AND (w.seq IS NULL OR r.seq <= w.seq))"""


_KEPT = f"""
    SELECT a.id, a.seq, a.head_hash, sha256(convert_to(concat_ws(
             E'\\n', jsonb_populate_record(a, w.account)::text,
             (SELECT encode(e.hash, 'hex') FROM ledger_entry e
               WHERE e.account_id = a.id AND (w.seq IS NULL OR e.seq <= w.seq) ORDER BY e.seq DESC LIMIT 1),
             {_rows("ledger_lot", "lots", "r.seq, r.number")},
             {_rows("ledger_hold", "holds", "r.seq")},
             {_rows("ledger_closure", "closures", "r.seq")}
           ), 'UTF8'))
      FROM unnest(%s::bigint[], %s::bigint[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::jsonb[])
           AS w (id, seq, account, lots, holds, closures)
      JOIN ledger_account a ON a.id = w.id"""


def kept_now(account_ids: Sequence[int]) -> dict[int, Now]:
    """These accounts as they are now."""
    nothing = ["{}"] * len(account_ids)
    rows = _read([list(account_ids), [None] * len(account_ids), nothing, nothing, nothing, nothing])
    return {pk: Now(seq, bytes(head), bytes(kept)) for pk, seq, head, kept in rows}


def kept_then(accounts: Iterable[Earlier]) -> dict[int, bytes]:
    """The hashes of these accounts as they are said to have been."""
    accounts = list(accounts)
    columns: list[list[Any]] = [[one.account_id for one in accounts], [one.seq for one in accounts]]
    parts = ("account", "lots", "holds", "closures")
    columns += [[json.dumps(getattr(one, part), default=_text) for one in accounts] for part in parts]
    return {pk: bytes(kept) for pk, _, _, kept in _read(columns)}


def _read(columns: list[list[Any]]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, columns)
        return list(cursor.fetchall())


def _text(value: object) -> str:
    if isinstance(value, date):  # a datetime as well
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"a {type(value).__name__} is no value of a column")
