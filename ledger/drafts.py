"""What is about to be written: an entry as a draft, with all that belongs to it. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from ledger import chain
from ledger.actors import CLOCK
from ledger.allocation import LotState, Slice
from ledger.kinds import Kind
from ledger.receipts import Restored


@dataclass(frozen=True, slots=True)
class Signature:
    """Who acts, under which key and with which content: carried by an act's own entry, never by its companions."""

    actor: str
    key: str | None = None
    body_hash: bytes | None = None


BY_CLOCK = Signature(str(CLOCK))


class Allocated(NamedTuple):
    """Points given to a lot or, negative, taken from it; `until`: the date of points that came back, None: never."""

    lot: LotState
    delta: int
    until: datetime | None = None


@dataclass(slots=True)
class Move:
    """A lot's date moves from `was` to `until`; of a postponed promise, the instant of spending as well."""

    lot: LotState
    was: datetime | None
    until: datetime | None
    spendable_was: datetime | None = None
    spendable_until: datetime | None = None


@dataclass(slots=True)
class Told:
    """A notice: on `told_on` the member was told that `lots` go at `expires_at`, their last day being `expires_on`.

    With a `waiver` nobody was told, for that reason.
    """

    expires_at: datetime
    expires_on: date
    told_on: date
    channel: str
    evidence: str
    lots: Sequence[LotState]
    waiver: str = ""


@dataclass(slots=True, eq=False)
class HoldState:
    """Points redeemed provisionally, slice by slice in the order they were taken; lapses at `lapses_at`."""

    seq: int
    key: str
    lapses_at: datetime
    slices: Sequence[Slice]
    open: bool = True
    id: int | None = None  # None: not written yet

    @property
    def points(self) -> int:
        return sum(part.points for part in self.slices)


@dataclass(slots=True, eq=False)
class Closing:
    """The end of an account, asked for: it takes effect at `closes_at`; the member was told that `points` would go."""

    seq: int
    closes_at: datetime
    points: int
    open: bool = True
    id: int | None = None  # None: not written yet


@dataclass(slots=True)
class Draft:
    """An entry about to be written; the names of its fields are those of the table."""

    account_id: int
    programme_id: int
    seq: int
    kind: Kind
    amount: int
    debt_delta: int
    written_off: int
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
    allocations: Sequence[Allocated]
    made: Sequence[LotState]
    moves: Sequence[Move]
    told: Told | None
    held: HoldState | None
    closing: Closing | None
    previous_hash: bytes = chain.GENESIS
    hash: bytes = field(default=b"")

    @property
    def restored(self) -> Sequence[Restored]:
        """What the entry gave to lots, until when."""
        return [Restored(delta, until) for _, delta, until in self.allocations if delta > 0]

    def parts(self, version: int = chain.HASH_VERSION) -> Iterator[Iterable[chain.Field]]:
        """What the entry did, as `version` of its hash covers it."""
        for lot in self.made:
            yield chain.made_part(lot)
        for lot, delta, until in self.allocations:
            yield chain.allocation_part(lot.seq, lot.number, delta, until, version=version)
        for move in self.moves:
            yield chain.move_part(
                move.lot.seq, move.lot.number, move.was, move.until, move.spendable_was, move.spendable_until
            )
        if self.told:
            told = self.told
            named = [(lot.seq, lot.number) for lot in told.lots]
            yield chain.notice_part(
                told.expires_at, told.expires_on, told.told_on, told.channel, told.evidence, named, told.waiver
            )
        if self.held:
            yield chain.hold_part(self.held.lapses_at)
        if self.closing:
            yield chain.closure_part(self.closing.closes_at, self.closing.points)
