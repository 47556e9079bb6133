"""The one statement that writes drafts: entries, allocations, lots, dates, notices and accounts, as arrays.

Rows of the same statement are joined by their names (account, seq, number), so no id is needed beforehand. Only the
parts that a batch needs are put together: a handful of shapes, which the server can keep prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from ledger.allocation import LotState
from ledger.book import Book
from ledger.chain import HASH_VERSION
from ledger.drafts import Closing, Draft, HoldState

Columns = list[list[Any]]


def write(books: Iterable[Book]) -> None:
    """Write all that these books drafted. Final states only: PostgreSQL updates no row that its statement inserted."""
    books = [book for book in books if book.drafts]
    if not books:
        return
    drafts = [draft for book in books for draft in book.drafts]
    parts: list[tuple[str, Columns]] = [
        (_ENTRIES, _entries(drafts)),
        (_LOTS, _new_lots(drafts)),
        (_ALLOCATIONS, _allocations(drafts)),
        (_EXTENSIONS, _extensions(drafts)),
        (_NOTICES, _notices(drafts)),
        (_HOLDS, _holds(drafts)),
        (_CLOSURES, _closures(drafts)),
        (_TOUCHED_LOTS, _touched_lots(books)),
        (_ENDED_HOLDS, _ended(books, HoldState)),
        (_ENDED_CLOSURES, _ended(books, Closing)),
    ]
    used = [(sql, columns) for sql, columns in parts if columns and columns[0]]
    if _LOTS not in (sql for sql, _ in used):
        used.insert(1, (_NO_LOTS, []))
    statement = "WITH " + ",\n".join(sql for sql, _ in used) + _ACCOUNTS
    arrays = [column for _, columns in used for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*arrays, *_accounts(books)])


_ENTRIES = """new_entry AS (
  INSERT INTO ledger_entry (account_id, programme_id, seq, kind, amount, debt_delta, written_off, balance_after, debt_after, key,
         body_hash, actor, reason, reference, undoes_seq, asked, available, effective_at, recorded_at, hash_version,
         hash)
  SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
         %s::bigint[], %s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
         %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::smallint[], %s::bytea[])
  RETURNING id, account_id, seq)"""

# The ids of lots rise in the order of `seq` and `number`, because the rows arrive in that order.
_LOTS = """new_lot AS (
  INSERT INTO ledger_lot (account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, remaining,
         open, spendable_at, expires_at, gated, notice_days, notice_slack, first_spendable_at, first_expires_at,
         moved_untold)
  SELECT account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, remaining,
         remaining > 0, spendable_at, expires_at, gated, notice_days, notice_slack, first_spendable_at, first_expires_at,
         moved_untold
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::text[],
         %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::boolean[], %s::integer[], %s::integer[],
         %s::timestamptz[], %s::timestamptz[], %s::boolean[])
      AS l (account_id, programme_id, seq, number, family_seq, policy_id, origin, granted, remaining, spendable_at,
         expires_at, gated, notice_days, notice_slack, first_spendable_at, first_expires_at, moved_untold)
  RETURNING id, account_id, seq, number)"""

_NO_LOTS = """new_lot AS (
  SELECT NULL::bigint AS id, NULL::bigint AS account_id, NULL::bigint AS seq, NULL::smallint AS number WHERE false)"""

_ALLOCATIONS = """new_allocation AS (
  INSERT INTO ledger_allocation (entry_id, lot_id, delta, until)
  SELECT e.id, coalesce(a.lot_id, l.id), a.delta, a.until
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::timestamptz[])
      WITH ORDINALITY AS a (account_id, seq, lot_id, lot_seq, lot_number, delta, until, place)
    JOIN new_entry e ON e.account_id = a.account_id AND e.seq = a.seq
    LEFT JOIN new_lot l ON a.lot_id IS NULL
     AND l.account_id = a.account_id AND l.seq = a.lot_seq AND l.number = a.lot_number
   ORDER BY a.place)"""

_EXTENSIONS = """new_extension AS (
  INSERT INTO ledger_extension (entry_id, lot_id, was, until, spendable_was, spendable_until)
  SELECT e.id, coalesce(x.lot_id, l.id), x.was, x.until, x.spendable_was, x.spendable_until
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::timestamptz[],
         %s::timestamptz[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
      AS x (account_id, seq, lot_id, lot_seq, lot_number, was, until, spendable_was, spendable_until, place)
    JOIN new_entry e ON e.account_id = x.account_id AND e.seq = x.seq
    LEFT JOIN new_lot l ON x.lot_id IS NULL
     AND l.account_id = x.account_id AND l.seq = x.lot_seq AND l.number = x.lot_number
   ORDER BY x.place)"""

# A notice names its lots in one text of ids, because an array of arrays of different lengths cannot be sent.
_NOTICES = """new_notice AS (
  INSERT INTO ledger_notice (entry_id, account_id, expires_at, expires_on, told_on, channel, evidence, lots, waiver)
  SELECT e.id, n.account_id, n.expires_at, n.expires_on, n.told_on, n.channel, n.evidence, n.lots::bigint[], n.waiver
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::date[], %s::date[], %s::text[], %s::text[],
         %s::text[], %s::text[])
      AS n (account_id, seq, expires_at, expires_on, told_on, channel, evidence, lots, waiver)
    JOIN new_entry e ON e.account_id = n.account_id AND e.seq = n.seq)"""

_TOUCHED_LOTS = """touched_lot AS (
  UPDATE ledger_lot AS l
     SET remaining = t.remaining, open = t.remaining > 0, spendable_at = t.spendable_at, expires_at = t.expires_at,
         gated = t.gated, moved_untold = t.moved_untold
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::boolean[], %s::boolean[])
      AS t (id, remaining, spendable_at, expires_at, gated, moved_untold)
   WHERE l.id = t.id)"""

_HOLDS = """new_hold AS (
  INSERT INTO ledger_hold (account_id, programme_id, seq, points, lapses_at, open)
  SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::boolean[]))"""

_CLOSURES = """new_closure AS (
  INSERT INTO ledger_closure (account_id, programme_id, seq, closes_at, points, open)
  SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::boolean[]))"""

_ENDED_HOLDS = """ended_hold AS (
  UPDATE ledger_hold SET open = false WHERE id = ANY (%s::bigint[]))"""

_ENDED_CLOSURES = """ended_closure AS (
  UPDATE ledger_closure SET open = false WHERE id = ANY (%s::bigint[]))"""

_ACCOUNTS = """
UPDATE ledger_account AS a
   SET balance = t.balance, debt = t.debt, seq = t.seq, head_hash = t.head_hash, last_recorded_at = t.last_recorded_at,
       active_at = t.active_at, not_before = t.not_before, lapses_at = t.lapses_at, closes_at = t.closes_at,
       closed = t.closed
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[], %s::timestamptz[],
       %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::boolean[])
    AS t (id, balance, debt, seq, head_hash, last_recorded_at, active_at, not_before, lapses_at, closes_at, closed)
 WHERE a.id = t.id"""


def _columns(rows: Iterable[Sequence[Any]]) -> Columns:
    """Rows turned into columns, one list for each array of the statement."""
    return [list(column) for column in zip(*rows, strict=True)]


def _entries(drafts: Sequence[Draft]) -> Columns:
    return _columns(
        (
            d.account_id,
            d.programme_id,
            d.seq,
            d.kind.value,
            d.amount,
            d.debt_delta,
            d.written_off,
            d.balance_after,
            d.debt_after,
            d.key,
            d.body_hash,
            d.actor,
            d.reason,
            d.reference,
            d.undoes_seq,
            d.asked,
            d.available,
            d.effective_at,
            d.recorded_at,
            HASH_VERSION,
            d.hash,
        )
        for d in drafts
    )


def _new_lots(drafts: Sequence[Draft]) -> Columns:
    return _columns(
        (
            d.account_id,
            d.programme_id,
            lot.seq,
            lot.number,
            lot.family_seq,
            lot.policy_id,
            lot.origin,
            lot.granted,
            lot.remaining,
            lot.spendable_at,
            lot.expires_at,
            lot.gated,
            lot.notice_days,
            lot.notice_slack,
            lot.first_spendable_at,
            lot.first_expires_at,
            lot.moved_untold,
        )
        for d in drafts
        for lot in d.made
    )


def _allocations(drafts: Sequence[Draft]) -> Columns:
    return _columns((*_named(d, lot), delta, until) for d in drafts for lot, delta, until in d.allocations)


def _extensions(drafts: Sequence[Draft]) -> Columns:
    return _columns(
        (*_named(d, move.lot), move.was, move.until, move.spendable_was, move.spendable_until)
        for d in drafts
        for move in d.moves
    )


def _notices(drafts: Sequence[Draft]) -> Columns:
    return _columns(
        (
            d.account_id,
            d.seq,
            d.told.expires_at,
            d.told.expires_on,
            d.told.told_on,
            d.told.channel,
            d.told.evidence,
            "{" + ",".join(str(lot.id) for lot in d.told.lots) + "}",
            d.told.waiver,
        )
        for d in drafts
        if d.told
    )


def _touched_lots(books: Sequence[Book]) -> Columns:
    return _columns(
        (lot.id, lot.remaining, lot.spendable_at, lot.expires_at, lot.gated, lot.moved_untold)
        for book in books
        for lot in book.touched.values()
    )


def _holds(drafts: Sequence[Draft]) -> Columns:
    held = ((d, d.held) for d in drafts if d.held)
    return _columns((d.account_id, d.programme_id, h.seq, h.points, h.lapses_at, h.open) for d, h in held)


def _closures(drafts: Sequence[Draft]) -> Columns:
    closing = ((d, d.closing) for d in drafts if d.closing)
    return _columns((d.account_id, d.programme_id, c.seq, c.closes_at, c.points, c.open) for d, c in closing)


def _ended(books: Sequence[Book], kind: type) -> Columns:
    return _columns((pending.id,) for book in books for pending in book.ended if isinstance(pending, kind))


def _accounts(books: Sequence[Book]) -> Columns:
    return _columns(
        (
            b.account_id,
            b.balance,
            b.debt,
            b.seq,
            b.head_hash,
            b.last_recorded_at,
            b.active_at,
            b.not_before,
            b.lapses_at,
            b.closes_at,
            b.closed,
        )
        for b in books
    )


def _named(draft: Draft, lot: LotState) -> tuple[int, int, int | None, int, int]:
    return (draft.account_id, draft.seq, lot.id, lot.seq, lot.number)
