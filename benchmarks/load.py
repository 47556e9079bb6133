"""Filling tables fast: accounts whose rows the ledger has written are copied, with all their entries and lots.

Going through the acts, ten million lots would take most of a day. So the acts write one account, and SQL copies its
rows with triggers and foreign keys asleep, as the owner of a database may. Every column is copied as it is but for the
ids, the member's reference and the keys; whatever columns the ledger's tables get, copies have them as well. The one
thing that is wrong with a copy is its chain of hashes, which covers the account's id: no act looks back at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from benchmarks.progress import say

AT_ONCE = 200_000  # rows of one statement
ZEROS = "0000000"  # in an address that is copied: each copy has its account's number in their place
TABLES = ("member", "account", "entry", "lot", "allocation")


@dataclass(frozen=True, slots=True)
class Part:
    """One table's rows of the account that is copied.

    `rows` are these with a `rank` from 0 on; `many` of them; `first` is the id of their first copy. The copies of
    rank 0 of all accounts come first, then those of rank 1: an account's lots lie apart, as if granted over time.
    """

    table: str
    rows: str
    many: int
    first: int

    def id(self, rank: str, copies: int) -> str:
        return f"{self.first} + {rank} * {copies} + k"


def copy_account(account_id: int, copies: int) -> range:
    """Copy an account with its member, entries, lots and allocations; the ids of the new accounts.

    The account must have nothing but what grants and redemptions write.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            parts = {table: _part(cursor, table, account_id) for table in TABLES}
            done, total = 0, copies * sum(part.many for part in parts.values())
            for table in TABLES:
                for first, last, from_copy, to_copy in _chunks(parts[table].many, copies):
                    sql = _copy(cursor, parts, table, copies)
                    cursor.execute(sql, [from_copy, to_copy, first, last])
                    before, done = done, done + cursor.rowcount
                    if done * 10 // total > before * 10 // total and total > 10 * AT_ONCE:
                        say(f"  filled {done:,} of {total:,} rows")
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('ledger_{table}', 'id'), max(id)) FROM ledger_{table}"
                )
        finally:
            cursor.execute("SET session_replication_role = origin")
    accounts = parts["account"].first
    return range(accounts, accounts + copies)


def _part(cursor: CursorWrapper, table: str, account_id: int) -> Part:
    of_account = f"SELECT id FROM ledger_entry WHERE account_id = {account_id}"
    where = {
        "member": f"id = (SELECT member_id FROM ledger_account WHERE id = {account_id})",
        "account": f"id = {account_id}",
        "allocation": f"entry_id IN ({of_account})",
    }.get(table, f"account_id = {account_id}")
    cursor.execute(f"SELECT count(*) FILTER (WHERE {where}), max(id) FROM ledger_{table}")
    many, highest = cursor.fetchone()
    rows = f"(SELECT *, row_number() OVER (ORDER BY id) - 1 AS rank FROM ledger_{table} WHERE {where})"
    return Part(table, rows, many, (highest or 0) + 1)


def _chunks(many: int, copies: int) -> Iterator[tuple[int, int, int, int]]:
    """(first rank, last rank, first copy, last copy) of statements of about AT_ONCE rows, in the order of ids."""
    if copies >= AT_ONCE:
        for rank in range(many):
            for start in range(0, copies, AT_ONCE):
                yield rank, rank, start, min(start + AT_ONCE, copies) - 1
        return
    ranks = max(1, AT_ONCE // copies)
    for rank in range(0, many, ranks):
        yield rank, min(rank + ranks, many) - 1, 0, copies - 1


def _copy(cursor: CursorWrapper, parts: dict[str, Part], table: str, copies: int) -> str:
    part = parts[table]
    new: dict[str, str] = {"id": part.id("t.rank", copies)}
    also = ""
    if table == "member":
        new |= {"reference": "t.reference || '-' || k", "user_id": "NULL"}
    elif table == "account":
        new["member_id"] = parts["member"].id("0", copies)
    else:
        new["account_id"] = parts["account"].id("0", copies)
    if table == "entry":
        new["key"] = f"t.key || '-{parts['account'].first}-' || k"
    if table == "allocation":
        new |= {"entry_id": parts["entry"].id("e.rank", copies), "lot_id": parts["lot"].id("l.rank", copies)}
        also = f"JOIN {parts['entry'].rows} e ON e.id = t.entry_id JOIN {parts['lot'].rows} l ON l.id = t.lot_id"
    columns = _columns(cursor, f"ledger_{table}")
    values = ", ".join(new.get(name, f't."{name}"') for name in columns)
    return f"""
        INSERT INTO ledger_{table} ({", ".join(f'"{name}"' for name in columns)})
        SELECT {values}
          FROM (SELECT * FROM {part.rows} r OFFSET 0) t
          {also}
         CROSS JOIN generate_series(%s::bigint, %s::bigint) AS k
         WHERE t.rank BETWEEN %s AND %s ORDER BY t.rank, k"""


def copy_contact(contact_id: int, account_ids: range) -> None:
    """Copy a contact to the members of these accounts, each with an address of their own (ZEROS)."""
    if not account_ids:
        return
    with connection.cursor() as cursor:
        new = {
            "member_id": "a.member_id",
            "address": f"replace(t.address, '{ZEROS}', lpad((a.id %% 10000000)::text, {len(ZEROS)}, '0'))",
            "address_trace": "''",  # that of the first is none of theirs, and SQL cannot make it
        }
        columns = [name for name in _columns(cursor, "alerts_contact") if name != "id"]
        values = ", ".join(new.get(name, f't."{name}"') for name in columns)
        cursor.execute(
            f"""
            INSERT INTO alerts_contact ({", ".join(f'"{name}"' for name in columns)})
            SELECT {values} FROM alerts_contact t CROSS JOIN ledger_account a
             WHERE t.id = %s AND a.id BETWEEN %s AND %s ORDER BY a.id""",
            [contact_id, account_ids[0], account_ids[-1]],
        )


def _columns(cursor: CursorWrapper, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]
