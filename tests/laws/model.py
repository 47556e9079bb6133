"""The acts once more, on a wallet in memory: the second reading of the domain that the laws are tried against.

Written from the domain alone. It shares no line with the ledger: what both sides agree on, two independent readings of
the domain agree on. An act answers with an `Answer` or refuses with `No`; whoever calls it forgets what a refused act
did to the wallet, for what is refused leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.laws.dates import (
    LONG_AGO,
    Rule,
    day_of,
    end_of,
    first_date,
    idle_date,
    later,
    reinstated_date,
    start_of,
    untold_date,
)
from tests.laws.wallet import (
    Closing,
    Grant,
    Hold,
    Lot,
    Move,
    Name,
    No,
    Slices,
    Spent,
    Told,
    Wallet,
    in_order,
    told_too_late,
    total,
)

__all__ = ["Answer", "Model", "No"]


@dataclass
class Answer:
    """What the act must answer."""

    kind: str
    points: int = 0
    settled: int = 0
    debt_added: int = 0
    written_off: int = 0
    asked: int | None = None
    available: int | None = None
    seq: int = 0
    balance: int = 0
    debt: int = 0
    restored: list[tuple[int, datetime | None]] = field(default_factory=list)


@dataclass
class Model(Wallet):
    """A wallet to which things are done. Lots are named by (entry, number), holds and entries to undo by their keys."""

    # --- points come, go and come back

    def grant(
        self,
        key: str,
        points: int,
        origin: str,
        now: datetime,
        since: datetime | None = None,
        expires: datetime | None = None,
        spendable: datetime | None = None,
    ) -> Answer:
        at = self.begin(now)
        if since and since > at:
            raise No("FutureAct")
        since = since or at
        books = self.stage.books_closed_until
        if books and since < start_of(books):
            raise No("BooksClosed")
        if expires and expires <= at:
            raise No("PastExpiry")
        rule = self.stage.in_force(since, origin)
        if expires and rule.model == "inactivity":
            idle = idle_date(rule, max(since, self.active or since))
            if expires < max(idle, self.not_before or idle):
                raise No("BadInput")  # this very grant is activity: it would move the date that was asked for
        if expires and rule.duty and expires < later(at, rule.duty + rule.slack):
            raise No("BadInput")  # nobody could be told in time, however far the grant is dated back
        spendable = spendable or later(since, rule.spendable_after)
        ends = expires or self.first_date(rule, since, spendable)
        if spendable < since or (ends and ends <= spendable):
            raise No("BadInput")  # nobody promises points for before they are given, or for when they are over
        seq = len(self.log) + 1
        lot = Lot(seq, 0, seq, rule, origin, points, points, since, spendable, ends, rule.duty if ends else 0)
        lot.by_hand = expires is not None
        self.lots.append(lot)
        self.grants[key] = Grant(seq, points, rule)
        self.happened("grant", at, given=[(lot, points)], effective=since)
        self.settle(at)
        return self.answer(seq, points=points)

    def first_date(self, rule: Rule, since: datetime, spendable: datetime) -> datetime | None:
        """Of inactivity, the account's date: this grant is activity, too, but one dated back never turns it back.

        Promised points do not wait for activity before they can be spent.
        """
        if rule.model != "inactivity":
            return first_date(rule, since, spendable)
        ends = first_date(rule, since, max(spendable, self.active or spendable))
        return max(ends, self.not_before or ends) if ends else None

    def redeem(self, key: str, points: int, now: datetime) -> Answer:
        at = self.begin(now)
        slices, answer = self.spend("redeem", points, at)
        if answer.kind == "redeem":
            self.spent[key] = Spent(answer.seq, slices)
        return answer

    def hold(self, key: str, points: int, lapses: datetime, now: datetime) -> Answer:
        at = self.begin(now)
        if lapses <= at:
            raise No("BadInput", "PastExpiry")
        slices, answer = self.spend("hold", points, at)
        if answer.kind == "hold":
            self.holds[key] = Hold(answer.seq, points, lapses, slices)
        return answer

    def spend(self, kind: str, points: int, at: datetime) -> tuple[Slices, Answer]:
        there = total(self.spendable(at))
        if there < points:
            self.happened("decline", at, asked=points, available=there)
            return [], self.answer(asked=points, available=there)
        slices = self.take(self.spendable(at), points)
        self.happened(kind, at, taken=slices)
        return slices, self.answer(points=points)

    def capture(self, key: str, held: str, points: int | None, now: datetime) -> Answer:
        at = self.begin(now)
        hold = self.holds.get(held)
        if hold is None or not hold.open:
            raise No("HoldNotOpen")
        points = points or hold.points
        if points > hold.points:
            raise No("MoreThanHeld")
        hold.open = False
        captured, rest = cut(hold.slices, points)
        seq = len(self.log) + 1
        self.spent[key] = Spent(seq, captured)
        self.happened("capture", at, undoes=hold.seq, asked=points)
        if rest:
            self.give_back("release", rest, at, undoes=hold.seq)
        return self.answer(seq, points=points, asked=points)

    def release(self, held: str, now: datetime) -> Answer:
        at = self.begin(now)
        hold = self.holds.get(held)
        if hold is None or not hold.open:
            raise No("HoldNotOpen")
        seq = len(self.log) + 1
        self.lapse(hold, at, at)
        return self.answer(seq, points=hold.points)

    def refund(self, points: int, undoes: str, now: datetime) -> Answer:
        at = self.begin(now)
        spent = self.spent.get(undoes)
        if spent is None:
            raise No("NotARedemption")
        kept = spent.points - spent.refunded
        if points > kept:
            raise No("MoreThanRedeemed")
        spent.refunded += points
        _, back = cut(cut(spent.slices, kept)[0], kept - points)
        seq = len(self.log) + 1
        self.give_back("refund", back, at, undoes=spent.seq)
        return self.answer(seq, points=points)

    def clawback(self, points: int, undoes: str | None, now: datetime) -> Answer:
        at = self.begin(now)
        grant = self.grants.get(undoes) if undoes else None
        if undoes and grant is None:
            raise No("NotAGrant")
        cap = grant.cap if grant else None
        due = points if cap is None else min(points, cap)
        if due == 0:
            self.happened("note", at, asked=points, available=0)
            return self.answer(asked=points, available=0)
        rule = grant.rule if grant else self.stage.in_force(at, "adjustment")
        live = sorted(self.live(at), key=lambda lot: lot.spendable > at)  # the promised ones last
        payers = [lot for lot in live if grant and lot.family == grant.seq]
        if grant is None or rule.beyond == "debt":
            payers += [lot for lot in live if lot not in payers]
        slices = self.take(payers, due)
        unpaid = due - sum(n for _, n in slices)
        debt, written_off = (unpaid, 0) if rule.beyond == "debt" else (0, unpaid)
        if grant:
            grant.clawed_back += due
        self.happened(
            "clawback",
            at,
            taken=slices,
            debt=debt,
            written_off=written_off,
            undoes=grant.seq if grant else None,
            asked=points,
            available=cap,
        )
        return self.answer(points=due - written_off, asked=points, available=cap)

    def reinstate(self, name: Name, now: datetime) -> Answer:
        at = self.begin(now)
        lot = self.lot(name)
        if lot is None or not lot.ended_by:
            raise No("LotNotExpired")
        grant = self.family_of(lot)
        refusals = ["AlreadyReinstated"] * grant.was_reinstated
        assert lot.ends
        if at >= later(lot.ends, lot.rule.window):
            refusals.append("TooLateToReinstate")
        if refusals:
            raise No(*refusals)
        ends = reinstated_date(lot.rule, at)
        new = self.new_lot(lot, 0, lot.ended_points, at, max(ends, (lot.idles and self.worked_out(lot)) or ends))
        new.left = new.granted
        grant.was_reinstated = True
        grant.reinstated += new.granted
        seq = new.seq
        self.happened("reinstate", at, given=[(new, new.granted)], undoes=lot.ended_by)
        self.settle(at)
        return self.answer(seq, points=new.granted)

    # --- dates move

    def extend(self, key: str, names: set[Name], until: date, now: datetime) -> Answer:
        ends = end_of(until)
        at = self.begin(now)
        lots = in_order(lot for lot in self.live(at) if lot.name in names)
        if len(lots) < len(names):
            raise No("LotNotLive")
        if ends <= now:
            raise No("PastExpiry")
        if any(lot.ends is None or ends <= max(lot.ends, at) for lot in lots):
            raise No("EarlierDate")
        return self.extended(key, dict.fromkeys(lots, ends), at)

    def extended(self, key: str, dates: dict[Lot, datetime], at: datetime, untold: bool = False) -> Answer:
        """The lots get these dates. Those that idle have one date: where one goes, all that end earlier go."""
        idle_dates = [ends for lot, ends in dates.items() if lot.idles]
        if idle_dates:
            self.not_before = max([*idle_dates, self.not_before or LONG_AGO])
            for lot in self.lots:
                if lot.left and lot.idles and lot.ends and lot.ends < self.not_before:
                    dates[lot] = self.not_before
        moves = [move for lot in in_order(dates) for move in self.move([lot], dates[lot], untold)]
        self.happened("extend", at, moves=moves)
        self.extensions[key] = len(self.log)
        return self.answer()

    def undo(self, extension: str, now: datetime) -> Answer:
        at = self.begin(now)
        seq = self.extensions.get(extension)
        if seq is None:
            raise No("NotAnExtension")
        moves = self.log[seq - 1].moves
        if seq in self.undone or not all(self.can_go_back(move, at) for move in moves):
            raise No("CannotUndo")
        self.undone.add(seq)
        back = [self.move([lot], move.was)[0] for move in moves if (lot := self.lot(move.name))]
        self.happened("extend", at, undoes=seq, moves=back)
        return self.answer()

    def can_go_back(self, move: Move, at: datetime) -> bool:
        lot = self.lot(move.name)
        assert lot
        about = [n for n in self.told.values() if lot.name in n.names and n.ends == move.until]
        told = any(not n.withdrawn and not n.waiver for n in about)  # of a waiver nobody was told
        ahead = move.was is not None and move.was > at
        return lot.left > 0 and lot.ends == move.until and ahead and not told and not lot.idles

    def postpone(self, names: set[Name], spendable: datetime, now: datetime) -> Answer:
        at = self.begin(now)
        lots = in_order(lot for lot in self.live(at) if lot.name in names and lot.spendable > at)
        if len(lots) < len(names):
            raise No("LotNotPromised", "LotNotLive")
        if any(spendable <= lot.spendable for lot in lots):
            raise No("EarlierDate")
        moves = []
        for lot in lots:
            move = Move(lot.name, lot.ends, lot.ends, lot.spendable, spendable)
            if lot.ends and lot.rule.model == "never":  # dated by hand: it keeps the time there was to spend it
                move.until = spendable + (lot.ends - lot.spendable)
            elif lot.ends and lot.rule.model in ("rolling", "fixed_day", "inactivity"):
                move.until = max(lot.ends, first_date(lot.rule, lot.made, spendable) or lot.ends)
            self.move([lot], move.until)
            lot.spendable = spendable
            moves.append(move)
        self.happened("postpone", at, moves=moves)
        return self.answer()

    # --- the notice gate

    def notify(
        self, key: str, names: set[Name], ends: datetime, on: date, now: datetime, channel: str = "", waiver: str = ""
    ) -> Answer:
        """The member was told on this channel; or need not be told, for this reason."""
        at = self.begin(now)
        if on > day_of(at):
            raise No("BadInput")
        lots = [lot for lot in self.live(at) if lot.name in names and lot.ends == ends]
        if any(on < self.known_since(lot, at) for lot in lots):
            raise No("BadInput")
        if lots:
            seq = len(self.log) + 1
            self.told[key] = Told(seq, {lot.name for lot in lots}, ends, on, channel, waiver)
        for lot in lots:
            lot.moved_untold = lot.moved_untold and not self.reached(lot, waiver)
        self.happened("notify" if lots else "note", at)
        return self.answer()

    def reached(self, lot: Lot, waiver: str) -> bool:
        """Whether somebody was told, in time or not: a waiver says that nobody was."""
        return not waiver

    @staticmethod
    def known_since(lot: Lot, at: datetime) -> date:
        """Nobody can be told of points before they have them; of a promise they can, before it can be spent."""
        return day_of(lot.made)

    def withdraw_notice(self, notice: str, now: datetime) -> Answer:
        at = self.begin(now)
        told = self.told.get(notice)
        if told is None:
            raise No("NotANotice")
        named = [lot for lot in self.lots if lot.name in told.names and lot.ends == told.ends]
        stands = any(not lot.ended_by and not self.ended(lot, at) for lot in named)
        # Of a lot that was emptied it is withdrawn, too, while points may come back to it.
        if told.withdrawn or not stands:
            self.happened("note", at)
            return self.answer()
        told.withdrawn = True
        self.happened("notify", at, undoes=told.seq)
        return self.answer()

    def extend_untold(self, key: str, names: set[Name], now: datetime, again: bool = False) -> Answer:
        at = self.begin(now)
        late = [
            lot
            for lot in self.live(at)
            if lot.name in names and self.gated(lot) and told_too_late(lot, at) and (again or not lot.moved_untold)
        ]
        if not late:
            self.happened("note", at)
            return self.answer()
        return self.extended(key, {lot: untold_date(lot.rule, at) for lot in late}, at, untold=True)

    # --- the end

    def close(self, now: datetime) -> Answer:
        at = self.begin(now)
        if self.closing:
            raise No("AlreadyClosing")
        closes = end_of(day_of(later(at, self.stage.cooling_off)))
        self.closings.append(Closing(len(self.log) + 1, closes, total(self.live(at))))
        self.happened("close", at)
        return self.answer()

    def stay(self, now: datetime) -> Answer:
        """The closure is withdrawn."""
        at = self.begin(now)
        if self.closing is None:
            raise No("NotClosing")
        self.happened("close", at, undoes=self.closing.seq)
        self.closing.open = False
        return self.answer()

    # --- how

    def begin(self, now: datetime) -> datetime:
        at = self.catch_up(now)
        if self.closed:
            raise No("AccountClosed")
        books = self.stage.books_closed_until
        assert not books or at >= start_of(books), "the stage's books are closed for the past only"
        return at

    def answer(
        self, seq: int | None = None, points: int = 0, asked: int | None = None, available: int | None = None
    ) -> Answer:
        """What is said of the entry `seq`, the newest if none is named, and of its companions behind it."""
        seq = seq or len(self.log)
        entry, companions = self.log[seq - 1], self.log[seq:]
        found = Answer(entry.kind, points, asked=asked, available=available, seq=seq)
        found.settled = -sum(companion.debt_delta for companion in companions)
        found.debt_added, found.written_off = entry.debt_delta, entry.written_off
        found.balance, found.debt = self.log[-1].balance, self.debt
        for line in (entry, *companions):
            if line.kind in ("refund", "release", "reinstate"):
                found.restored += [(n, until) for _, n, until in line.slices]
        return found


def cut(slices: Slices, points: int) -> tuple[Slices, Slices]:
    """The first so many points of the slices, and the rest."""
    first: Slices = []
    rest: Slices = []
    for lot, n in slices:
        part = min(n, points)
        points -= part
        first += [(lot, part)] * (part > 0)
        rest += [(lot, n - part)] * (part < n)
    return first, rest
