"""How an account stood at an instant, decided from facts. Pure: no database, no clock.

The facts are sums and last words of what was on record; which points they make live, promised or gone is said by the
same rules as for every act (`policies.py`, `announcing.py`, `allocation.py`, `catchup.py`). Nothing here looks at the
numbers that are kept beside the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ledger import chain
from ledger.allocation import LotState, is_live, is_overdue, is_spendable, redemption_order
from ledger.announcing import is_announced
from ledger.book import Book
from ledger.catchup import catch_up
from ledger.drafts import Closing, HoldState
from ledger.kinds import Kind
from ledger.policies import Model, Rules, inactivity_date
from ledger.undoing import NoticeFacts


@dataclass(frozen=True, slots=True)
class Balance:
    """Points of an account at an instant. `live` = `spendable` + `promised` while there is no debt."""

    spendable: int
    promised: int  # live, to be spendable later
    live: int
    debt: int
    on_hold: int = 0  # redeemed provisionally, not live


@dataclass(slots=True)
class LotFacts:
    """Of a lot: as it was made, with the sum of its allocations as `remaining`, and what entries said of it."""

    lot: LotState
    until: datetime | None = None  # where its last extension or postponement moved its date
    spendable_until: datetime | None = None  # where its last postponement moved the instant of spending
    not_before: datetime | None = None  # its account's `not_before` when the lot was last dated by inactivity
    notices: Sequence[NoticeFacts] = ()  # those that name it


@dataclass(slots=True)
class AccountFacts:
    """Of an account: what the entries on record add up to. `lots` have points left, unless asked otherwise."""

    account_id: int
    programme_id: int
    seq: int = 0
    debt: int = 0
    on_hold: int = 0
    active_at: datetime | None = None
    not_before: datetime | None = None
    has_lapsed: bool = False  # a hold is past its lapse, and nothing on record ended it
    closes_at: datetime | None = None  # of a closure that was not withdrawn
    ended: bool = False  # the closure took effect, and that is on record
    lots: list[LotFacts] = field(default_factory=list)


class Unwritten(NamedTuple):
    """What the clock has done and nothing on record says: as an entry would say it."""

    kind: Kind
    effective_at: datetime
    amount: int
    parts: Sequence[tuple[LotState, int]]


@dataclass(slots=True)
class Standing:
    """An account as it stood at `at`, by the clock. `lots` have points left; those that the clock ended are among them
    unless what it did was worked out entry by entry."""

    account_id: int
    at: datetime
    debt: int
    on_hold: int
    closed: bool
    lots: list[LotState]
    caught_up: Sequence[Unwritten] = ()

    def live(self) -> list[LotState]:
        """The live lots in redemption order."""
        return sorted((lot for lot in self.lots if is_live(lot, self.at)), key=redemption_order)

    def unwritten(self) -> Iterator[Unwritten]:
        """What the clock had done to the account by then, beyond what is on record."""
        yield from self.caught_up
        for lot in self.lots:
            if lot.expires_at is not None and is_overdue(lot, self.at):
                yield Unwritten(Kind.EXPIRE, lot.expires_at, -lot.remaining, [(lot, -lot.remaining)])

    def balance(self) -> Balance:
        live = spendable = 0
        for lot in self.lots:
            if is_live(lot, self.at):
                live += lot.remaining
                spendable += lot.remaining if is_spendable(lot, self.at) else 0
        return Balance(0 if self.debt else spendable, live - spendable, live, self.debt, self.on_hold)


def is_due(facts: AccountFacts, at: datetime) -> bool:
    """Whether the clock has done more to the account than end lots: holds that lapsed, a closure that took effect."""
    return facts.has_lapsed or (facts.closes_at is not None and facts.closes_at <= at and not facts.ended)


def standing(facts: AccountFacts, rules: Rules, at: datetime) -> Standing:
    """How an account stood to which nothing is due but that lots end."""
    lots = [lot_at(lot, facts.active_at, rules) for lot in facts.lots]
    closed = facts.closes_at is not None and facts.closes_at <= at
    return Standing(facts.account_id, at, facts.debt, facts.on_hold, closed, lots)


def lot_at(facts: LotFacts, active_at: datetime | None, rules: Rules) -> LotState:
    """The lot with the dates and the gate that it had."""
    lot = facts.lot
    terms = rules.terms(lot.policy_id)
    lot.spendable_at = facts.spendable_until or lot.spendable_at
    first, lot.expires_at = lot.first_expires_at, facts.until or lot.first_expires_at
    if first and lot.expires_at and active_at and terms.model == Model.INACTIVITY:
        lot.expires_at = max(lot.expires_at, inactivity_date(terms, active_at, facts.not_before, first))
    lot.gated = lot.notice_days > 0 and lot.expires_at is not None and not is_announced(lot, terms, facts.notices)
    return lot


def open_book(
    facts: AccountFacts, rules: Rules, at: datetime, holds: Iterable[HoldState], closing: Closing | None
) -> Book:
    """A book of the account as it stood, on which the clock can go on; nothing of it is ever written.

    `facts` have the empty lots, too: held points may go back to them. The slices of `holds` are of those lots.
    """
    lots = [lot_at(lot, facts.active_at, rules) for lot in facts.lots]
    book = Book(
        account_id=facts.account_id,
        programme_id=facts.programme_id,
        balance=sum(lot.remaining for lot in lots),
        debt=facts.debt,
        seq=facts.seq,
        head_hash=chain.GENESIS,
        last_recorded_at=None,
        rules=rules,
        active_at=facts.active_at,
        not_before=facts.not_before,
        closed=facts.ended,
    )
    book.fill(sorted((lot for lot in lots if lot.remaining), key=redemption_order))
    book.holds = {hold.seq: hold for hold in holds}
    book.lapses_at = min((hold.lapses_at for hold in book.holds.values()), default=None)
    if closing and not facts.ended:
        book.closing, book.closes_at = closing, closing.closes_at
    book.begin(at)
    return book


def run_on(book: Book, at: datetime) -> Standing:
    """Let the clock do all that it has done by `at`, and say how the account stands then."""
    book.begin(at)
    catch_up(book)
    return Standing(
        account_id=book.account_id,
        at=at,
        debt=book.debt,
        on_hold=sum(hold.points for hold in book.holds.values()),
        closed=book.closed,
        lots=[lot for lot in book.lots() if lot.remaining],
        caught_up=[
            Unwritten(
                draft.kind, draft.effective_at, draft.amount, [(lot, delta) for lot, delta, _ in draft.allocations]
            )
            for draft in book.drafts
        ],
    )
