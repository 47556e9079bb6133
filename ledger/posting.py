"""The pen: the only place that writes to an account. Every act, single or in bulk, goes through `post`.

How a write goes:
1. read the account's page: its numbers, its first open lots, whether the key is known;
2. read what the order asks about earlier entries;
3. decide in pure Python: replay, or catch-up and the act, each drafted on the account's `Book`;
4. write all drafts in one call (`writing.py`), final states only, each lot and account once. It begins by moving the
   account's row on from the number of entries that was read: had anybody written to the account since, it refuses, for
   all that happens to an account is an entry. Then, and for orders that must be refused, the same is done under the
   account's lock;
5. commit, where the deferred checks of the database speak.
Several orders are posted in one transaction, under the locks of their accounts, taken in id order: the only locks there
are. One that reads is never in the way of one that writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import Error, OperationalError, connection, transaction
from psycopg import errors as pg

from ledger import writing
from ledger.actors import Actor
from ledger.answers import Answer, read_answers
from ledger.book import Book
from ledger.catchup import catch_up
from ledger.drafts import Draft, Signature
from ledger.errors import (
    AccountBusy,
    AccountClosed,
    AccountNotFound,
    FutureAct,
    InsufficientPoints,
    KeyReused,
    LedgerBroken,
    LedgerError,
)
from ledger.inputs import check_instant, check_key
from ledger.reading import Opened, lock_accounts, look_at, read_pending
from ledger.recalling import recall
from ledger.receipts import Receipt, receipt_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Decision = Callable[[Book, Signature], Draft]

# How far a caller's clock may run ahead of the database's before its act counts as dated in the future.
CLOCK_SKEW = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Order:
    """One act to be posted: on which account, when, by whom, and how it is decided.

    `content` is what the caller asked for; the same key with another content is refused. It leaves out `now`.
    What the act must know of earlier entries: `undoes` is the key of the entry that it undoes, `dates` are those whose
    notices it asks for, `lot` is the id of an ended lot.
    """

    account_id: int
    now: datetime
    by: Actor
    key: str
    content: Mapping[str, object]
    decide: Decision
    undoes: str | None = None
    dates: tuple[datetime, ...] = ()
    lot: int | None = None
    body_hash: bytes = field(init=False)

    def __post_init__(self) -> None:
        check_key(self.key)
        check_instant(self.now, field="now")
        body = json.dumps({**self.content, "account": self.account_id}, sort_keys=True, default=_as_text)
        object.__setattr__(self, "body_hash", hashlib.sha256(body.encode()).digest())

    @property
    def signature(self) -> Signature:
        return Signature(str(self.by), self.key, self.body_hash)


def _as_text(value: object) -> str:
    """Instants in UTC: the same instant is the same content, whatever zone it was said in."""
    return str(value.astimezone(UTC) if isinstance(value, datetime) else value)


def act(order: Order) -> Receipt:
    """Post one order. Raises what the ledger refuses, and then nothing stays; a decline is committed, then raised."""
    with _database_errors():
        outcome = _post_at_a_glance(order) or _post_under_lock([order])[0]
    if isinstance(outcome, LedgerError):
        raise outcome
    if outcome.declined:
        raise InsufficientPoints(outcome)
    return outcome


def post(orders: Sequence[Order]) -> list[Receipt | LedgerError]:
    """Post orders in one transaction: one outcome for each, in their order; what one is refused stops no other.

    Opens the outermost transaction itself. Raises AccountBusy, LedgerBroken for all of them together.
    """
    with _database_errors():
        return _post_under_lock(orders)


def _post_at_a_glance(order: Order) -> Receipt | None:
    """Decide on the account as it stands, and write if nothing has happened to it since: the usual case.

    None: it has moved on, or the order is to be refused; then it is decided again, under the lock.
    """
    opened = look_at(order.account_id, order.key)
    try:
        (outcome,) = _decide([order], opened)
    except LedgerError:
        return None
    if isinstance(outcome, LedgerError):
        return None
    try:
        with _alone():
            writing.write(opened.books.values())
    except writing.MovedOn:
        return None
    return outcome


@contextmanager
def _alone() -> Iterator[None]:
    """One call is a transaction of its own. Inside another, which only a test may have open, it is made one."""
    if connection.in_atomic_block:
        with transaction.atomic(durable=True):
            yield
    else:
        yield


def _post_under_lock(orders: Sequence[Order]) -> list[Receipt | LedgerError]:
    with transaction.atomic(durable=True):
        opened = lock_accounts({order.account_id for order in orders})
        outcomes = _decide(orders, opened)
        refused = len(outcomes) == 1 and isinstance(outcomes[0], LedgerError)
        if not refused:  # alone it leaves nothing; among others what the clock has done before it stays
            writing.write(opened.books.values())
        return outcomes


def _decide(orders: Sequence[Order], opened: Opened) -> list[Receipt | LedgerError]:
    books = opened.books
    programmes = {book.programme_id for book in books.values()}
    answers = read_answers(programmes, [order.key for order in orders]) if opened.is_known else {}
    read_pending(books)
    recall(books, orders)
    return [_outcome(order, books, answers, opened.clock) for order in orders]


def tidy(account_ids: set[int], now: datetime) -> tuple[int, set[int]]:
    """Write what the clock has done to these accounts; those that somebody else is writing to are left out.

    Returns how many entries were written, and which accounts were left out.
    """
    with _database_errors(), transaction.atomic(durable=True):
        opened = lock_accounts(account_ids, skip_locked=True)
        books = opened.books
        if opened.clock and now > opened.clock + CLOCK_SKEW:
            raise FutureAct(field="now")
        read_pending(books)
        written = 0
        for book in books.values():
            book.begin(now)
            written += catch_up(book)
        writing.write(books.values())
    return written, account_ids - books.keys()


def _outcome(
    order: Order, books: Mapping[int, Book], answers: dict[tuple[int, str], Answer], clock: datetime | None
) -> Receipt | LedgerError:
    book = books.get(order.account_id)
    if book is None or clock is None:
        return AccountNotFound(field="account")
    if order.now > clock + CLOCK_SKEW:
        return FutureAct(field="now")
    known = answers.get((book.programme_id, order.key))
    if known:
        return known.replay() if known.body_hash == order.body_hash else KeyReused(field="key")
    book.begin(order.now)
    catch_up(book)
    if book.closed:
        return AccountClosed(field="account")
    try:
        book.refuse_closed_books(book.at)
        draft = order.decide(book, order.signature)
    except LedgerError as refusal:
        return refusal
    companions = book.drafts[draft.seq - book.drafts[0].seq + 1 :]
    answer = Answer(draft.body_hash or b"", receipt_of(draft, companions))
    answers[book.programme_id, order.key] = answer
    return answer.receipt


@contextmanager
def _database_errors() -> Iterator[None]:
    """Say in the ledger's words what the database refuses."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, pg.LockNotAvailable | pg.DeadlockDetected):
            raise AccountBusy from error
        raise
    except writing.MovedOn as error:
        # At a glance this is expected and caught; under the lock nobody else can have written to the account.
        raise LedgerBroken("an account has moved on under its lock") from error
    except Error as error:
        cause = error.__cause__
        constraint = cause.diag.constraint_name if isinstance(cause, pg.Error) else None
        if isinstance(cause, pg.UniqueViolation) and constraint == "entry_key_once":
            # The same key at the same moment on another account: an account's own lock orders its own keys.
            raise KeyReused(field="key") from error
        if isinstance(cause, pg.IntegrityError):
            raise LedgerBroken(str(cause.diag.message_primary)) from error
        raise
