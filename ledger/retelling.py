"""An account's story told again from its facts alone, entry by entry, checking the laws on the way. Pure.

The auditor reads the rows; here is what they must add up to. The story is a book like the one that acts are decided on,
beginning empty: what an entry does to it is what `effects.py` says, and what it should have done is what the rules of
each kind say (`checking.py`). Nothing of this uses the cached numbers: those are compared at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger import chain
from ledger.allocation import LotState, is_live
from ledger.book import Book
from ledger.checking import Finding, Wrong, check_actor, check_clock, check_kind, check_lots_made, check_shape
from ledger.checking_points import Ended
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
MADE = "made by an entry"  # whether a lot is
KEPT_OF_LOT = ("remaining", "spendable_at", "expires_at", "gated", "moved_untold")


@dataclass(slots=True)
class EntryFacts:
    """An entry as its rows tell it; `wrong` is what a draft cannot say of them: rows that belong to nothing."""

    draft: Draft
    hash_version: int
    wrong: Sequence[Wrong]


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is kept beside the entries and is not what they say; `of` is "account", or what else has it."""

    account_id: int
    of: str
    name: str
    kept: object
    said: object

    def __str__(self) -> str:
        where = "" if self.of == "account" else f"{self.of}: "
        return f"{where}{self.name} is {_shown(self.kept)}, the entries say {_shown(self.said)}"

    @property
    def finding(self) -> Finding:
        return Finding(3 if self.of.startswith("lot ") else 4, self.account_id, None, str(self))


class KeptLot(Protocol):
    """A lot as the database keeps it."""

    @property
    def pk(self) -> int: ...
    @property
    def open(self) -> bool: ...
    @property
    def remaining(self) -> int: ...


@dataclass(slots=True)
class Story:
    """What the facts told so far add up to."""

    account_id: int
    book: Book
    lots: dict[int, LotState] = field(default_factory=dict)  # all that entries made so far, by id
    ended: dict[int, Ended] = field(default_factory=dict)  # the expiries, by seq
    before: Draft | None = None  # the entry told last
    version: int = 1  # of its hash
    broken: bool = False  # nothing more can be told of it
    remembered: tuple[int, bytes] | None = None  # an entry that it is known to have, as (seq, hash)

    @classmethod
    def begin(cls, account_id: int, programme_id: int, rules: Rules) -> Story:
        """A story without entries."""
        return cls(account_id, Book(account_id, programme_id, 0, 0, 0, chain.GENESIS, None, rules))

    def tell(self, facts: EntryFacts) -> Iterator[Finding]:
        """Let one more entry happen; yields what does not add up.

        Where the facts make so little sense that the rules cannot be asked, that is the last finding of the story.
        """
        entry, book = facts.draft, self.book
        if self.broken:
            return
        book.at = entry.recorded_at
        wrong = list(facts.wrong)
        try:
            wrong += [*self._check_line(facts), *check_shape(entry), *check_actor(book, entry)]
            wrong += check_lots_made(book, entry)
            wrong += check_clock(book, entry, self.before)
            wrong += check_kind(book, entry, self.ended)
            self._happen(entry)
        except Exception as error:
            wrong.append((13, f"the story cannot be told on from here ({type(error).__name__})"))
            self.broken = True
        for law, what in wrong:
            yield self._finding(law, entry, what)
        for lot, *_ in entry.allocations:
            if not 0 <= lot.remaining <= lot.granted:
                yield self._finding(10, entry, f"lot {lot.id} holds {lot.remaining} of {lot.granted}")
        self.before, self.version = entry, facts.hash_version

    def _finding(self, law: int, entry: Draft, what: str) -> Finding:
        return Finding(law, self.account_id, entry.seq, what)

    def _happen(self, entry: Draft) -> None:
        if entry.kind == Kind.EXPIRE:
            points = {lot: -delta for lot, delta, _ in entry.allocations}
            self.ended[entry.seq] = Ended(entry.effective_at, points)
        take_effect(self.book, entry)
        # What is about to be written is of no use here, and a long story must stay small.
        self.book.touched.clear()
        self.book.ended.clear()
        self.book.known.by_key.clear()  # entries name each other by number

    def _check_line(self, facts: EntryFacts) -> list[Wrong]:
        """Law 13 and the line of numbers: seq, time, amount, hash."""
        entry, book = facts.draft, self.book
        moved = sum(part.delta for part in entry.allocations)
        wrong: list[Wrong] = []
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
        if book.closed:
            wrong.append((13, "the account was closed before it"))
        if not self.version <= facts.hash_version <= chain.HASH_VERSION:
            wrong.append((13, f"version {facts.hash_version} of the hash after version {self.version}"))
        parts = entry.parts(facts.hash_version)
        if chain.entry_hash(book.head_hash, entry, parts, version=facts.hash_version) != entry.hash:
            wrong.append((13, "its hash does not recompute"))
        if self.remembered and entry.seq == self.remembered[0] and entry.hash != self.remembered[1]:
            wrong.append((13, "it is not the entry that was there when the account was last told"))
        return wrong

    def _holds_live_points(self) -> bool:
        at = self.book.last_recorded_at
        return at is not None and any(is_live(lot, at) for lot in self.book.lots())

    def close(self) -> Iterator[Finding]:
        """What is wrong with the facts as a whole, now that all were told."""
        if self.book.debt and self._holds_live_points():
            yield Finding(4, self.account_id, None, "it is in debt and holds live points")
        if self.remembered and self.book.seq < self.remembered[0]:
            what = f"it had {self.remembered[0]} entries when it was last told, and has {self.book.seq}"
            yield Finding(13, self.account_id, None, what)
        if any(self.book.known.left.values()):
            yield Finding(5, self.account_id, None, "what a capture left of its hold was not released with it")

    def account_differs(self, account: object) -> Iterator[Difference]:
        """The kept numbers of the account that are not what its entries say."""
        for name in KEPT_OF_ACCOUNT:
            kept, said = getattr(account, name), getattr(self.book, name)
            if isinstance(said, bytes):
                kept = bytes(kept)
            if kept != said:
                yield Difference(self.account_id, "account", name, kept, said)

    def lot_differs(self, kept: KeptLot) -> Iterator[Difference]:
        """The same of a lot, which an entry must have made."""
        lot = self.lots.get(kept.pk)
        if lot is None:
            yield Difference(self.account_id, f"lot {kept.pk}", MADE, True, False)
            return
        for name in KEPT_OF_LOT:
            if getattr(lot, name) != getattr(kept, name):
                yield Difference(self.account_id, f"lot {kept.pk}", name, getattr(kept, name), getattr(lot, name))
        if kept.open != (lot.remaining > 0):
            yield Difference(self.account_id, f"lot {kept.pk}", "open", kept.open, lot.remaining > 0)

    def pending_differs(self, holds: Mapping[int, bool], closures: Mapping[int, bool]) -> Iterator[Difference]:
        """The same of holds and closures: whether they are open, by seq."""
        closing = self.book.closing
        said_open = {"hold": set(self.book.holds), "closure": {closing.seq} if closing else set()}
        for word, kept in (("hold", holds), ("closure", closures)):
            for seq in sorted(kept.keys() | said_open[word]):
                if kept.get(seq, False) != (seq in said_open[word]):
                    yield Difference(
                        self.account_id, f"{word} {seq}", "open", kept.get(seq, False), seq in said_open[word]
                    )


def _shown(value: object) -> object:
    return bytes(value).hex()[:16] if isinstance(value, bytes | memoryview) else value


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)
