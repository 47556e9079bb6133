"""What acts must know of earlier entries: those that they undo, the notices of a date, a lot that has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django.db import connection

from ledger.book import Book
from ledger.drafts import Move
from ledger.kinds import Kind
from ledger.reading import LOT, lot_state, read_slices
from ledger.undoing import EndedFacts, ExtensionFacts, GrantFacts, NoticeFacts, SpendingFacts, first_points


class Asks(Protocol):
    """An order, as far as it asks about earlier entries."""

    @property
    def account_id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def undoes(self) -> str | None: ...
    @property
    def dates(self) -> tuple[datetime, ...]: ...
    @property
    def lot(self) -> int | None: ...


def recall(books: Mapping[int, Book], orders: Sequence[Asks]) -> None:
    """Note in the books what these orders must know.

    What does not exist stays unknown: the act says what that means.
    """
    here = [order for order in orders if order.account_id in books]
    if undone := [(order.account_id, order.undoes) for order in here if order.undoes]:
        _recall_entries(dict(books), undone)
    if dates := [(order.account_id, date) for order in here for date in order.dates]:
        _recall_notices(books, dates)
        _recall_making(books, dates)
    keys = {order.key for order in here}
    if together := {order.account_id for order in here if order.undoes in keys}:
        _recall_notices(books, _dates_told(together))
    if lots := [(order.account_id, order.lot) for order in here if order.lot is not None]:
        _recall_lots(books, lots)


def _recall_entries(books: dict[int, Book], undone: Sequence[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.account_id, e.key, e.seq, e.kind, e.amount, e.asked, e.undoes_seq, n.expires_at, e.reason,
                   CASE WHEN e.kind = 'grant' THEN ARRAY(
                        SELECT u.reason FROM ledger_entry u
                         WHERE u.account_id = e.account_id AND u.undoes_seq = e.seq ORDER BY u.seq) END
              FROM unnest(%s::bigint[], %s::text[]) AS w (account_id, key)
              JOIN ledger_account o ON o.id = w.account_id
              JOIN ledger_entry e ON e.programme_id = o.programme_id AND e.key = w.key AND e.account_id = o.id
              LEFT JOIN ledger_notice n ON n.entry_id = e.id
            """,
            [[account_id for account_id, _ in undone], [key for _, key in undone]],
        )
        entries = cursor.fetchall()
    _recall_grants(books, [(row[0], row[2], row[1], row[4]) for row in entries if row[3] == Kind.GRANT])
    for account_id, key, seq, kind, _, asked, undoes_seq, told_of, reason, undone_for in entries:
        book = books[account_id]
        book.known.reasons[key] = reason
        if undone_for:
            book.known.undone_for[seq] = undone_for
        if kind in (Kind.REDEEM, Kind.CAPTURE):
            book.known.learn(key, _spending(books, account_id, seq, undoes_seq, asked))
        elif kind == Kind.EXTEND and undoes_seq is None:
            facts = _extension(book, seq)
            book.known.learn(key, facts)
            dates = {date for move in facts.moves for date in (move.was, move.until) if date}
            _recall_notices(books, [(account_id, date) for date in dates])
        elif kind == Kind.NOTIFY and told_of:
            _recall_notices(books, [(account_id, told_of)])
            book.known.by_key[key] = book.known.by_seq[seq]
            _meet_lots_of_notice(book, seq)


def _recall_grants(books: Mapping[int, Book], grants: Sequence[tuple[int, int, str, int]]) -> None:
    """What is left of these grants, (account, seq, key, points), to claw back."""
    if not grants:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.account_id, l.seq, l.policy_id,
                   (SELECT coalesce(sum(c.written_off - c.amount), 0) FROM ledger_entry c
                     WHERE c.account_id = l.account_id AND c.undoes_seq = l.seq AND c.kind = 'clawback'),
                   f.expired, f.reinstated
              FROM unnest(%s::bigint[], %s::bigint[]) AS w (account_id, seq)
              JOIN ledger_lot l ON l.account_id = w.account_id AND l.seq = w.seq AND l.number = 0
             CROSS JOIN LATERAL (
                   SELECT coalesce(-sum(a.delta) FILTER (WHERE x.kind = 'expire'), 0) AS expired,
                          coalesce(sum(a.delta) FILTER (WHERE x.kind = 'reinstate'), 0) AS reinstated
                     FROM ledger_lot m
                     JOIN ledger_allocation a ON a.lot_id = m.id
                     JOIN ledger_entry x ON x.id = a.entry_id AND x.kind IN ('expire', 'reinstate')
                    WHERE m.account_id = l.account_id AND m.family_seq = l.seq) AS f
            """,
            [[account_id for account_id, *_ in grants], [seq for _, seq, *_ in grants]],
        )
        facts = {(account_id, seq): more for account_id, seq, *more in cursor.fetchall()}
    for account_id, seq, key, points in grants:
        policy_id, clawed_back, expired, reinstated = facts[account_id, seq]
        facts_of_grant = GrantFacts(seq, policy_id, points, int(reinstated), int(clawed_back), int(expired))
        books[account_id].known.learn(key, facts_of_grant)


def _spending(
    books: dict[int, Book], account_id: int, seq: int, hold_seq: int | None, asked: int | None
) -> SpendingFacts:
    """A capture took what its hold took first, as far as it went."""
    took = (account_id, hold_seq or seq)
    slices = read_slices(books, [took])[took]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(amount), 0) FROM ledger_entry
             WHERE account_id = %s AND undoes_seq = %s AND kind = 'refund'
            """,
            [account_id, seq],
        )
        (refunded,) = cursor.fetchone()
    return SpendingFacts(seq, first_points(slices, asked or 0) if hold_seq else slices, int(refunded))


def _extension(book: Book, seq: int) -> ExtensionFacts:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT EXISTS (SELECT FROM ledger_entry u WHERE u.account_id = e.account_id AND u.undoes_seq = e.seq),
                   x.was, x.until, {LOT}
              FROM ledger_entry e
              JOIN ledger_extension x ON x.entry_id = e.id
              JOIN ledger_lot l ON l.id = x.lot_id
             WHERE e.account_id = %s AND e.seq = %s ORDER BY x.id
            """,
            [book.account_id, seq],
        )
        rows = cursor.fetchall()
    moves = [Move(book.same(lot_state(lot)), was, until) for _, was, until, *lot in rows]
    return ExtensionFacts(seq, moves, undone=any(row[0] for row in rows))


def _dates_told(account_ids: set[int]) -> list[tuple[int, datetime]]:
    """All dates that these accounts were told of: what a batch does and undoes may bring any of them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT account_id, expires_at FROM ledger_notice WHERE account_id = ANY(%s)", [list(account_ids)]
        )
        return [(account_id, date) for account_id, date in cursor.fetchall()]


def _recall_notices(books: Mapping[int, Book], dates: Sequence[tuple[int, datetime]]) -> None:
    """The notices of these dates, each once, in the order they were given."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.account_id, e.seq, n.expires_at, n.expires_on, n.told_on, n.channel, n.waiver,
                   ARRAY(SELECT l.seq || '.' || l.number FROM ledger_lot l WHERE l.id = ANY (n.lots)),
                   EXISTS (SELECT FROM ledger_entry w
                            WHERE w.account_id = e.account_id AND w.undoes_seq = e.seq AND w.kind = 'notify')
              FROM (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::timestamptz[])) AS w (account_id, expires_at)
              JOIN ledger_notice n ON n.account_id = w.account_id AND n.expires_at = w.expires_at
              JOIN ledger_entry e ON e.id = n.entry_id
             ORDER BY n.account_id, e.seq
            """,
            [[account_id for account_id, _ in dates], [date for _, date in dates]],
        )
        for account_id, seq, expires_at, expires_on, told_on, channel, waiver, lots, withdrawn in cursor.fetchall():
            known = books[account_id].known
            if seq not in known.by_seq:
                names = {(int(made), int(number)) for made, number in (name.split(".") for name in lots)}
                notice = NoticeFacts(seq, expires_at, expires_on, told_on, channel, waiver, names, withdrawn)
                known.learn(None, notice)


def _meet_lots_of_notice(book: Book, seq: int) -> None:
    """Put the lots that a notice names on the page: those that are empty now are not among the open ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {LOT}
              FROM ledger_entry e
              JOIN ledger_notice n ON n.entry_id = e.id
              JOIN ledger_lot l ON l.id = ANY (n.lots)
             WHERE e.account_id = %s AND e.seq = %s
            """,
            [book.account_id, seq],
        )
        for lot in cursor.fetchall():
            book.same(lot_state(lot))


def _recall_making(books: Mapping[int, Book], dates: Sequence[tuple[int, datetime]]) -> None:
    """When the open lots of these dates came to be: nobody can have been told of them before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.account_id, e.seq, e.effective_at
              FROM unnest(%s::bigint[], %s::timestamptz[]) AS w (account_id, expires_at)
              JOIN ledger_lot l ON l.account_id = w.account_id AND l.expires_at = w.expires_at AND l.open
              JOIN ledger_entry e ON e.account_id = l.account_id AND e.seq = l.seq
            """,
            [[account_id for account_id, _ in dates], [date for _, date in dates]],
        )
        for account_id, seq, made_at in cursor.fetchall():
            books[account_id].known.made_at[seq] = made_at


def _recall_lots(books: Mapping[int, Book], lots: Sequence[tuple[int, int]]) -> None:
    """How the clock ended these lots; the newest end, where points came back to one in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.account_id, x.seq, x.effective_at, -x.delta,
                   EXISTS (SELECT FROM ledger_lot m
                             JOIN ledger_entry r ON r.account_id = m.account_id AND r.seq = m.seq
                            WHERE m.account_id = l.account_id AND m.family_seq = l.family_seq
                              AND r.kind = 'reinstate'),
                   {LOT}
              FROM unnest(%s::bigint[], %s::bigint[]) AS w (account_id, lot_id)
              JOIN ledger_lot l ON l.id = w.lot_id AND l.account_id = w.account_id
              LEFT JOIN LATERAL (
                   SELECT e.seq, e.effective_at, a.delta
                     FROM ledger_allocation a JOIN ledger_entry e ON e.id = a.entry_id AND e.kind = 'expire'
                    WHERE a.lot_id = l.id ORDER BY e.seq DESC LIMIT 1) AS x ON true
            """,
            [[account_id for account_id, _ in lots], [lot for _, lot in lots]],
        )
        for account_id, seq, ended_at, points, before, *lot in cursor.fetchall():
            state = books[account_id].same(lot_state(lot))
            assert state.id is not None
            books[account_id].known.ended[state.id] = EndedFacts(state, before, seq, ended_at, points or 0)
