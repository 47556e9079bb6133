"""The laws once more as a plain model in memory: a wallet is a list of lots with dates, and a log of what happened.

Written from `docs/domain.md` alone. It shares no line with `allocation.py`, `book.py` or `policies.py`: what both
sides agree on, two independent readings of the domain agree on. The stage is Seoul, which has no summer time, so
that dates are plain arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

SEOUL = timezone(timedelta(hours=9))
FAR = datetime(9000, 1, 1, tzinfo=UTC)

# Where points come from: (days they live or None for ever, to the end of the day?, notice duty, slack).
POLICIES: dict[str, tuple[int | None, bool, int, int]] = {
    "purchase": (20, False, 0, 0),
    "promotion": (7, True, 0, 0),
    "compensation": (None, False, 0, 0),
    "migration": (5, True, 10, 3),
}


def day_of(at: datetime) -> date:
    return at.astimezone(SEOUL).date()


def start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SEOUL).astimezone(UTC)


def end_of(day: date) -> datetime:
    return start_of(day + timedelta(days=1))


def last_day(ends: datetime) -> date:
    return day_of(ends - timedelta(microseconds=1))


def first_date(origin: str, since: datetime) -> datetime | None:
    life, to_the_end_of_the_day, duty, slack = POLICIES[origin]
    if life is None:
        return None
    ends = since + timedelta(days=max(life, duty + slack if duty else 0))
    return end_of(day_of(ends)) if to_the_end_of_the_day else ends


@dataclass
class Lot:
    seq: int
    granted: int
    left: int
    since: datetime
    ends: datetime | None
    duty: int
    slack: int
    announced: bool = False  # a notice that was good is on record for its present date

    @property
    def gated(self) -> bool:
        return self.duty > 0 and not self.announced

    def ended(self, at: datetime) -> bool:
        return self.ends is not None and self.ends <= at and not self.gated


@dataclass
class Grant:
    seq: int
    points: int
    clawed_back: int = 0
    expired: int = 0


@dataclass
class Happened:
    """An entry as it must stand in the database."""

    kind: str
    amount: int
    debt_delta: int
    effective: datetime
    recorded: datetime
    slices: list[tuple[int, int]]
    balance: int
    debt: int

    @property
    def lots(self) -> list[int]:
        return [seq for seq, _ in self.slices]

    @property
    def deltas(self) -> list[int]:
        return [delta for _, delta in self.slices]


@dataclass
class Answer:
    """What the act must answer."""

    kind: str
    points: int = 0
    settled: int = 0
    debt_added: int = 0
    asked: int | None = None
    available: int | None = None
    seq: int = 0
    balance: int = 0
    debt: int = 0


class No(Exception):
    """The act must be refused, with the error of this name."""


@dataclass
class Wallet:
    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    last: datetime | None = None
    log: list[Happened] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)

    # --- what can be seen

    @property
    def written(self) -> int:
        return sum(lot.left for lot in self.lots)

    def live(self, at: datetime) -> list[Lot]:
        found = [lot for lot in self.lots if lot.left > 0 and not lot.ended(at)]
        return sorted(found, key=lambda lot: (lot.ends or FAR, lot.seq))

    def points(self, at: datetime) -> int:
        return sum(lot.left for lot in self.live(at))

    # --- what happens

    def grant(self, key: str, points: int, origin: str, now: datetime, since: datetime | None) -> Answer:
        at = self.catch_up(now)
        since = since or at
        ends = first_date(origin, since)
        duty, slack = POLICIES[origin][2:] if ends else (0, 0)
        lot = Lot(len(self.log) + 1, points, points, since, ends, duty, slack)
        self.lots.append(lot)
        self.grants[key] = Grant(lot.seq, points)
        answer = Answer("grant", points, seq=lot.seq)
        self.happened("grant", points, 0, at, [(lot.seq, points)], effective=since)
        if self.debt:
            # All that is left: even points that are over before they are given pay as they would have in their time.
            left = sorted((lot for lot in self.lots if lot.left), key=lambda lot: (lot.ends or FAR, lot.seq))
            pays = self.take(left, self.debt)
            answer.settled = sum(n for _, n in pays)
            if answer.settled:
                self.happened("settle", 0, -answer.settled, at, [(seq, -n) for seq, n in pays])
        return self.finish(answer)

    def redeem(self, points: int, now: datetime) -> Answer:
        at = self.catch_up(now)
        there = 0 if self.debt else self.points(at)
        if there < points:
            self.happened("decline", 0, 0, at, [])
            return self.finish(Answer("decline", asked=points, available=there, seq=len(self.log)))
        slices = self.take(self.live(at), points)
        self.happened("redeem", -points, 0, at, [(seq, -n) for seq, n in slices])
        return self.finish(Answer("redeem", points, seq=len(self.log)))

    def clawback(self, points: int, now: datetime, undoes: str | None) -> Answer:
        at = self.catch_up(now)
        grant = self.grants.get(undoes) if undoes else None
        if undoes and grant is None:
            raise No("NotAGrant")
        due, cap = points, None
        if grant:
            cap = grant.points - grant.clawed_back - grant.expired
            assert 0 <= cap <= grant.points
            due = min(points, cap)
        if due == 0:
            self.happened("note", 0, 0, at, [])
            return self.finish(Answer("note", asked=points, available=0, seq=len(self.log)))
        family = [lot for lot in self.live(at) if grant and lot.seq == grant.seq]
        others = [lot for lot in self.live(at) if lot not in family]
        slices = self.take(family + others, due)
        unpaid = due - sum(n for _, n in slices)
        if grant:
            grant.clawed_back += due
        self.happened("clawback", -due, unpaid, at, [(seq, -n) for seq, n in slices])
        return self.finish(Answer("clawback", due, 0, unpaid, points, cap, len(self.log)))

    def extend(self, seqs: set[int], until: date, now: datetime) -> Answer:
        ends = end_of(until)
        at = self.catch_up(now)
        lots = [lot for lot in self.live(at) if lot.seq in seqs]
        if len(lots) < len(seqs):
            raise No("LotNotLive")
        if ends <= now:
            raise No("PastExpiry")
        if any(lot.ends is None or ends <= max(lot.ends, at) for lot in lots):
            raise No("EarlierDate")
        for lot in lots:
            lot.ends, lot.announced = ends, False
        self.happened("extend", 0, 0, at, [])
        return self.finish(Answer("extend", seq=len(self.log)))

    def notify(self, seqs: set[int], ends: datetime, told_on: date, now: datetime) -> Answer:
        if told_on > day_of(now):
            raise No("BadInput")
        at = self.catch_up(now)
        lots = [lot for lot in self.live(at) if lot.seq in seqs and lot.ends == ends]
        if any(told_on < day_of(lot.since) for lot in lots):
            raise No("BadInput")
        self.happened("notify" if lots else "note", 0, 0, at, [])
        for lot in lots:
            if lot.duty and told_on <= last_day(ends) - timedelta(days=lot.duty):
                lot.announced = True
        return self.finish(Answer("notify" if lots else "note", seq=len(self.log)))

    def extend_untold(self, seqs: set[int], now: datetime) -> Answer:
        at = self.catch_up(now)
        late = [
            lot
            for lot in self.live(at)
            if lot.seq in seqs and lot.gated and lot.ends and day_of(at) > last_day(lot.ends) - timedelta(days=lot.duty)
        ]
        for lot in late:
            lot.ends = end_of(day_of(at) + timedelta(days=lot.duty + lot.slack))
        self.happened("extend" if late else "note", 0, 0, at, [])
        return self.finish(Answer("extend" if late else "note", seq=len(self.log)))

    # --- how

    def catch_up(self, now: datetime) -> datetime:
        """What the clock has done up to this act's one time, which is returned."""
        at = max(now, self.last) if self.last else now
        ended = [lot for lot in self.lots if lot.left and lot.ended(at)]
        for instant in sorted({lot.ends for lot in ended if lot.ends}):
            gone = [lot for lot in ended if lot.ends == instant]
            slices = [(lot.seq, -lot.left) for lot in gone]
            for lot in gone:
                for grant in self.grants.values():
                    grant.expired += lot.left if grant.seq == lot.seq else 0
                lot.left = 0
            self.happened("expire", sum(n for _, n in slices), 0, at, slices, effective=instant)
        return at

    @staticmethod
    def take(lots: list[Lot], points: int) -> list[tuple[int, int]]:
        taken = []
        for lot in lots:
            part = min(lot.left, points)
            if part > 0:
                taken.append((lot.seq, part))
            lot.left -= part
            points -= part
        return taken

    def happened(
        self,
        kind: str,
        amount: int,
        debt_delta: int,
        at: datetime,
        slices: list[tuple[int, int]],
        effective: datetime | None = None,
    ) -> None:
        self.debt += debt_delta
        self.last = at
        before = self.log[-1].balance if self.log else 0
        balance = before + sum(n for _, n in slices)
        self.log.append(Happened(kind, amount, debt_delta, effective or at, at, slices, balance, self.debt))

    def finish(self, answer: Answer) -> Answer:
        answer.balance, answer.debt = self.log[-1].balance, self.debt
        return answer
