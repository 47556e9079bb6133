"""What every act reads: the page of an account, or of many under their locks, and what the clock will do to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from ledger import wire
from ledger.allocation import LotState, Slice
from ledger.book import Book
from ledger.drafts import Closing, HoldState
from ledger.rules import rules_with

# Open lots read with their account. Further ones are read only by an act that needs them, so many times more with each
# page: an act on a few more reads little, and one on all of them asks few times.
FIRST_LOTS = 16
GROWTH = 4


@dataclass(slots=True)
class Opened:
    """The books of some accounts, and what was read with them."""

    books: dict[int, Book]
    clock: datetime | None  # the database's; None: none of the accounts exists
    is_known: bool  # an answer may be on record under one of the keys


# What every act must know: a row for each account and its first open lots in redemption order, or for the account
# alone.
_PAGE = """
SELECT clock_timestamp(), a.known, a.id, a.programme_id, a.balance, a.debt, a.seq, a.head_hash, a.last_recorded_at,
       a.active_at, a.not_before, a.lapses_at, a.closes_at, a.closed, a.books_closed_until, a.cooling_off_days,
       a.policies, {lot}
  FROM (SELECT a.*, p.books_closed_until, p.cooling_off_days, {known} AS known,
               (SELECT count(*) FROM ledger_policy WHERE programme_id = p.id) AS policies
          FROM ledger_account a JOIN ledger_programme p ON p.id = a.programme_id
         WHERE a.id = {wanted} OFFSET 0) AS a
  LEFT JOIN LATERAL (
       SELECT * FROM ledger_lot WHERE account_id = a.id AND open
        ORDER BY expires_at NULLS LAST, seq, number LIMIT {first_lots}) l ON true"""

# A lot's columns as `lot_state` takes them.
LOT = """l.id, l.seq, l.number, l.family_seq, l.policy_id, l.origin, l.granted, l.remaining, l.spendable_at,
         l.expires_at, l.gated, l.notice_days, l.notice_slack, l.first_spendable_at, l.first_expires_at,
         l.moved_untold"""

_KNOWN = "EXISTS (SELECT FROM ledger_entry e WHERE e.programme_id = a.programme_id AND e.key = $2)"


def _page_of(wanted: str, known: str) -> str:
    return _PAGE.format(known=known, lot=LOT, first_lots=FIRST_LOTS, wanted=wanted)


_ONE, _MANY = _page_of("$1", _KNOWN), _page_of("ANY ($1)", "true")


def look_at(account_id: int, key: str) -> Opened:
    """The page of one account as it is now, without its lock, and whether an answer is on record under this key."""
    return _open(wire.call(_ONE, [account_id, key]))


def lock_accounts(ids: Iterable[int], *, skip_locked: bool = False) -> Opened:
    """Lock these accounts in id order, and open a book for each.

    What is read comes in a later statement than the lock: it sees what the one that held it before has written.
    """
    skip = "SKIP LOCKED" if skip_locked else ""
    lock = f"SELECT id FROM ledger_account WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE {skip}"
    locked = [account_id for (account_id,) in wire.call(lock, [sorted(ids)])]
    return _open(wire.call(_MANY, [locked]))


def _open(rows: Sequence[Sequence[Any]]) -> Opened:
    opened = Opened({}, None, False)
    lots: dict[int, list[LotState]] = {}
    for clock, known, account_id, *row in rows:
        if account_id not in lots:
            opened.books[account_id], lots[account_id] = _book(account_id, row), []
            opened.clock, opened.is_known = clock, opened.is_known or known
        if row[LOT_FROM] is not None:
            lots[account_id].append(lot_state(row[LOT_FROM:]))
    for account_id, first in lots.items():
        may_be_more = len(first) == FIRST_LOTS
        opened.books[account_id].fill(first, _Unread(account_id, first[-1]) if may_be_more else None)
    return opened


LOT_FROM = 14  # where the lot's columns begin, behind those of the account


def _book(account_id: int, row: Sequence[Any]) -> Book:
    programme_id, balance, debt, seq, head_hash, last, active_at, not_before, lapses_at, closes_at, *more = row
    closed, books_closed_until, cooling_off_days, policies, *_ = more
    return Book(
        account_id=account_id,
        programme_id=programme_id,
        balance=balance,
        debt=debt,
        seq=seq,
        head_hash=head_hash,
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


# The next page: lots with a date behind the last one that was read, and then those without. A comparison with a date
# says nothing of lots that have none, so that they are asked for by themselves: the index gives both in order.
_NEXT_PAGE = f"""
SELECT {LOT} FROM (
       (SELECT * FROM ledger_lot
         WHERE account_id = $1 AND open AND (expires_at, seq, number) > ($2, $3, $4)
         ORDER BY expires_at, seq, number LIMIT $7)
       UNION ALL
       (SELECT * FROM ledger_lot
         WHERE account_id = $1 AND open AND expires_at IS NULL AND (seq, number) > ($5, $6)
         ORDER BY expires_at, seq, number LIMIT $7)) AS l
 ORDER BY l.expires_at NULLS LAST, l.seq, l.number LIMIT $7"""
_BEFORE_ALL = (-1, -1)  # a seq and a number before those of any lot

_FAMILY = f"SELECT {LOT} FROM ledger_lot AS l WHERE account_id = $1 AND open AND family_seq = $2"

# `is_spendable` once more in SQL, as in `models/lot.py`.
_SPENDABLE = """
SELECT coalesce(sum(remaining), 0)::bigint FROM ledger_lot
 WHERE account_id = $1 AND open AND spendable_at <= $2 AND (expires_at IS NULL OR expires_at > $2 OR gated)
   AND id <> ALL ($3)"""


class _Unread:
    """The open lots of an account behind its first page, read as its book asks for them.

    Without a lock each call may see more than the one before. That is safe: were anything written since the first page,
    what is decided would not be written.
    """

    def __init__(self, account_id: int, last: LotState) -> None:
        self.account_id = account_id
        self.is_over = False
        self._size = FIRST_LOTS
        self._go_behind(last)

    def _go_behind(self, last: LotState) -> None:
        behind = (last.seq, last.number)
        self._after = (last.expires_at, *behind, *(_BEFORE_ALL if last.expires_at else behind))

    def page(self) -> list[LotState]:
        self._size *= GROWTH
        lots = [lot_state(row) for row in wire.call(_NEXT_PAGE, [self.account_id, *self._after, self._size])]
        self.is_over = len(lots) < self._size
        if lots:
            self._go_behind(lots[-1])
        return lots

    def of_family(self, seq: int) -> list[LotState]:
        return [lot_state(row) for row in wire.call(_FAMILY, [self.account_id, seq])]

    def spendable(self, at: datetime, *, but: Sequence[int]) -> int:
        ((points,),) = wire.call(_SPENDABLE, [self.account_id, at, list(but)])
        return int(points)


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
