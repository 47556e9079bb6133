"""An account's page while acts are decided: its state under the lock, and the entries that are about to be written.

Pure: no database, no clock. The acts decide on a book; the pen (`posting.py`) fills it and writes what it drafted.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ledger import chain
from ledger.actors import CLOCK
from ledger.allocation import LotState, Slice, is_live, redemption_order
from ledger.kinds import SIGN, Kind


@dataclass(frozen=True, slots=True)
class Signature:
    """Who acts, under which key and with which content: carried by an act's own entry, never by its companions."""

    actor: str
    key: str | None = None
    body_hash: bytes | None = None


BY_CLOCK = Signature(str(CLOCK))


@dataclass(slots=True)
class Move:
    """A lot's date moves from `was` to `until`."""

    lot: LotState
    was: datetime | None
    until: datetime | None


@dataclass(slots=True)
class Told:
    """A notice: on `told_on` the member was told that `lots` go at `expires_at`, their last day being `expires_on`."""

    expires_at: datetime
    expires_on: date
    told_on: date
    channel: str
    evidence: str
    lots: Sequence[LotState]


@dataclass(slots=True)
class GrantFacts:
    """What a clawback must know of the grant that it undoes, in points."""

    seq: int
    granted: int
    clawed_back: int = 0  # by earlier clawbacks of this grant, whoever paid them
    expired: int = 0  # of the family, ended by the clock

    @property
    def cap(self) -> int:
        """The most that can still be clawed back."""
        return self.granted - self.expired - self.clawed_back


@dataclass(slots=True)
class Draft:
    """An entry about to be written; the names of its fields are those of the table."""

    account_id: int
    programme_id: int
    seq: int
    kind: Kind
    amount: int
    debt_delta: int
    balance_after: int
    debt_after: int
    key: str | None
    body_hash: bytes | None
    actor: str
    reason: str
    reference: str
    undoes_seq: int | None
    asked: int | None
    available: int | None
    effective_at: datetime
    recorded_at: datetime
    allocations: Sequence[tuple[LotState, int]]  # (lot, points given to it or, negative, taken from it)
    made: Sequence[LotState]
    moves: Sequence[Move]
    told: Told | None
    previous_hash: bytes = chain.GENESIS
    hash: bytes = b""

    def parts(self) -> Iterator[Iterable[chain.Field]]:
        """What the entry did, as its hash covers it."""
        for lot in self.made:
            yield chain.made_part(lot)
        for lot, delta in self.allocations:
            yield chain.allocation_part(lot.seq, lot.number, delta)
        for move in self.moves:
            yield chain.extension_part(move.lot.seq, move.lot.number, move.was, move.until)
        if self.told:
            told = self.told
            named = [(lot.seq, lot.number) for lot in told.lots]
            yield chain.notice_part(told.expires_at, told.expires_on, told.told_on, told.channel, told.evidence, named)


@dataclass(slots=True)
class Book:
    """One account under its lock. `at` is the one time of the act that is being decided."""

    account_id: int
    programme_id: int
    balance: int
    debt: int
    seq: int
    head_hash: bytes
    last_recorded_at: datetime | None
    at: datetime = field(init=False)
    drafts: list[Draft] = field(default_factory=list)
    touched: dict[tuple[int, int], LotState] = field(default_factory=dict)  # written lots that changed
    grants: dict[str, GrantFacts] = field(default_factory=dict)  # by the grant's key
    _lots: list[LotState] = field(default_factory=list)
    _read_rest: Callable[[], list[LotState]] | None = None
    _read_to: tuple[datetime, int, int] | None = None

    def fill(self, lots: list[LotState], read_rest: Callable[[], list[LotState]] | None = None) -> None:
        """Put in the open lots, in redemption order; `read_rest` reads those behind them, if there may be any."""
        self._lots = lots
        self._read_rest = read_rest
        self._read_to = redemption_order(lots[-1]) if lots else None

    def begin(self, now: datetime) -> None:
        """Start an act: time never runs backwards on an account."""
        self.at = max(now, self.last_recorded_at) if self.last_recorded_at else now

    def lots(self) -> Iterator[LotState]:
        """The open lots in redemption order, read from the database only as far as somebody looks."""
        place = 0
        while True:
            here = self._lots[place] if place < len(self._lots) else None
            if self._read_rest and (here is None or self._is_behind_what_was_read(here)):
                self._lots = sorted([*self._lots, *self._read_rest()], key=redemption_order)
                self._read_rest = None
            elif here is None:
                return
            else:
                place += 1
                if here.remaining:
                    yield here

    def _is_behind_what_was_read(self, lot: LotState) -> bool:
        return self._read_to is not None and redemption_order(lot) > self._read_to

    def live(self) -> Iterator[LotState]:
        """The live lots in redemption order."""
        return (lot for lot in self.lots() if is_live(lot, self.at))

    def next_seq(self) -> int:
        return self.seq + 1

    def write(
        self,
        kind: Kind,
        signature: Signature,
        *,
        give: Iterable[Slice] = (),
        take: Iterable[Slice] = (),
        debt_delta: int = 0,
        made: Sequence[LotState] = (),
        moves: Sequence[Move] = (),
        told: Told | None = None,
        reason: str = "",
        reference: str = "",
        undoes_seq: int | None = None,
        asked: int | None = None,
        available: int | None = None,
        effective_at: datetime | None = None,
    ) -> Draft:
        """Draft one entry and let it take effect on this page: the only way in which a book changes."""
        allocations = [(lot, points) for lot, points in give] + [(lot, -points) for lot, points in take]
        moved = sum(delta for _, delta in allocations)
        amount = moved - debt_delta
        if _sign(amount) != SIGN[kind]:
            raise AssertionError(f"{kind} cannot have the amount {amount}")
        draft = Draft(
            account_id=self.account_id,
            programme_id=self.programme_id,
            seq=self.next_seq(),
            kind=kind,
            amount=amount,
            debt_delta=debt_delta,
            balance_after=self.balance + moved,
            debt_after=self.debt + debt_delta,
            key=signature.key,
            body_hash=signature.body_hash,
            actor=signature.actor,
            reason=reason,
            reference=reference,
            undoes_seq=undoes_seq,
            asked=asked,
            available=available,
            effective_at=effective_at or self.at,
            recorded_at=self.at,
            allocations=allocations,
            made=made,
            moves=moves,
            told=told,
            previous_hash=self.head_hash,
        )
        draft.hash = chain.entry_hash(self.head_hash, draft, draft.parts())
        self._apply(draft)
        return draft

    def _apply(self, draft: Draft) -> None:
        self.drafts.append(draft)
        self.seq, self.head_hash, self.last_recorded_at = draft.seq, draft.hash, draft.recorded_at
        self.balance, self.debt = draft.balance_after, draft.debt_after
        for lot in draft.made:
            insort(self._lots, lot, key=redemption_order)
        for lot, delta in draft.allocations:
            lot.remaining += delta
            self._touch(lot)
        for move in draft.moves:
            move.lot.expires_at = move.until
            move.lot.gated = move.lot.notice_days > 0  # a notice is for one date only: this one is stale now
            self._touch(move.lot)
        if draft.moves:
            self._lots.sort(key=redemption_order)
        self._remember_grant_facts(draft)

    def open_gate(self, lot: LotState) -> None:
        """A good notice stands for the lot's present date: from that instant on the clock may end it."""
        lot.gated = False
        self._touch(lot)

    def _touch(self, lot: LotState) -> None:
        if lot.id is not None:
            self.touched[lot.seq, lot.number] = lot

    def _remember_grant_facts(self, draft: Draft) -> None:
        """Keep the facts of grants true while several acts are decided before anything is written."""
        if draft.kind == Kind.GRANT and draft.key:
            self.grants[draft.key] = GrantFacts(seq=draft.seq, granted=draft.amount)
        elif draft.kind in (Kind.EXPIRE, Kind.CLAWBACK):
            for facts in self.grants.values():
                if draft.kind == Kind.CLAWBACK and draft.undoes_seq == facts.seq:
                    facts.clawed_back -= draft.amount
                if draft.kind == Kind.EXPIRE:
                    facts.expired -= sum(delta for lot, delta in draft.allocations if lot.family_seq == facts.seq)


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)
