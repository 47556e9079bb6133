"""An account's story told again from its facts alone, entry by entry, checking the laws on the way. Pure.

The auditor reads the rows; here is what they must add up to. Nothing of this uses the cached numbers of an account
or a lot: those are compared at the end.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ledger import chain
from ledger.allocation import (
    LotState,
    Slice,
    clawback_payers,
    is_live,
    is_overdue,
    is_spendable,
    redemption_order,
    take,
)
from ledger.chain import Content
from ledger.kinds import SIGN, Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up: the law of `docs/domain.md` that it breaks, and where."""

    law: int
    account_id: int | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        where = f"account {self.account_id}" if self.account_id else "programme"
        return f"law {self.law}: {where}{f', entry {self.seq}' if self.seq else ''}: {self.what}"


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    expires_at: datetime
    expires_on: date
    told_on: date
    channel: str
    evidence: str
    lots: Sequence[int]


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry with all that belongs to it, as rows of the database; lots by their ids, in the order written."""

    entry: Content
    hash: bytes
    made: Sequence[LotState]  # as they were made: with their first date, and nothing given yet
    allocations: Sequence[tuple[int, int]]  # (lot id, delta)
    extensions: Sequence[tuple[int, datetime | None, datetime | None]]  # (lot id, was, until)
    notice: NoticeFacts | None


@dataclass(slots=True)
class Story:
    """What the facts told so far add up to."""

    account_id: int
    lots: dict[int, LotState] = field(default_factory=dict)
    balance: int = 0
    debt: int = 0
    seq: int = 0
    head_hash: bytes = chain.GENESIS
    last_recorded_at: datetime | None = None
    grants: dict[int, int] = field(default_factory=dict)  # by seq: what can still be clawed back
    told: set[tuple[int, datetime]] = field(default_factory=set)  # (lot, date) with a good notice
    held: list[LotState] = field(default_factory=list)  # lots with points, in redemption order

    def tell(self, facts: EntryFacts) -> Iterator[Finding]:
        """Let one more entry happen; yields what does not add up."""
        entry = facts.entry
        unknown = [lot_id for lot_id, *_ in (*facts.allocations, *facts.extensions) if lot_id not in self.lots]
        unknown = [lot_id for lot_id in unknown if lot_id not in {lot.id for lot in facts.made}]
        if unknown:
            yield self._finding(3, entry, f"it names lots {unknown} that are not the account's")
            return
        yield from self._check_line(facts)
        for lot in facts.made:
            self.lots[lot.id or 0] = lot
            if entry.kind != Kind.GRANT:
                yield self._finding(6, entry, f"a {entry.kind} made a lot")
        yield from self._check_kind(facts)
        yield from self._apply(facts)

    def _check_line(self, facts: EntryFacts) -> Iterator[Finding]:
        """Law 13 and the line of numbers: seq, time, amount, hash."""
        entry = facts.entry
        moved = sum(delta for _, delta in facts.allocations)
        if entry.seq != self.seq + 1:
            yield self._finding(13, entry, f"it follows entry {self.seq}")
        if entry.amount != moved - entry.debt_delta:
            yield self._finding(3, entry, f"the amount is {entry.amount}, the allocations move {moved}")
        if _sign(entry.amount) != SIGN[Kind(entry.kind)]:
            yield self._finding(3, entry, f"a {entry.kind} of {entry.amount}")
        if entry.balance_after != self.balance + moved or entry.debt_after != self.debt + entry.debt_delta:
            yield self._finding(13, entry, "the balance or debt after it does not chain")
        if self.last_recorded_at and entry.recorded_at < self.last_recorded_at:
            yield self._finding(13, entry, "it was recorded before the entry before it")
        if entry.effective_at > entry.recorded_at:
            yield self._finding(13, entry, "it took effect after it was recorded")
        if self.debt and entry.kind != Kind.SETTLE and self.last_recorded_at and any(self._live(self.last_recorded_at)):
            yield self._finding(8, entry, "points were live before it while there was debt")
        if (entry.key is None) != (entry.body_hash is None):
            yield self._finding(1, entry, "a key without its content, or a content without a key")
        if chain.entry_hash(self.head_hash, entry, self._parts(facts)) != facts.hash:
            yield self._finding(13, entry, "its hash does not recompute")

    def _check_kind(self, facts: EntryFacts) -> Iterator[Finding]:
        """The laws of the entry's own kind, on the lots as they were at that moment."""
        match facts.entry.kind:
            case Kind.REDEEM:
                yield from self._check_redeem(facts)
            case Kind.CLAWBACK:
                yield from self._check_clawback(facts)
            case Kind.SETTLE:
                due = take(self.held, self.debt)
                yield from self._compare(8, facts, due)
            case Kind.EXPIRE:
                yield from self._check_expire(facts)
            case _:
                return

    def _check_redeem(self, facts: EntryFacts) -> Iterator[Finding]:
        entry, at = facts.entry, facts.entry.recorded_at
        for lot_id, _ in facts.allocations:
            lot = self.lots[lot_id]
            if is_overdue(lot, at) or lot.spendable_at > at:
                yield self._finding(2, entry, f"lot {lot_id} could not be spent")
        if self.debt:
            yield self._finding(2, entry, "the account was in debt")
        spendable = (lot for lot in self._live(at) if is_spendable(lot, at))
        yield from self._compare(5, facts, take(spendable, -entry.amount))

    def _check_clawback(self, facts: EntryFacts) -> Iterator[Finding]:
        entry, at = facts.entry, facts.entry.recorded_at
        cap = self.grants.get(entry.undoes_seq) if entry.undoes_seq else None
        if entry.undoes_seq and cap is None:
            yield self._finding(7, entry, f"entry {entry.undoes_seq} is not a grant")
        if cap is not None and -entry.amount > cap:
            yield self._finding(7, entry, f"{-entry.amount} were clawed back, the cap was {cap}")
        due = take(clawback_payers(self._live(at), entry.undoes_seq, at), -entry.amount)
        yield from self._compare(7, facts, due)

    def _check_expire(self, facts: EntryFacts) -> Iterator[Finding]:
        entry = facts.entry
        for lot_id, delta in facts.allocations:
            lot = self.lots[lot_id]
            if delta != -lot.remaining:
                yield self._finding(9, entry, f"lot {lot_id} had {lot.remaining} left, {-delta} expired")
            if lot.expires_at != entry.effective_at:
                yield self._finding(9, entry, f"lot {lot_id} was to go at {lot.expires_at}")
            elif lot.notice_days and (lot_id, lot.expires_at) not in self.told:
                yield self._finding(15, entry, f"lot {lot_id} expired unannounced")

    def _apply(self, facts: EntryFacts) -> Iterator[Finding]:
        entry = facts.entry
        for lot_id, delta in facts.allocations:
            lot = self.lots[lot_id]
            self._hold(lot, lot.remaining + delta)
            if not 0 <= lot.remaining <= lot.granted:
                yield self._finding(10, entry, f"lot {lot_id} holds {lot.remaining} of {lot.granted}")
            if entry.kind == Kind.EXPIRE and lot.family_seq in self.grants:
                self.grants[lot.family_seq] += delta
        for lot_id, was, until in facts.extensions:
            lot = self.lots[lot_id]
            if lot.expires_at != was or until is None or was is None or until <= was:
                yield self._finding(
                    13, entry, f"lot {lot_id} moved from {was} to {until}, its date was {lot.expires_at}"
                )
            lot.expires_at, lot.gated = until, lot.notice_days > 0
            self.held.sort(key=redemption_order)
        if facts.notice:
            self._open_gates(facts.notice)
        if entry.kind == Kind.GRANT:
            self.grants[entry.seq] = entry.amount
        if entry.kind == Kind.CLAWBACK and entry.undoes_seq in self.grants:
            self.grants[entry.undoes_seq] += entry.amount
        self.balance += sum(delta for _, delta in facts.allocations)
        self.debt += entry.debt_delta
        self.seq, self.head_hash, self.last_recorded_at = entry.seq, facts.hash, entry.recorded_at

    def _open_gates(self, notice: NoticeFacts) -> None:
        for lot_id in notice.lots:
            lot = self.lots.get(lot_id)
            in_time = lot and (notice.expires_on - notice.told_on).days >= lot.notice_days
            if lot and in_time and lot.expires_at == notice.expires_at:
                self.told.add((lot_id, notice.expires_at))
                lot.gated = False

    def close(self, cached: Mapping[str, object], lots: Mapping[int, LotState]) -> Iterator[Finding]:
        """Compare with the numbers that the database keeps: of the account, and of its lots."""
        for name, value in cached.items():
            if value != getattr(self, name):
                yield Finding(4, self.account_id, None, f"{name} is {value}, its entries say {getattr(self, name)}")
        if self.debt and self.last_recorded_at and any(self._live(self.last_recorded_at)):
            yield Finding(4, self.account_id, None, "it is in debt and holds live points")
        for lot_id, kept in lots.items():
            lot = self.lots.get(lot_id)
            if lot is None:
                yield Finding(3, self.account_id, None, f"no entry made lot {lot_id}")
            elif (lot.remaining, lot.expires_at, lot.gated) != (kept.remaining, kept.expires_at, kept.gated):
                yield Finding(3, self.account_id, None, f"lot {lot_id} is not what its entries made of it")

    def _hold(self, lot: LotState, remaining: int) -> None:
        """Note what is left of a lot, and keep the lots with points together, in order."""
        if lot.remaining == 0 and remaining > 0:
            insort(self.held, lot, key=redemption_order)
        elif lot.remaining > 0 and remaining <= 0:
            self.held.remove(lot)
        lot.remaining = remaining

    def _live(self, at: datetime) -> Iterator[LotState]:
        """The live lots in redemption order, gone through only as far as somebody looks."""
        return (lot for lot in self.held if is_live(lot, at))

    def _compare(self, law: int, facts: EntryFacts, due: Sequence[Slice]) -> Iterator[Finding]:
        took = [(lot_id, -delta) for lot_id, delta in facts.allocations]
        expected = [(part.lot.id, part.points) for part in due]
        if took != expected:
            yield self._finding(law, facts.entry, f"it took {took} (lot, points), the rule says {expected}")

    def _parts(self, facts: EntryFacts) -> Iterator[Sequence[chain.Field]]:
        made = {lot.id: lot for lot in facts.made}

        def name(lot_id: int) -> tuple[int, int]:
            lot = made.get(lot_id) or self.lots[lot_id]
            return lot.seq, lot.number

        for lot in facts.made:
            yield chain.made_part(lot)
        for lot_id, delta in facts.allocations:
            yield chain.allocation_part(*name(lot_id), delta)
        for lot_id, was, until in facts.extensions:
            yield chain.extension_part(*name(lot_id), was, until)
        if facts.notice:
            n = facts.notice
            named = [name(lot_id) for lot_id in n.lots if lot_id in self.lots]
            yield chain.notice_part(n.expires_at, n.expires_on, n.told_on, n.channel, n.evidence, named)

    def _finding(self, law: int, entry: Content, what: str) -> Finding:
        return Finding(law, self.account_id, entry.seq, what)


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)
