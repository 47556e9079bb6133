"""An account's page while acts are decided: its state under the lock, and the entries that are about to be written.

Pure: no database, no clock. The acts decide on a book; the pen (`posting.py`) fills it and writes what it drafted.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from ledger import chain
from ledger.allocation import LotState, Slice, is_live, is_spendable, redemption_order
from ledger.announcing import is_announced
from ledger.drafts import Allocated, Closing, Draft, HoldState, Move, Signature, Told
from ledger.effects import take_effect
from ledger.errors import BooksClosed
from ledger.kinds import RESTORING, SIGN, Kind
from ledger.policies import Model, Rules, Terms, inactivity_date, start_of_day
from ledger.undoing import Known


class Unread(Protocol):
    """The open lots behind those that were read with the account, as they are written."""

    is_over: bool  # whether the last page has been read

    def page(self) -> list[LotState]:
        """The next ones in redemption order."""

    def of_family(self, seq: int) -> list[LotState]:
        """Those of this family, wherever they stand in the order; some may have been read before."""

    def spendable(self, at: datetime, *, but: Sequence[int]) -> int:
        """The points that can be spent at `at` of all open lots but those with these ids."""


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
    rules: Rules
    active_at: datetime | None = None
    not_before: datetime | None = None
    lapses_at: datetime | None = None  # the soonest lapse among the open holds
    closes_at: datetime | None = None
    closed: bool = False
    books_closed_until: date | None = None
    cooling_off_days: int = 0
    at: datetime = field(init=False)
    drafts: list[Draft] = field(default_factory=list)
    touched: dict[tuple[int, int], LotState] = field(default_factory=dict)  # written lots that changed
    known: Known = field(default_factory=Known)
    holds: dict[int, HoldState] = field(default_factory=dict)  # the open ones, by seq
    closing: Closing | None = None  # asked for, and not yet in effect
    ended: list[HoldState | Closing] = field(default_factory=list)  # written ones that are open no more
    _lots: list[LotState] = field(default_factory=list)
    _asides: dict[tuple[int, int], LotState] = field(default_factory=dict)  # lots that are empty, or were
    _unread: Unread | None = None
    _read_to: tuple[datetime, int, int] | None = None

    def fill(self, lots: list[LotState], unread: Unread | None = None) -> None:
        """Put in the open lots, in redemption order; `unread` are those behind them, if there may be any."""
        self._lots = lots
        self._unread = unread
        self._read_to = redemption_order(lots[-1]) if lots else None

    def begin(self, now: datetime) -> None:
        """Start an act: time never runs backwards on an account."""
        self.at = max(now, self.last_recorded_at) if self.last_recorded_at else now

    def refuse_closed_books(self, effective_at: datetime) -> None:
        """Raises BooksClosed when an act would take effect on a day that the programme has closed its books for."""
        day = self.books_closed_until
        if day and effective_at < start_of_day(day, self.rules.zone):
            raise BooksClosed(f"The books are closed until {day}.", field="effective_at")

    def lots(self) -> Iterator[LotState]:
        """The open lots in redemption order, read from the database page by page, as far as somebody looks."""
        place = 0
        while True:
            here = self._lots[place] if place < len(self._lots) else None
            if self._unread and (here is None or self._is_behind_what_was_read(here)):
                self._read_page(self._unread)
            elif here is None:
                return
            else:
                place += 1
                if here.remaining:
                    yield here

    def _is_behind_what_was_read(self, lot: LotState) -> bool:
        return self._read_to is not None and redemption_order(lot) > self._read_to

    def _read_page(self, unread: Unread) -> None:
        page = unread.page()
        if page:
            self._read_to = redemption_order(page[-1])  # as it is written: on this page it may have moved since
        if unread.is_over:
            self._unread = None
        self._meet(page)

    def _meet(self, lots: Iterable[LotState]) -> None:
        """Put lots that were read among the open ones; those that are known here already stay what they have become."""
        known = {(lot.seq, lot.number) for lot in self._lots} | self._asides.keys()
        new = [lot for lot in lots if (lot.seq, lot.number) not in known]
        self._lots = sorted([*self._lots, *new], key=redemption_order)

    def live(self) -> Iterator[LotState]:
        """The live lots in redemption order."""
        return (lot for lot in self.lots() if is_live(lot, self.at))

    def family(self, seq: int | None) -> list[LotState]:
        """The live lots of a grant's family in redemption order; those that were not read yet are looked up."""
        if self._unread and seq is not None:
            self._meet(self._unread.of_family(seq))
        return [lot for lot in self._lots if lot.family_seq == seq and is_live(lot, self.at)]

    def others(self, seq: int | None) -> Iterator[LotState]:
        """The live lots that are not of this family, in redemption order, read as far as somebody looks."""
        return (lot for lot in self.live() if lot.family_seq != seq)

    def spendable(self) -> int:
        """The points of all spendable lots; those of lots that were not read are summed up where they are."""
        here = sum(lot.remaining for lot in self._lots if is_spendable(lot, self.at))
        if self._unread is None:
            return here
        met = [lot.id for lot in (*self._lots, *self._asides.values()) if lot.id is not None]
        return here + self._unread.spendable(self.at, but=met)

    def same(self, lot: LotState) -> LotState:
        """The one state of this lot on this page: acts and facts that name the same lot must share it."""
        name = lot.seq, lot.number
        own = next((own for own in self._lots if (own.seq, own.number) == name), None) or self._asides.get(name)
        if own:
            return own
        if lot.remaining:
            self.open_lot(lot)  # met before its page is read: where its date moves, its place moves
        else:
            self._asides[name] = lot
        return lot

    def named(self, names: Iterable[tuple[int, int]]) -> list[LotState]:
        """The lots with these names, (seq, number), as far as this page has met them: open ones, and empty ones too."""
        wanted = set(names)
        met = {name: self._asides[name] for name in wanted if name in self._asides}
        met |= {(lot.seq, lot.number): lot for lot in self.lots() if (lot.seq, lot.number) in wanted}
        return [met[name] for name in sorted(met)]

    def hold_under(self, key: str) -> HoldState | None:
        """The open hold that was made under this key."""
        return next((hold for hold in self.holds.values() if hold.key == key), None)

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
        written_off: int = 0,
        made: Sequence[LotState] = (),
        moves: Sequence[Move] = (),
        told: Told | None = None,
        held: HoldState | None = None,
        closing: Closing | None = None,
        reason: str = "",
        reference: str = "",
        undoes_seq: int | None = None,
        asked: int | None = None,
        available: int | None = None,
        effective_at: datetime | None = None,
    ) -> Draft:
        """Draft one entry and let it take effect on this page: the only way in which a book changes."""
        allocations = [Allocated(lot, points, lot.expires_at if kind in RESTORING else None) for lot, points in give]
        allocations += [Allocated(lot, -points) for lot, points in take]
        moved = sum(part.delta for part in allocations)
        amount = moved - debt_delta
        if _sign(amount - written_off) != SIGN[kind]:
            raise AssertionError(f"{kind} cannot have the amount {amount}")
        draft = Draft(
            account_id=self.account_id,
            programme_id=self.programme_id,
            seq=self.next_seq(),
            kind=kind,
            amount=amount,
            debt_delta=debt_delta,
            written_off=written_off,
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
            held=held,
            closing=closing,
            previous_hash=self.head_hash,
        )
        draft.hash = chain.entry_hash(self.head_hash, draft, draft.parts())
        self.drafts.append(draft)
        take_effect(self, draft)
        return draft

    def is_inactivity(self, lot: LotState) -> bool:
        """Whether the lot's date is counted from the account's last activity."""
        return self.rules.has_inactivity and self.rules.terms(lot.policy_id).model == Model.INACTIVITY

    def date_of(self, lot: LotState) -> datetime | None:
        """The lot's date. Of an empty lot under an inactivity policy it is worked out anew: nobody kept it."""
        return lot.expires_at if lot.remaining else self._date_now(lot)

    def _date_now(self, lot: LotState) -> datetime | None:
        if lot.first_expires_at is None or not self.is_inactivity(lot):
            return lot.expires_at
        return self.dated(self.rules.terms(lot.policy_id), lot.first_expires_at)

    def dated(self, terms: Terms, first: datetime) -> datetime:
        """The date of points that are made with the date `first`: under an inactivity policy activity moves it on."""
        if terms.model != Model.INACTIVITY or self.active_at is None:
            return first
        return inactivity_date(terms, self.active_at, self.not_before, first)

    def redate(self, lot: LotState) -> None:
        """Give a lot the date that its policy says now; only a lot under an inactivity policy can get another."""
        until = self._date_now(lot)
        if until != lot.expires_at:
            lot.expires_at, lot.gated, lot.moved_untold = until, lot.notice_days > 0, False
            self.touch(lot)

    def set_gate(self, lot: LotState) -> None:
        """Open or shut the gate of a lot by the notices of its present date that the book knows."""
        lot.gated = lot.notice_days > 0 and not self.is_announced(lot)
        self.touch(lot)

    def is_announced(self, lot: LotState) -> bool:
        """Whether good notices stand for the lot's present date: on enough channels, or a waiver that counts."""
        if lot.expires_at is None:
            return False
        notices = self.known.notices.get(lot.expires_at, ())
        return is_announced(lot, self.rules.terms(lot.policy_id), notices)

    def put_in_order(self) -> None:
        """The order follows the dates: after some have moved."""
        self._lots.sort(key=redemption_order)

    def open_lot(self, lot: LotState) -> None:
        """Put a lot among the open ones: it was made, or it was empty and gets points again."""
        insort(self._lots, lot, key=redemption_order)

    def end_lot(self, lot: LotState) -> None:
        """Take a lot that is empty now from the open ones; an account's past makes no act longer."""
        place = bisect_left(self._lots, redemption_order(lot), key=redemption_order)
        if place == len(self._lots) or self._lots[place] is not lot:
            place = next((i for i, own in enumerate(self._lots) if own is lot), -1)
        if place >= 0:
            del self._lots[place]
            self._asides[lot.seq, lot.number] = lot

    def touch(self, lot: LotState) -> None:
        if lot.id is not None:
            self.touched[lot.seq, lot.number] = lot


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)
