"""What bulk paths are measured against: the bare statements that write the same rows.

The tables lie in a schema of their own, migrated the same way: with the same columns, indexes, checks, foreign keys
and triggers. The rows come from the ledger's own tables once it has written them, so nothing has to be worked out or
sent; what is left is the server's work for these rows, as many of them to a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks import databases
from benchmarks.databases import BARE

IN_ONE_TRANSACTION = 1000  # entries, as an import's rows and a sweep's lots
TABLES = ("programme", "policy", "member", "account", "entry", "lot", "allocation")
# What never changes of a row, and so is in no update; `seq` is that of the entry that made a lot.
OF_AN_ACCOUNT = ("id", "programme_id", "member_id")
OF_A_LOT = (
    *("id", "account_id", "programme_id", "seq", "number", "family_seq", "policy_id", "origin", "granted"),
    *("notice_days", "notice_slack", "first_expires_at", "first_spendable_at"),
)
ENTRIES = "SELECT * FROM public.ledger_entry WHERE id = ANY(%(ids)s)"
ALLOCATIONS = "SELECT * FROM public.ledger_allocation WHERE entry_id = ANY(%(ids)s)"
ACCOUNTS = f"SELECT account_id FROM ({ENTRIES}) AS e"
NEW_ACCOUNTS = f"""
  public.ledger_account a WHERE a.id IN ({ACCOUNTS})
   AND NOT EXISTS (SELECT FROM {BARE}.ledger_account b WHERE b.id = a.id)"""
NEW_MEMBERS = f"SELECT * FROM public.ledger_member WHERE id IN (SELECT a.member_id FROM {NEW_ACCOUNTS})"
MADE_LOTS = f"""
  SELECT l.* FROM public.ledger_lot l
    JOIN ({ENTRIES}) AS e ON e.account_id = l.account_id AND e.seq = l.seq ORDER BY l.id"""


@dataclass
class Bare:
    """The rows of one programme, written again round by round. `expiries`: of a sweep, else of grants."""

    database: str
    programme_id: int
    expiries: bool
    _last: int = 0  # the last entry that both have
    _columns: dict[str, list[str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Give the bare tables what the ledger's have by now, with triggers asleep."""
        with self._connect() as bare:
            bare.execute("SET session_replication_role = replica")
            for table in TABLES:
                bare.execute(self._insert(table, f"SELECT * FROM public.ledger_{table} ORDER BY id"))
            bare.execute("ANALYZE")
        self._last = databases.one(self.database, "SELECT coalesce(max(id), 0) FROM ledger_entry")

    def repeat(self) -> tuple[int, float]:
        """Write again what the ledger has written since the last time: how many entries, and in how many seconds."""
        ids = self._new_entries()
        statements = self._of_expiries() if self.expiries else self._of_grants()
        with self._connect() as bare:
            started = time.monotonic()
            for first in range(0, len(ids), IN_ONE_TRANSACTION):
                with bare.transaction():
                    for statement in statements:
                        bare.execute(statement, {"ids": ids[first : first + IN_ONE_TRANSACTION]})
            seconds = time.monotonic() - started
        self._last = ids[-1] if ids else self._last
        return len(ids), seconds

    def differences(self) -> int:
        """How many rows of the programme are not the same on both sides: a yardstick that falls short is none."""
        count = 0
        with self._connect() as bare:
            for table in ("account", "lot", "entry"):
                names = self._names(self._columns_of(bare, table))
                ours, theirs = (
                    f"SELECT {names} FROM {schema}.ledger_{table} WHERE programme_id = {self.programme_id}"
                    for schema in ("public", BARE)
                )
                found = bare.execute(f"SELECT count(*) FROM ({ours} EXCEPT {theirs}) AS missing".encode()).fetchone()
                assert found is not None
                count += found[0]
        return count

    def _new_entries(self) -> list[int]:
        with databases.connect(self.database) as plain:
            plain.execute("ANALYZE")
            found = plain.execute(
                "SELECT id FROM ledger_entry WHERE programme_id = %s AND id > %s ORDER BY id",
                [self.programme_id, self._last],
            )
            return [entry_id for (entry_id,) in found]

    def _of_grants(self) -> list[bytes]:
        return [
            self._insert("member", NEW_MEMBERS),
            self._insert("account", f"SELECT a.* FROM {NEW_ACCOUNTS}"),
            self._insert("entry", f"{ENTRIES} ORDER BY id"),
            self._insert("lot", MADE_LOTS),
            self._insert("allocation", f"{ALLOCATIONS} ORDER BY id"),
            self._update("account", OF_AN_ACCOUNT, f"n.id IN ({ACCOUNTS})"),
        ]

    def _of_expiries(self) -> list[bytes]:
        return [
            self._insert("entry", f"{ENTRIES} ORDER BY id"),
            self._insert("allocation", f"{ALLOCATIONS} ORDER BY id"),
            self._update("lot", OF_A_LOT, f"n.id IN (SELECT lot_id FROM ({ALLOCATIONS}) AS a)"),
            self._update("account", OF_AN_ACCOUNT, f"n.id IN ({ACCOUNTS})"),
        ]

    def _insert(self, table: str, rows: str) -> bytes:
        with self._connect() as bare:
            names = self._names(self._columns_of(bare, table))
        return f"INSERT INTO {BARE}.ledger_{table} ({names}) SELECT {names} FROM ({rows}) AS r".encode()

    def _update(self, table: str, but: Sequence[str], which: str) -> bytes:
        with self._connect() as bare:
            changing = [name for name in self._columns_of(bare, table) if name not in but]
        values = ", ".join(f'"{name}" = n."{name}"' for name in changing)
        return (
            f"UPDATE {BARE}.ledger_{table} AS b SET {values} FROM public.ledger_{table} AS n"
            f" WHERE b.id = n.id AND {which}"
        ).encode()

    def _columns_of(self, bare: psycopg.Connection[Any], table: str) -> list[str]:
        if table not in self._columns:
            found = bare.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                [BARE, f"ledger_{table}"],
            )
            self._columns[table] = [name for (name,) in found]
        return self._columns[table]

    def _names(self, columns: Sequence[str]) -> str:
        return ", ".join(f'"{name}"' for name in columns)

    def _connect(self) -> psycopg.Connection[Any]:
        return databases.connect(self.database, schema=BARE)


def check_same(ours: int, theirs: int) -> None:
    """Raises AssertionError unless both sides wrote as many rows."""
    if ours != theirs:
        raise AssertionError(f"the bare statements wrote {theirs} rows for our {ours}: they are no yardstick")
