"""What an act must know of the entry that it undoes, and how much of that is left to undo. Pure.

Read under the lock (`reading.py`), and kept true by the book while several acts are decided before anything is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from ledger.allocation import LotState, Slice
from ledger.drafts import Draft, Move, Told
from ledger.kinds import Kind


@dataclass(slots=True)
class GrantFacts:
    """Of a grant, in points: what a clawback can still undo of it."""

    seq: int
    policy_id: int
    granted: int
    reinstated: int = 0  # of the family
    clawed_back: int = 0  # by earlier clawbacks of this grant, whoever paid them, and what they wrote off
    expired: int = 0  # of the family, ended by the clock

    @property
    def cap(self) -> int:
        """The most that can still be clawed back: never below nothing, though refunded points that expired after others
        paid for them count twice."""
        return max(0, self.granted + self.reinstated - self.expired - self.clawed_back)


@dataclass(slots=True)
class SpendingFacts:
    """Of a redemption or a capture: what it took, in the order taken, and how much of it came back."""

    seq: int
    slices: Sequence[Slice]
    refunded: int = 0

    @property
    def points(self) -> int:
        return sum(part.points for part in self.slices)


@dataclass(slots=True)
class ExtensionFacts:
    """Of an extension: the dates that it moved."""

    seq: int
    moves: Sequence[Move]
    undone: bool = False


@dataclass(slots=True)
class NoticeFacts:
    """Of a notice: what was said to whom, by which way, of which lots; and whether it was withdrawn."""

    seq: int
    expires_at: datetime
    expires_on: date
    told_on: date
    channel: str
    waiver: str
    lots: set[tuple[int, int]]  # by seq and number
    withdrawn: bool = False


@dataclass(slots=True)
class EndedFacts:
    """Of a lot: when the clock ended it, how many points went, by which entry; None while it has not."""

    lot: LotState
    reinstated_before: bool  # points of its family came back once
    seq: int | None = None
    ended_at: datetime | None = None
    points: int = 0


Facts: TypeAlias = GrantFacts | SpendingFacts | ExtensionFacts | NoticeFacts


@dataclass(slots=True)
class Known:
    """All that a book knows of earlier entries, by the entry's seq; those that have one, by their key as well."""

    by_seq: dict[int, Facts] = field(default_factory=dict)
    by_key: dict[str, Facts] = field(default_factory=dict)
    notices: dict[datetime, list[NoticeFacts]] = field(default_factory=dict)  # by the date they are about
    ended: dict[int, EndedFacts] = field(default_factory=dict)  # by the id of the lot
    made_at: dict[int, datetime] = field(default_factory=dict)  # by seq: when an entry that made lots took effect
    left: dict[int, list[Slice]] = field(default_factory=dict)  # by the seq of a hold: what its capture left of it
    reasons: dict[str, str] = field(default_factory=dict)  # by the key of an entry that an act asked about, its reason
    undone_for: dict[int, list[str]] = field(default_factory=dict)  # by its seq, the reasons of what undid part of it

    def learn(self, key: str | None, facts: Facts) -> None:
        """Note what an entry did."""
        self.by_seq[facts.seq] = facts
        if key is not None:
            self.by_key[key] = facts
        if isinstance(facts, NoticeFacts):
            self.notices.setdefault(facts.expires_at, []).append(facts)

    def follow(self, draft: Draft) -> None:
        """Keep what is known true, now that this draft has happened."""
        if draft.made:
            self.made_at[draft.seq] = draft.effective_at
        if draft.key is not None:
            self.reasons[draft.key] = draft.reason
        if draft.undoes_seq is not None:
            self.undone_for.setdefault(draft.undoes_seq, []).append(draft.reason)
        match draft.kind:
            case Kind.GRANT:
                self.learn(draft.key, GrantFacts(draft.seq, draft.made[0].policy_id, draft.amount))
            case Kind.REDEEM:
                self.learn(draft.key, SpendingFacts(draft.seq, [Slice(lot, -n) for lot, n, _ in draft.allocations]))
            case Kind.EXTEND if draft.undoes_seq is None:
                self.learn(draft.key, ExtensionFacts(draft.seq, draft.moves))
            case Kind.NOTIFY if draft.told:
                self.learn(draft.key, _noticed(draft, draft.told))
            case Kind.EXPIRE | Kind.REINSTATE:
                self._follow_family(draft)
            case _ if draft.undoes_seq in self.by_seq:
                _undo(self.by_seq[draft.undoes_seq], draft)

    def _follow_family(self, draft: Draft) -> None:
        for lot, delta, _ in draft.allocations:
            grant = self.by_seq.get(lot.family_seq)
            if isinstance(grant, GrantFacts):
                grant.expired -= min(delta, 0)
                grant.reinstated += max(delta, 0)
        for ended in self.ended.values():
            for lot, delta, _ in draft.allocations:
                if draft.kind == Kind.REINSTATE and lot.family_seq == ended.lot.family_seq:
                    ended.reinstated_before = True
                elif lot is ended.lot:
                    ended.seq, ended.ended_at, ended.points = draft.seq, draft.effective_at, -delta


def _undo(facts: Facts, draft: Draft) -> None:
    """What is left to undo of an entry that this draft undoes in part or whole."""
    if isinstance(facts, GrantFacts) and draft.kind == Kind.CLAWBACK:
        facts.clawed_back += draft.written_off - draft.amount
    elif isinstance(facts, SpendingFacts) and draft.kind == Kind.REFUND:
        facts.refunded += draft.amount
    elif isinstance(facts, NoticeFacts) and draft.kind == Kind.NOTIFY:
        facts.withdrawn = True
    elif isinstance(facts, ExtensionFacts) and draft.kind == Kind.EXTEND:
        facts.undone = True


def _noticed(draft: Draft, told: Told) -> NoticeFacts:
    named = {(lot.seq, lot.number) for lot in told.lots}
    return NoticeFacts(draft.seq, told.expires_at, told.expires_on, told.told_on, told.channel, told.waiver, named)


def first_points(slices: Sequence[Slice], points: int) -> list[Slice]:
    """The first `points` points of these slices, in their order."""
    first, missing = [], points
    for lot, held in slices:
        part = min(held, missing)
        if part:
            first.append(Slice(lot, part))
        missing -= part
    return first


def last_points(slices: Sequence[Slice], points: int) -> list[Slice]:
    """The last `points` points of these slices, the last one first: what stays is a prefix of the original."""
    return first_points(list(reversed(slices)), points)
