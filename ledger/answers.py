"""The answers already given: what the ledger said under a key, built again from the entries that the act wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import connection

from ledger.kinds import RESTORING, Kind
from ledger.receipts import Receipt, Restored, receipt_of


@dataclass(frozen=True, slots=True)
class Answer:
    """The receipt given under a key, and the hash of what was asked."""

    body_hash: bytes
    receipt: Receipt

    def replay(self) -> Receipt:
        return replace(self.receipt, replayed=True)


@dataclass(slots=True)
class Row:
    """An entry as an answer needs it."""

    id: int
    programme_id: int
    account_id: int
    seq: int
    kind: Kind
    key: str | None
    body_hash: bytes
    undoes_seq: int | None
    amount: int
    debt_delta: int
    written_off: int
    asked: int | None
    available: int | None
    balance_after: int
    debt_after: int
    effective_at: datetime
    recorded_at: datetime
    restored: list[Restored] = field(default_factory=list)


_ROW = """e.id, e.programme_id, e.account_id, e.seq, e.kind, e.key, e.body_hash, e.undoes_seq, e.amount, e.debt_delta,
          e.written_off, e.asked, e.available, e.balance_after, e.debt_after, e.effective_at, e.recorded_at"""


def read_answers(programme_ids: Iterable[int], keys: Sequence[str]) -> dict[tuple[int, str], Answer]:
    """The answers already given under these keys, by programme and key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_ROW} FROM ledger_entry e WHERE e.programme_id = ANY(%s) AND e.key = ANY(%s)",
            [list(programme_ids), list(keys)],
        )
        entries = [_row(row) for row in cursor.fetchall()]
    if not entries:
        return {}
    behind = _read_behind(entries)
    groups = [(entry, list(_companions(entry, behind))) for entry in entries]
    _read_restored([line for entry, companions in groups for line in (entry, *companions)])
    return {
        (entry.programme_id, entry.key or ""): Answer(entry.body_hash, receipt_of(entry, companions))
        for entry, companions in groups
    }


def _row(row: Sequence) -> Row:
    found = Row(*row)
    found.kind, found.body_hash = Kind(found.kind), bytes(found.body_hash or b"")
    return found


def _read_behind(entries: Sequence[Row]) -> dict[tuple[int, int], Row]:
    """The entries one and two places behind these, by account and seq."""
    places = [(entry.account_id, entry.seq + step) for entry in entries for step in (1, 2)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_ROW} FROM unnest(%s::bigint[], %s::bigint[]) AS w (account_id, seq)
              JOIN ledger_entry e ON e.account_id = w.account_id AND e.seq = w.seq
            """,
            [[account_id for account_id, _ in places], [seq for _, seq in places]],
        )
        return {(found.account_id, found.seq): found for found in map(_row, cursor.fetchall())}


def _companions(entry: Row, behind: dict[tuple[int, int], Row]) -> Iterator[Row]:
    """What the same act wrote behind its entry: what a capture left of its hold, and the settling of debt."""
    following = behind.get((entry.account_id, entry.seq + 1))
    released = following and following.kind == Kind.RELEASE and following.undoes_seq == entry.undoes_seq
    if following and released and entry.kind == Kind.CAPTURE:
        yield following
        following = behind.get((entry.account_id, entry.seq + 2))
    if following and following.kind == Kind.SETTLE:
        yield following


def _read_restored(entries: Sequence[Row]) -> None:
    """Note at those that gave points back how many, until when."""
    restoring = {entry.id: entry for entry in entries if entry.kind in RESTORING}
    if not restoring:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, delta, until FROM ledger_allocation WHERE entry_id = ANY(%s) AND delta > 0 ORDER BY id",
            [list(restoring)],
        )
        for entry_id, points, until in cursor.fetchall():
            restoring[entry_id].restored.append(Restored(points, until))
