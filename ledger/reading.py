"""What every act reads under its lock, each in one statement for one account or a thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import connection

from ledger.allocation import LotState, Slice
from ledger.book import Book
from ledger.drafts import Closing, HoldState
from ledger.rules import rules_with

# Open lots read at once; the rest of an account is read only by an act that needs it.
FIRST_LOTS = 64


def lock_accounts(ids: Iterable[int], *, skip_locked: bool = False) -> tuple[dict[int, Book], datetime]:
    """Lock these accounts in id order and open a book for each; also the database's clock, now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        clock: datetime = cursor.fetchone()[0]
        cursor.execute(
            f"""
            SELECT a.id, a.programme_id, balance, debt, seq, head_hash, last_recorded_at, active_at, not_before,
                   lapses_at, closes_at, closed, p.books_closed_until, p.cooling_off_days,
                   (SELECT count(*) FROM ledger_policy WHERE programme_id = p.id)
              FROM ledger_account a JOIN ledger_programme p ON p.id = a.programme_id
             WHERE a.id = ANY(%s) ORDER BY a.id
               FOR NO KEY UPDATE OF a {"SKIP LOCKED" if skip_locked else ""}
            """,
            [sorted(ids)],
        )
        rows = cursor.fetchall()
    return {account_id: _book(account_id, *row) for account_id, *row in rows}, clock


def _book(account_id: int, programme_id: int, balance: int, debt: int, seq: int, head: memoryview, *more) -> Book:
    last, active_at, not_before, lapses_at, closes_at, closed, books_closed_until, cooling_off_days, policies = more
    return Book(
        account_id=account_id,
        programme_id=programme_id,
        balance=balance,
        debt=debt,
        seq=seq,
        head_hash=bytes(head),
        last_recorded_at=last,
        rules=rules_with(programme_id, policies),
        active_at=active_at,
        not_before=not_before,
        lapses_at=lapses_at,
        closes_at=closes_at,
        closed=closed,
        books_closed_until=books_closed_until,
        cooling_off_days=cooling_off_days,
    )


# A lot's columns as `lot_state` takes them.
LOT = """l.id, l.seq, l.number, l.family_seq, l.policy_id, l.origin, l.granted, l.remaining, l.spendable_at,
         l.expires_at, l.gated, l.notice_days, l.notice_slack, l.first_spendable_at, l.first_expires_at,
         l.moved_untold"""


def lot_state(row: Sequence) -> LotState:
    """The state of a lot from its columns."""
    lot_id, seq, number, family_seq, policy_id, origin, granted, remaining, spendable_at, expires_at, *more = row
    gated, notice_days, notice_slack, first_spendable_at, first_expires_at, moved_untold = more
    return LotState(
        id=lot_id,
        seq=seq,
        number=number,
        family_seq=family_seq,
        policy_id=policy_id,
        origin=origin,
        granted=granted,
        remaining=remaining,
        spendable_at=spendable_at,
        expires_at=expires_at,
        gated=gated,
        notice_days=notice_days,
        notice_slack=notice_slack,
        first_spendable_at=first_spendable_at,
        first_expires_at=first_expires_at,
        moved_untold=moved_untold,
    )


def read_open_lots(books: dict[int, Book]) -> None:
    """Fill each book with its first open lots in redemption order, and a way to read those behind them."""
    first: dict[int, list[LotState]] = {account_id: [] for account_id in books}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT a.id, {LOT}
              FROM unnest(%s::bigint[]) AS a (id)
             CROSS JOIN LATERAL (
                   SELECT * FROM ledger_lot WHERE account_id = a.id AND open
                    ORDER BY expires_at NULLS LAST, seq, number LIMIT {FIRST_LOTS}) AS l
            """,
            [list(books)],
        )
        for account_id, *lot in cursor.fetchall():
            first[account_id].append(lot_state(lot))
    for account_id, lots in first.items():
        may_be_more = len(lots) == FIRST_LOTS
        books[account_id].fill(lots, partial(_read_rest, account_id) if may_be_more else None)


def _read_rest(account_id: int) -> list[LotState]:
    # An offset is safe here: the account is locked, and nothing was written since the first page.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {LOT} FROM ledger_lot AS l WHERE account_id = %s AND open
             ORDER BY expires_at NULLS LAST, seq, number OFFSET {FIRST_LOTS}
            """,
            [account_id],
        )
        return [lot_state(lot) for lot in cursor.fetchall()]


def read_pending(books: dict[int, Book]) -> None:
    """Note in the books what the clock will do besides ending lots: the open holds, and a closure asked for."""
    with_holds = [book.account_id for book in books.values() if book.lapses_at]
    closing = [book.account_id for book in books.values() if book.closes_at and not book.closed]
    if with_holds:
        _read_holds(books, with_holds)
    if closing:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, id, seq, closes_at, points FROM ledger_closure WHERE open AND account_id = ANY(%s)",
                [closing],
            )
            for account_id, closure_id, seq, closes_at, points in cursor.fetchall():
                books[account_id].closing = Closing(seq, closes_at, points, id=closure_id)


def _read_holds(books: dict[int, Book], account_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT h.account_id, h.id, h.seq, h.lapses_at, e.key
              FROM ledger_hold h JOIN ledger_entry e ON e.account_id = h.account_id AND e.seq = h.seq
             WHERE h.open AND h.account_id = ANY(%s) ORDER BY h.account_id, h.seq
            """,
            [list(account_ids)],
        )
        holds = cursor.fetchall()
    slices = read_slices(books, [(account_id, seq) for account_id, _, seq, *_ in holds])
    for account_id, hold_id, seq, lapses_at, key in holds:
        books[account_id].holds[seq] = HoldState(seq, key, lapses_at, slices[account_id, seq], id=hold_id)


def read_slices(books: dict[int, Book], entries: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[Slice]]:
    """What these entries, by (account, seq), took from which lots, in the order they took it."""
    slices: dict[tuple[int, int], list[Slice]] = {entry: [] for entry in entries}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.account_id, e.seq, -a.delta, {LOT}
              FROM unnest(%s::bigint[], %s::bigint[]) AS w (account_id, seq)
              JOIN ledger_entry e ON e.account_id = w.account_id AND e.seq = w.seq
              JOIN ledger_allocation a ON a.entry_id = e.id
              JOIN ledger_lot l ON l.id = a.lot_id
             ORDER BY a.id
            """,
            [[account_id for account_id, _ in entries], [seq for _, seq in entries]],
        )
        for account_id, seq, points, *lot in cursor.fetchall():
            slices[account_id, seq].append(Slice(books[account_id].same(lot_state(lot)), points))
    return slices
