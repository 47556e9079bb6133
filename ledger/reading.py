"""What an act reads under its lock, each in one statement for one account or a thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db import connection

from ledger.allocation import LotState
from ledger.book import Book, GrantFacts
from ledger.kinds import Kind
from ledger.receipts import Receipt

# Open lots read at once; the rest of an account is read only by an act that needs it.
FIRST_LOTS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """The receipt already given under a key, and the hash of what was asked."""

    body_hash: bytes
    receipt: Receipt

    def replay(self) -> Receipt:
        return replace(self.receipt, replayed=True)


def lock_accounts(ids: Iterable[int], *, skip_locked: bool = False) -> tuple[dict[int, Book], datetime]:
    """Lock these accounts in id order and open a book for each; also the database's clock, now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        clock: datetime = cursor.fetchone()[0]
        cursor.execute(
            f"""
            SELECT id, programme_id, balance, debt, seq, head_hash, last_recorded_at
              FROM ledger_account WHERE id = ANY(%s) ORDER BY id
               FOR NO KEY UPDATE {"SKIP LOCKED" if skip_locked else ""}
            """,
            [sorted(ids)],
        )
        rows = cursor.fetchall()
    return {
        account_id: Book(account_id, programme_id, balance, debt, seq, bytes(head), last)
        for account_id, programme_id, balance, debt, seq, head, last in rows
    }, clock


def read_answers(books: dict[int, Book], keys: Sequence[str]) -> dict[tuple[int, str], Answer]:
    """The answers already given under these keys, by programme and key.

    A settle right behind a grant belongs to its answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.programme_id, e.key, e.body_hash, e.account_id, e.seq, e.kind, e.amount, e.debt_delta,
                   e.asked, e.available, e.effective_at, e.recorded_at,
                   coalesce(-s.debt_delta, 0), coalesce(s.balance_after, e.balance_after),
                   coalesce(s.debt_after, e.debt_after)
              FROM ledger_entry e
              LEFT JOIN ledger_entry s ON s.account_id = e.account_id AND s.seq = e.seq + 1 AND s.kind = 'settle'
             WHERE e.programme_id = ANY(%s) AND e.key = ANY(%s)
            """,
            [list({book.programme_id for book in books.values()}), list(keys)],
        )
        rows = cursor.fetchall()
    return {
        (programme_id, key): Answer(
            body_hash=bytes(body_hash),
            receipt=Receipt(
                account_id=account_id,
                seq=seq,
                kind=Kind(kind),
                points=abs(amount),
                settled=settled,
                debt_added=debt_delta,
                asked=asked,
                available=available,
                balance=balance,
                debt=debt,
                effective_at=effective_at,
                recorded_at=recorded_at,
                replayed=False,
            ),
        )
        for programme_id, key, body_hash, account_id, seq, kind, amount, debt_delta, asked, available, effective_at, (
            recorded_at
        ), settled, balance, debt in rows
    }


_LOT = """l.id, l.seq, l.number, l.family_seq, l.policy_id, l.origin, l.granted, l.remaining, l.spendable_at,
          l.expires_at, l.gated, l.notice_days, l.notice_slack"""


def read_open_lots(books: dict[int, Book]) -> None:
    """Fill each book with its first open lots in redemption order, and a way to read those behind them."""
    first: dict[int, list[LotState]] = {account_id: [] for account_id in books}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT a.id, {_LOT}
              FROM unnest(%s::bigint[]) AS a (id)
             CROSS JOIN LATERAL (
                   SELECT * FROM ledger_lot WHERE account_id = a.id AND open
                    ORDER BY expires_at NULLS LAST, seq, number LIMIT {FIRST_LOTS}) AS l
            """,
            [list(books)],
        )
        for account_id, *lot in cursor.fetchall():
            first[account_id].append(_lot_state(lot))
    for account_id, lots in first.items():
        may_be_more = len(lots) == FIRST_LOTS
        books[account_id].fill(lots, partial(_read_rest, account_id) if may_be_more else None)


def _read_rest(account_id: int) -> list[LotState]:
    # An offset is safe here: the account is locked, and nothing was written since the first page.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_LOT} FROM ledger_lot AS l WHERE account_id = %s AND open
             ORDER BY expires_at NULLS LAST, seq, number OFFSET {FIRST_LOTS}
            """,
            [account_id],
        )
        return [_lot_state(lot) for lot in cursor.fetchall()]


def _lot_state(row: Sequence) -> LotState:
    lot_id, seq, number, family_seq, policy_id, origin, granted, remaining, spendable_at, expires_at, *gate = row
    gated, notice_days, notice_slack = gate
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
    )


def read_grants(books: dict[int, Book], wanted: Sequence[tuple[int, str]]) -> None:
    """Note in the books what clawbacks must know of the grants they undo; `wanted` are (account, key of the grant).

    A key that is no grant of that account stays unknown.
    """
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.account_id, g.key, g.seq, g.amount,
                   (SELECT coalesce(-sum(c.amount), 0) FROM ledger_entry c
                     WHERE c.account_id = g.account_id AND c.undoes_seq = g.seq AND c.kind = 'clawback'),
                   (SELECT coalesce(-sum(a.delta), 0)
                      FROM ledger_lot l
                      JOIN ledger_allocation a ON a.lot_id = l.id
                      JOIN ledger_entry x ON x.id = a.entry_id AND x.kind = 'expire'
                     WHERE l.account_id = g.account_id AND l.family_seq = g.seq)
              FROM unnest(%s::bigint[], %s::text[]) AS w (account_id, key)
              JOIN ledger_account o ON o.id = w.account_id
              JOIN ledger_entry g ON g.programme_id = o.programme_id AND g.key = w.key
               AND g.account_id = w.account_id AND g.kind = 'grant'
            """,
            [[account_id for account_id, _ in wanted], [key for _, key in wanted]],
        )
        for account_id, key, seq, granted, clawed_back, expired in cursor.fetchall():
            if account_id in books:
                books[account_id].grants[key] = GrantFacts(seq, granted, int(clawed_back), int(expired))
