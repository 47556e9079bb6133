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
from ledger.book import Book, Draft, Signature
from ledger.catchup import catch_up
from ledger.errors import (
    AccountBusy,
    AccountNotFound,
    FutureAct,
    InsufficientPoints,
    KeyReused,
    LedgerBroken,
    LedgerError,
)
from ledger.inputs import check_instant, check_key
from ledger.kinds import Kind
from ledger.reading import Answer, lock_accounts, read_answers, read_grants, read_open_lots
from ledger.receipts import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

Decision = Callable[[Book, Signature], Draft]

# How far a caller's clock may run ahead of the database's before its act counts as dated in the future.
CLOCK_SKEW = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Order:
    """One act to be posted: on which account, when, by whom, and how it is decided.

    `content` is what the caller asked for; the same key with another content is refused. It leaves out `now`.
    `undoes` is the key of the grant that a clawback undoes.
    """

    account_id: int
    now: datetime
    by: Actor
    key: str
    content: Mapping[str, object]
    decide: Decision
    undoes: str | None = None
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
    answers = read_answers(books, [order.key for order in orders])
    read_open_lots(books)
    read_grants(books, [(order.account_id, order.undoes) for order in orders if order.undoes])
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
    try:
        draft = order.decide(book, order.signature)
    except LedgerError as refusal:
        return refusal
    answer = _answer(book, draft)
    answers[book.programme_id, order.key] = answer
    return answer.receipt


def _answer(book: Book, draft: Draft) -> Answer:
    """The answer to the act just drafted; the companion that it may have called forth stands right behind it."""
    last = book.drafts[-1]
    settled = -last.debt_delta if last.kind == Kind.SETTLE and last is not draft else 0
    return Answer(
        body_hash=draft.body_hash or b"",
        receipt=Receipt(
            account_id=draft.account_id,
            seq=draft.seq,
            kind=draft.kind,
            points=abs(draft.amount),
            settled=settled,
            debt_added=draft.debt_delta,
            asked=draft.asked,
            available=draft.available,
            balance=last.balance_after,
            debt=last.debt_after,
            effective_at=draft.effective_at,
            recorded_at=draft.recorded_at,
            replayed=False,
        ),
    )


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
