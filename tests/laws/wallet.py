"""A member's wallet in memory: lots with dates, holds, notices, a log of what happened, and what the clock does to it.

Written from the domain alone; it shares no line with the ledger. Nobody sweeps here: `catch_up` knows what the clock
has done, so whether and when the sweep ran changes no number (law 11). The acts stand in `model.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self

from tests.laws.dates import Rule, Stage, day_of, idle_date, last_day, later, restored_date

FAR = datetime(9000, 1, 1, tzinfo=UTC)

Name = tuple[int, int]  # a lot: the entry that made it, and its number there
Slices = list[tuple["Lot", int]]


@dataclass(eq=False)
class Lot:
    seq: int
    number: int
    family: int
    rule: Rule
    origin: str
    granted: int
    left: int
    made: datetime  # since when the member has it: before that nobody can be told of it
    spendable: datetime
    ends: datetime | None
    duty: int
    by_hand: bool = False  # its first date was given, not worked out
    moved_untold: bool = False
    ended_by: int = 0  # the entry with which the clock ended it, and with how many points
    ended_points: int = 0

    def __post_init__(self) -> None:
        self.first_ends, self.first_spendable = self.ends, self.spendable

    @property
    def name(self) -> Name:
        return self.seq, self.number

    @property
    def idles(self) -> bool:
        return self.rule.model == "inactivity"

    @property
    def place(self) -> tuple[datetime, Name]:
        """Its place in redemption order."""
        return self.ends or FAR, self.name


@dataclass
class Grant:
    seq: int
    points: int
    rule: Rule
    clawed_back: int = 0  # whoever paid, and what was written off
    expired: int = 0
    reinstated: int = 0
    was_reinstated: bool = False

    @property
    def cap(self) -> int:
        return max(self.points + self.reinstated - self.expired - self.clawed_back, 0)


@dataclass(eq=False)
class Spent:
    """A redeem or a capture, of which points can be refunded."""

    seq: int
    slices: Slices
    refunded: int = 0

    @property
    def points(self) -> int:
        return sum(n for _, n in self.slices)


@dataclass(eq=False)
class Hold:
    seq: int
    points: int
    lapses: datetime
    slices: Slices
    open: bool = True


@dataclass
class Closing:
    seq: int
    closes: datetime
    points: int
    open: bool = True


@dataclass
class Told:
    seq: int
    names: set[Name]
    ends: datetime
    on: date
    channel: str
    waiver: str = ""
    withdrawn: bool = False


@dataclass
class Move:
    name: Name
    was: datetime | None
    until: datetime | None
    spendable_was: datetime | None = None
    spendable_until: datetime | None = None


@dataclass
class Happened:
    """An entry as it must stand in the database."""

    kind: str
    amount: int
    debt_delta: int
    effective: datetime
    recorded: datetime
    slices: list[tuple[Name, int, datetime | None]]  # lot, points given or taken, until when those that came back live
    balance: int
    debt: int
    written_off: int = 0
    undoes: int | None = None
    asked: int | None = None
    available: int | None = None
    moves: list[Move] = field(default_factory=list)


class No(Exception):
    """The act must be refused, with one of these errors: with which, where several hold, the domain does not say."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


ACTIVITY = ("grant", "redeem", "hold")


@dataclass
class Wallet:
    stage: Stage
    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    last: datetime | None = None
    active: datetime | None = None
    not_before: datetime | None = None
    closed: bool = False
    log: list[Happened] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    closings: list[Closing] = field(default_factory=list)
    extensions: dict[str, int] = field(default_factory=dict)  # key: seq
    undone: set[int] = field(default_factory=set)  # extensions that were

    def copy(self) -> Self:
        """All that can change is copied; what is written in the log never changes."""
        memo: dict = {id(entry): entry for entry in self.log}
        return deepcopy(self, memo)

    # --- what can be seen

    @property
    def written(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def closing(self) -> Closing | None:
        return next((closing for closing in self.closings if closing.open), None)

    def lot(self, name: Name) -> Lot | None:
        return next((lot for lot in self.lots if lot.name == name), None)

    def is_told(self, lot: Lot) -> bool:
        """Whether a good notice for its present date is on record."""
        good = [n for n in self.told.values() if lot.name in n.names and n.ends == lot.ends and self.is_good(n, lot)]
        if lot.rule.waivers and any(notice.waiver for notice in good):
            return True
        return len({notice.channel for notice in good if not notice.waiver}) >= lot.rule.channels

    @staticmethod
    def is_good(notice: Told, lot: Lot) -> bool:
        ahead = (last_day(notice.ends) - notice.on).days
        in_time = ahead >= lot.duty and not (lot.rule.earliest and ahead > lot.rule.earliest)
        return in_time and not notice.withdrawn

    def gated(self, lot: Lot) -> bool:
        return lot.duty > 0 and lot.ends is not None and not self.is_told(lot)

    def ended(self, lot: Lot, at: datetime) -> bool:
        return lot.ends is not None and lot.ends <= at and not self.gated(lot)

    def live(self, at: datetime) -> list[Lot]:
        return in_order(lot for lot in self.lots if lot.left and not self.ended(lot, at))

    def spendable(self, at: datetime) -> list[Lot]:
        return [] if self.debt else [lot for lot in self.live(at) if lot.spendable <= at]

    def seen(self, at: datetime) -> tuple[int, int, int, int]:
        """Live points, those that can be spent, those that are promised, and the debt: by the clock, not by a job."""
        by_the_clock = self.copy()
        by_the_clock.catch_up(at)
        live = by_the_clock.live(at)
        promised = sum(lot.left for lot in live if lot.spendable > at)
        return total(live), total(by_the_clock.spendable(at)), promised, by_the_clock.debt

    # --- what the clock does

    def catch_up(self, now: datetime) -> datetime:
        """What the clock has done up to this act's one time, which is returned: in the order of the instants."""
        at = max(now, self.last) if self.last else now
        while due := self.next_due(at):
            instant, what, seq = due
            if what == 0:
                self.expire(instant, at)
            elif what == 1:
                self.lapse(next(hold for hold in self.holds.values() if hold.seq == seq), at, instant)
            else:
                self.close_for_good(instant, at)
        return at

    def next_due(self, at: datetime) -> tuple[datetime, int, int] | None:
        """What the clock does first: at one instant points expire before holds lapse, and then an account ends."""
        due = [(lot.ends, 0, 0) for lot in self.lots if lot.left and lot.ends and self.ended(lot, at)]
        due += [(hold.lapses, 1, hold.seq) for hold in self.holds.values() if hold.open and hold.lapses <= at]
        due += [(closing.closes, 2, 0) for closing in self.closings if closing.open and closing.closes <= at]
        return min(due, default=None)

    def expire(self, instant: datetime, at: datetime) -> None:
        gone = in_order(lot for lot in self.lots if lot.left and lot.ends == instant and self.ended(lot, at))
        slices = self.take(gone, total(gone))
        for lot, points in slices:
            lot.ended_by, lot.ended_points = len(self.log) + 1, points
            self.family_of(lot).expired += points
        self.happened("expire", at, taken=slices, effective=instant)

    def lapse(self, hold: Hold, at: datetime, instant: datetime) -> None:
        hold.open = False
        self.give_back("release", hold.slices, at, effective=instant, undoes=hold.seq)

    def close_for_good(self, instant: datetime, at: datetime) -> None:
        for hold in sorted(self.holds.values(), key=lambda hold: hold.seq):
            if hold.open:
                self.lapse(hold, at, instant)
        left = in_order(lot for lot in self.lots if lot.left)
        self.happened("forfeit" if left else "note", at, taken=self.take(left, total(left)), effective=instant)
        self.closed = True
        assert self.closing
        self.closing.open = False

    # --- how points move

    @staticmethod
    def take(lots: Iterable[Lot], points: int) -> Slices:
        taken = []
        for lot in lots:
            part = min(lot.left, points)
            if part > 0:
                taken.append((lot, part))
            lot.left -= part
            points -= part
        return taken

    def give_back(
        self,
        kind: str,
        slices: Slices,
        at: datetime,
        effective: datetime | None = None,
        undoes: int | None = None,
    ) -> None:
        """Points come back, the last slice first: to their lot if that lives long enough, or else to a new one."""
        since = effective or at
        given: Slices = []
        made = 0
        for lot, points in reversed(slices):
            ends = self.worked_out(lot)
            if ends is None or (ends >= later(since, lot.rule.floor) and not lot.ended_by):
                home = lot
                self.move([home], ends)
            else:
                until = restored_date(lot.rule, ends, since)
                home = self.new_lot(lot, made, points, since, until)
                made += 1
            home.left += points
            given.append((home, points))
        self.happened(kind, at, given=given, effective=effective, undoes=undoes)
        self.settle(at, effective)

    def new_lot(self, like: Lot, number: int, points: int, since: datetime, ends: datetime) -> Lot:
        """A further lot of the family of `like`, of the next entry."""
        seq = len(self.log) + 1
        lot = Lot(seq, number, like.family, like.rule, like.origin, points, 0, since, since, ends, like.duty)
        self.lots.append(lot)
        return lot

    def settle(self, at: datetime, effective: datetime | None = None) -> None:
        """While there is debt, all that is left pays it: even points that were over before they were given."""
        if self.debt:
            pays = self.take(in_order(self.lots), self.debt)
            if pays:
                self.happened("settle", at, taken=pays, debt=-sum(n for _, n in pays), effective=effective)

    def worked_out(self, lot: Lot) -> datetime | None:
        """The lot's date: its own, or where inactivity, extensions and its first date put it by now; never earlier than
        where a postponed promise put it."""
        if not (lot.idles and lot.first_ends and lot.ends and self.active):
            return lot.ends
        return max(lot.ends, lot.first_ends, idle_date(lot.rule, self.active), self.not_before or lot.first_ends)

    @staticmethod
    def move(lots: list[Lot], ends: datetime | None, untold: bool = False) -> list[Move]:
        """The lots' date moves there, for those that have not got it already."""
        moves = [Move(lot.name, lot.ends, ends) for lot in lots if lot.ends != ends]
        for lot in lots:
            if lot.ends != ends:
                lot.ends, lot.moved_untold = ends, untold
        return moves

    def family_of(self, lot: Lot) -> Grant:
        return next(grant for grant in self.grants.values() if grant.seq == lot.family)

    def happened(
        self,
        kind: str,
        at: datetime,
        *,
        given: Slices | None = None,
        taken: Slices | None = None,
        debt: int = 0,
        effective: datetime | None = None,
        undoes: int | None = None,
        moves: list[Move] | None = None,
        written_off: int = 0,
        asked: int | None = None,
        available: int | None = None,
    ) -> None:
        came_back = kind in ("refund", "release", "reinstate")
        slices = [(lot.name, n, lot.ends if came_back else None) for lot, n in given or []]
        slices += [(lot.name, -n, None) for lot, n in taken or []]
        moved = sum(n for _, n, _ in slices)
        self.debt += debt
        self.last = at
        before = self.log[-1].balance if self.log else 0
        entry = Happened(kind, moved - debt, debt, effective or at, at, slices, before + moved, self.debt)
        entry.written_off, entry.undoes, entry.asked, entry.available = written_off, undoes, asked, available
        entry.moves = moves or []
        self.log.append(entry)
        if kind in ACTIVITY:
            self.was_active(entry.effective)

    def was_active(self, since: datetime) -> None:
        """All lots that wait for inactivity wait longer now: their date is worked out, so that is no extension."""
        self.active = max(self.active, since) if self.active else since
        for lot in in_order(self.lots):
            if lot.left and lot.idles:
                self.move([lot], self.worked_out(lot))


def in_order(lots: Iterable[Lot]) -> list[Lot]:
    return sorted(lots, key=lambda lot: lot.place)


def total(lots: Iterable[Lot]) -> int:
    return sum(lot.left for lot in lots)


def told_too_late(lot: Lot, at: datetime) -> bool:
    """Whether the last day on which somebody could have been told in time of the lot's present date is over."""
    return lot.ends is not None and day_of(at) > last_day(lot.ends) - timedelta(days=lot.duty)
