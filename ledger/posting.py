"""The pen: the only place that writes to an account. Every act, single or in bulk, goes through `post`.

How a write goes:
1. lock the account rows, in id order: the only lock there is;
2. in later statements, read the answers already given under the orders' keys, the open lots, and what clawbacks
   must know of their grants (one statement that locked and read at once would see the state from before its wait);
3. decide in pure Python: replay, or catch-up and the act, each drafted on the account's `Book`;
4. write all drafts in one statement of arrays, final states only, each lot and account once;
5. commit, where the deferred checks of the database speak.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import Error, OperationalError, transaction
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
from ledger.reading import lock_accounts, read_open_lots, read_pending
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
    with _database_errors(), transaction.atomic(durable=True):
        (outcome,) = _post([order])
        if isinstance(outcome, LedgerError):
            raise outcome
    if outcome.declined:
        raise InsufficientPoints(outcome)
    return outcome


def post(orders: Sequence[Order]) -> list[Receipt | LedgerError]:
    """Post orders in one transaction: one outcome for each, in their order; what one is refused stops no other.

    Opens the outermost transaction itself. Raises AccountBusy, LedgerBroken for all of them together.
    """
    with _database_errors(), transaction.atomic(durable=True):
        return _post(orders)


def _post(orders: Sequence[Order]) -> list[Receipt | LedgerError]:
    books, clock = lock_accounts({order.account_id for order in orders})
    answers = read_answers({book.programme_id for book in books.values()}, [order.key for order in orders])
    read_open_lots(books)
    read_pending(books)
    recall(books, orders)
    outcomes = [_outcome(order, books, answers, clock) for order in orders]
    writing.write(books.values())
    return outcomes


def tidy(account_ids: set[int], now: datetime) -> tuple[int, set[int]]:
    """Write what the clock has done to these accounts; those that somebody else is writing to are left out.

    Returns how many entries were written, and which accounts were left out.
    """
    with _database_errors(), transaction.atomic(durable=True):
        books, clock = lock_accounts(account_ids, skip_locked=True)
        if now > clock + CLOCK_SKEW:
            raise FutureAct(field="now")
        read_open_lots(books)
        read_pending(books)
        written = 0
        for book in books.values():
            book.begin(now)
            written += catch_up(book)
        writing.write(books.values())
    return written, account_ids - books.keys()


def _outcome(
    order: Order, books: Mapping[int, Book], answers: dict[tuple[int, str], Answer], clock: datetime
) -> Receipt | LedgerError:
    book = books.get(order.account_id)
    if book is None:
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
    except Error as error:
        cause = error.__cause__
        constraint = cause.diag.constraint_name if isinstance(cause, pg.Error) else None
        if isinstance(cause, pg.UniqueViolation) and constraint == "entry_key_once":
            # The same key at the same moment on another account: an account's own lock orders its own keys.
            raise KeyReused(field="key") from error
        if isinstance(cause, pg.IntegrityError):
            raise LedgerBroken(str(cause.diag.message_primary)) from error
        raise
