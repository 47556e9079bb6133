"""What tests look at: the rows of the ledger as they stand, so that a refusal can show that nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from ledger.models import Account, Allocation, Entry, Lot
from ledger.receipts import Receipt

TABLES = (
    *("programme", "policy", "member", "account", "entry", "allocation", "lot", "extension", "notice"),
    *("hold", "closure"),
)


def every_row() -> dict[str, list[tuple]]:
    """All rows of all tables of the ledger, every column."""
    rows = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM ledger_{table} ORDER BY id")
            rows[table] = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor]
    return rows


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fail unless every row of the ledger is the same after the block."""
    before = every_row()
    yield
    assert every_row() == before


def plan_of(statement: str) -> str:
    """How the database would go about a statement as it was captured, with its values."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())


def entries(account: Account) -> list[tuple[str, int]]:
    """(kind, amount) of the account's entries in order."""
    return list(Entry.objects.filter(account=account).order_by("seq").values_list("kind", "amount"))


def slices(receipt: Receipt) -> list[tuple[int, int]]:
    """(the entry that made the lot, points) of what an act's entry gave to and took from lots, in its order."""
    rows = Allocation.objects.filter(entry__account_id=receipt.account_id, entry__seq=receipt.seq).order_by("pk")
    return list(rows.values_list("lot__seq", "delta"))


def remainders(account: Account) -> dict[int, int]:
    """What is left in each of the account's lots, by the entry that made it."""
    return dict(Lot.objects.filter(account=account).order_by("seq").values_list("seq", "remaining"))


def row_of(account: Account) -> tuple[int, int, int]:
    """The account's cached (balance, debt, number of entries), read again."""
    return Account.objects.values_list("balance", "debt", "seq").get(pk=account.pk)
