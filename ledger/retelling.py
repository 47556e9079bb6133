"""An account's story told again from its facts alone, entry by entry, checking the laws on the way. Pure.

The auditor reads the rows; here is what they must add up to. The story is a book like the one that acts are decided on,
beginning empty: what an entry does to it is what `effects.py` says, and what it should have done is what the rules of
each kind say (`checking.py`). Nothing of this uses the cached numbers: those are compared at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ledger import chain
from ledger.allocation import LotState, is_live
from ledger.book import Book
from ledger.checking import Finding, check_kind, check_lots_made
from ledger.drafts import Draft
from ledger.effects import take_effect
from ledger.kinds import SIGN, Kind
from ledger.policies import Rules

# The numbers of an account that are kept beside its entries.
KEPT_OF_ACCOUNT = (
    "balance",
    "debt",
    "seq",
    "head_hash",
    "last_recorded_at",
    "active_at",
    "not_before",
    "lapses_at",
    "closes_at",
    "closed",
)
KEPT_OF_LOT = ("remaining", "spendable_at", "expires_at", "gated", "moved_untold")


@dataclass(slots=True)
class EntryFacts:
    """An entry as its rows tell it; `unknown` are ids that it names and that are no lots of its account."""

    draft: Draft
    hash_version: int
    unknown: Sequence[int]


@dataclass(slots=True)
class Story:
    """What the facts told so far add up to."""

    account_id: int
    book: Book
    ended: dict[int, tuple[Draft, int]] = field(default_factory=dict)  # by lot id: the entry that ended it, its points

    @classmethod
    def begin(cls, account_id: int, programme_id: int, rules: Rules) -> Story:
        """A story without entries."""
        return cls(account_id, Book(account_id, programme_id, 0, 0, 0, chain.GENESIS, None, rules))

    def tell(self, facts: EntryFacts) -> Iterator[Finding]:
        """Let one more entry happen; yields what does not add up."""
        entry, book = facts.draft, self.book
        if facts.unknown:
            yield Finding(
                3, self.account_id, entry.seq, f"it names lots {list(facts.unknown)} that are not the account's"
            )
            return
        book.at = entry.recorded_at
        yield from self._check_line(facts)
        for law, what in (*check_lots_made(book, entry), *check_kind(book, entry, self.ended)):
            yield Finding(law, self.account_id, entry.seq, what)
        if entry.kind == Kind.EXPIRE:
            self.ended |= {lot.id: (entry, -delta) for lot, delta, _ in entry.allocations if lot.id is not None}
        take_effect(book, entry)
        for lot, *_ in entry.allocations:
            if not 0 <= lot.remaining <= lot.granted:
                yield Finding(10, self.account_id, entry.seq, f"lot {lot.id} holds {lot.remaining} of {lot.granted}")

    def _check_line(self, facts: EntryFacts) -> Iterator[Finding]:
        """Law 13 and the line of numbers: seq, time, amount, hash."""
        entry, book = facts.draft, self.book
        moved = sum(part.delta for part in entry.allocations)
        wrong: list[tuple[int, str]] = []
        if entry.seq != book.seq + 1:
            wrong.append((13, f"it follows entry {book.seq}"))
        if entry.amount != moved - entry.debt_delta:
            wrong.append((3, f"the amount is {entry.amount}, the allocations move {moved}"))
        if _sign(entry.amount - entry.written_off) != SIGN[entry.kind]:
            wrong.append((3, f"a {entry.kind} of {entry.amount}"))
        if entry.balance_after != book.balance + moved or entry.debt_after != book.debt + entry.debt_delta:
            wrong.append((13, "the balance or debt after it does not chain"))
        if book.last_recorded_at and entry.recorded_at < book.last_recorded_at:
            wrong.append((13, "it was recorded before the entry before it"))
        if entry.effective_at > entry.recorded_at:
            wrong.append((13, "it took effect after it was recorded"))
        if book.debt and entry.kind != Kind.SETTLE and self._holds_live_points():
            wrong.append((8, "points were live before it while there was debt"))
        if (entry.key is None) != (entry.body_hash is None):
            wrong.append((1, "a key without its content, or a content without a key"))
        if book.closed:
            wrong.append((13, "the account was closed before it"))
        parts = entry.parts(facts.hash_version)
        if chain.entry_hash(book.head_hash, entry, parts, version=facts.hash_version) != entry.hash:
            wrong.append((13, "its hash does not recompute"))
        for law, what in wrong:
            yield Finding(law, self.account_id, entry.seq, what)

    def _holds_live_points(self) -> bool:
        at = self.book.last_recorded_at
        return at is not None and any(is_live(lot, at) for lot in self.book.lots())

    def close(
        self,
        account: object,
        lots: Mapping[int, LotState],
        holds: Mapping[int, bool],
        closures: Mapping[int, bool],
        told: Mapping[int, LotState],
    ) -> Iterator[Finding]:
        """Compare with what the database keeps: the account's numbers, its lots by id, and by seq whether its holds and
        closures are open. `told` are the lots that the entries made, by id."""
        for name in KEPT_OF_ACCOUNT:
            kept, said = getattr(account, name), getattr(self.book, name)
            if isinstance(said, bytes):
                kept = bytes(kept)
            if kept != said:
                yield Finding(4, self.account_id, None, f"{name} is {kept}, its entries say {said}")
        if self.book.debt and self._holds_live_points():
            yield Finding(4, self.account_id, None, "it is in debt and holds live points")
        for lot_id, kept in lots.items():
            lot = told.get(lot_id)
            if lot is None:
                yield Finding(3, self.account_id, None, f"no entry made lot {lot_id}")
            elif wrong := [name for name in KEPT_OF_LOT if getattr(lot, name) != getattr(kept, name)]:
                yield Finding(
                    3, self.account_id, None, f"{', '.join(wrong)} of lot {lot_id} is not what its entries say"
                )
        yield from self._close_pending(holds, set(self.book.holds), "hold")
        closing = {self.book.closing.seq} if self.book.closing else set()
        yield from self._close_pending(closures, closing, "closure")

    def _close_pending(self, kept: Mapping[int, bool], open_by_entries: set[int], word: str) -> Iterator[Finding]:
        if {seq for seq, is_open in kept.items() if is_open} != open_by_entries:
            yield Finding(4, self.account_id, None, f"its open {word}s are not what its entries say")


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)
