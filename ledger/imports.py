"""Bringing a feed into the ledger, in bulk: chunks of rows, each one transaction, resumable at any point.

Every row's key comes from its event id, so a row that is already there is found and changes nothing: an import that
was stopped is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from ledger.accounts import find_accounts, open_accounts
from ledger.actors import Actor
from ledger.errors import AccountBusy, FutureAct, KeyReused, LedgerError
from ledger.feed import FeedRow, Line, RowRejected, RowType, points_for
from ledger.grants import grant_order
from ledger.kinds import Origin
from ledger.models import Entry, Programme
from ledger.notes import note_order
from ledger.policies import Rules
from ledger.posting import Order, post
from ledger.receipts import Receipt
from ledger.redemptions import redeem_order
from ledger.returns import Purchase, reason_of_purchase, return_order
from ledger.rules import rules_of

FEED = Actor("feed")
CHUNK = 1000  # rows in one transaction
NO_ACCOUNT = 0  # of a member who has none yet
TRIES = 5  # how often a chunk is tried while somebody else keeps one of its accounts busy


@dataclass(slots=True)
class Tally:
    """What became of the rows so far."""

    rows: int = 0
    applied: int = 0
    already_there: int = 0
    declined: int = 0  # of the applied and those already there: redemptions without enough points
    rejected: int = 0

    def count(self, receipt: Receipt) -> None:
        self.declined += receipt.declined
        if receipt.replayed:
            self.already_there += 1
        else:
            self.applied += 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out: where it stood, why, and what it said."""

    line: int
    reason: str
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that can go on; `is_there`: an earlier run has applied it. Its order may name no account yet."""

    line: Line
    row: FeedRow
    order: Order
    is_there: bool


@dataclass(slots=True)
class Import:
    """One feed on its way into one programme."""

    programme: Programme
    now: datetime  # the real clock: rows dated after it are rejected
    reject: Callable[[Rejected], None]
    tally: Tally = field(default_factory=Tally)
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        self.rules = rules_of(self.programme.pk)

    def run(self, lines: Iterable[Line]) -> Iterator[int]:
        """Apply the rows in file order; yields how many rows each finished chunk had."""
        for chunk in chunks(lines):
            self._apply(chunk)
            yield len(chunk)

    def look(self, lines: Iterable[Line]) -> Iterator[int]:
        """Only look: count what would be applied, is already there, or would be rejected. Nothing is written.

        Whether a redemption finds enough points is not looked at: that depends on the rows before it.
        """
        for chunk in chunks(lines):
            for candidate in self._sift(chunk):
                self.tally.already_there += candidate.is_there
                self.tally.applied += not candidate.is_there
            yield len(chunk)

    def _apply(self, chunk: Sequence[Line]) -> None:
        rows = self._sift(chunk)
        new = [one.row.customer_id for one in rows if not one.order.account_id]
        accounts = open_accounts(programme=self.programme, references=new) if new else {}
        orders = [
            one.order if one.order.account_id else order_for(one.row, accounts[one.row.customer_id], self.programme)
            for one in rows
        ]
        for one, outcome in zip(rows, _post_patiently(orders), strict=True):
            if isinstance(outcome, LedgerError):
                self._reject(one.line, str(outcome))
            else:
                self.tally.count(outcome)

    def _sift(self, chunk: Sequence[Line]) -> list[Candidate]:
        """The rows that can be applied or are there already; nothing is written of the others but their rejection."""
        self.tally.rows += len(chunk)
        usable = [line.outcome for line in chunk if isinstance(line.outcome, FeedRow)]
        accounts = find_accounts(programme=self.programme, references=[row.customer_id for row in usable])
        known = self._bodies([feed_key(row.event_id) for row in usable])
        seen: dict[str, FeedRow] = {}
        kept = []
        for line in chunk:
            try:
                row = self._usable(line)
                order = order_for(row, accounts.get(row.customer_id, NO_ACCOUNT), self.programme)
                is_there = order.key in known
                if (is_there and known[order.key] != order.body_hash) or seen.setdefault(order.key, row) != row:
                    raise KeyReused("this event is known with another content", field="event_id")
                kept.append(Candidate(line, row, order, is_there))
            except (RowRejected, LedgerError) as refusal:
                self._reject(line, str(refusal))
        return kept

    def _bodies(self, keys: Sequence[str]) -> dict[str | None, bytes]:
        entries = Entry.objects.filter(programme=self.programme, key__in=keys)
        return {key: bytes(body or b"") for key, body in entries.values_list("key", "body_hash")}

    def _usable(self, line: Line) -> FeedRow:
        if isinstance(line.outcome, RowRejected):
            raise line.outcome
        row = line.outcome
        if row.occurred_at > self.now:
            raise FutureAct("the row is dated after the real clock", field="occurred_at")
        if row.type == RowType.PURCHASE and points_for(row.amount, self.programme.earn_rate):
            self.rules.in_force(row.occurred_at, Origin.PURCHASE)  # asked before an account is opened for it
        return row

    def _reject(self, line: Line, reason: str) -> None:
        self.tally.rejected += 1
        self.reject(Rejected(line.number, reason, line.fields))


def feed_key(event_id: str) -> str:
    return f"feed:{event_id}"


def order_for(row: FeedRow, account_id: int, programme: Programme) -> Order:
    """What a row asks of the ledger: a grant, a clawback, a redemption, or a note where it is worth no point.

    What a return takes is decided with its purchase before it (`returns.py`).
    """
    common: dict = {
        "account_id": account_id,
        "now": row.occurred_at,
        "key": feed_key(row.event_id),
        "by": FEED,
        "content": row.content,
    }
    if row.type == RowType.REDEEM:
        return redeem_order(points=row.points, **common)
    points, rate = points_for(row.amount, programme.earn_rate), programme.earn_rate
    if row.type == RowType.RETURN:
        undoes = feed_key(row.original_event_id) if row.original_event_id else None
        return return_order(amount=row.amount, rate=rate, undoes=undoes, **common)
    reason = reason_of_purchase(Purchase(row.amount, rate), points)
    if points == 0:
        return note_order(reason=reason, **common)
    return grant_order(points=points, effective_at=row.occurred_at, reason=reason, **common)


def chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in chunks of one transaction each."""
    stream = iter(lines)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _post_patiently(orders: Sequence[Order]) -> list[Receipt | LedgerError]:
    """Post a chunk; an account that is busy for long makes the chunk wait, for later rows must not overtake it."""
    for _ in range(TRIES - 1):
        try:
            return post(orders)
        except (AccountBusy, KeyReused):
            # Each try has already waited for the database's lock timeout. A key that somebody used on another
            # account in this very moment is known by the next try, and then costs its own row only.
            continue
    return post(orders)
