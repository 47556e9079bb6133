"""The random lives: two members of one programme, and every step that can happen to them.

Nobody sweeps in the model: it knows what the clock has done; so whether and when the sweep ran changes no number
(law 11). What both sides do stands in `sides.py`; here it is only chosen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.audit import audit
from ledger.models import Mode, Programme
from ledger.verdicts import Run
from tests.laws.dates import Stage, day_of, later
from tests.laws.model import Model
from tests.laws.sides import CUTS, Sides, inside_a_test
from tests.laws.stages import EVERYDAY, START, TAKEN_BACK, TOLD
from tests.laws.tally import Tally
from tests.laws.wallet import Hold, Lot, Name, told_too_late

few_points = st.integers(1, 60)
points = st.one_of(few_points, st.sampled_from([1, 40, 100, 150, 10**12]))
shares = st.sampled_from([0.1, 0.3, 0.3, 0.6, 0.6, 1, 1, 1.2])
who = st.integers(0, 1)
# Mostly on time; now and then an act comes late, with a time before what is already on record.
lateness = st.sampled_from([timedelta(0)] * 6 + [timedelta(minutes=1), timedelta(hours=5), timedelta(days=2)])
seldom = st.sampled_from([False] * 5 + [True])
# Most acts are cut down first, and then done. What is done usually takes no lock: it is rather cut elsewhere.
cuts = st.sampled_from([None] * 6 + sorted(CUTS) + [cut for cut in sorted(CUTS) if "lock" not in cut])
names = itertools.count(1)

USUAL = 4  # the odds of a step of which nothing else is said


@dataclass(frozen=True)
class Step:
    """A step of a life: what it is, its odds against the others, its words, and when it can be taken at all."""

    take: Callable[..., None]
    odds: int
    words: dict[str, st.SearchStrategy]
    has: Callable[[Model, datetime], object] | None

    def can_be_taken(self, lives: Lives) -> bool:
        return self.has is None or any(self.has(wallet, lives.now) for wallet in lives.sides.wallets)


STEPS: dict[str, Step] = {}


def step(
    odds: int = USUAL, has: Callable[[Model, datetime], object] | None = None, **words: st.SearchStrategy
) -> Callable[[Callable], Callable]:
    """A step, and what at least one member must have for it. What seldom can be taken needs the better odds."""

    def known(take: Callable) -> Callable:
        STEPS[take.__name__] = Step(take, odds, words, has)
        return take

    return known


class Lives(RuleBasedStateMachine):
    """Everything happens inside one transaction that is rolled back at the end."""

    stage: Stage
    programme: Programme  # with the rules of the stage; set by the test, the same for all lives
    tally: Tally  # of all lives of a run; set by the test

    def __init__(self) -> None:
        super().__init__()
        self.whole = inside_a_test()
        self.whole.__enter__()
        self.now = START
        self.asked_again = False
        self.looked_at = 0
        self.swept_at = START

    def teardown(self) -> None:
        try:
            assert [str(finding) for finding in audit(programme_id=self.programme.pk)] == []
            self.tally.end_of_a_life(self.programme)
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    @initialize(
        first=st.lists(st.tuples(who, few_points), min_size=1, max_size=4),
        # Some lives go without steps that the others have: what is left happens the more often.
        left_out=st.one_of(st.just(set()), st.deferred(lambda: st.sets(st.sampled_from(sorted(STEPS)), max_size=9))),
        data=st.data(),
    )
    def everybody_starts_with_some_points(self, first, left_out, data) -> None:
        self.sides, self.chance = Sides(self.programme, self.stage), data
        self.left_out = left_out
        for index, amount in first:
            self.do("grant", index, points=amount, origin=self.an_origin())

    @rule()
    def something_happens(self) -> None:
        can = {name: one for name, one in STEPS.items() if one.can_be_taken(self)}
        names = [name for name in can if name not in self.left_out] or list(can)
        name = self.draw(st.sampled_from([name for name in names for _ in range(can[name].odds)]), label="step")
        can[name].take(self, **{word: self.draw(words, label=word) for word, words in can[name].words.items()})

    # --- points come and go

    @step(has=lambda wallet, now: wallet.debt, amount=points)
    def points_for_somebody_in_debt(self, amount) -> None:
        index = 0 if self.sides.wallets[0].debt else 1
        self.do("grant", index, points=amount, origin=self.an_origin())

    @step(
        2,
        index=who,
        amount=points,
        late=lateness,
        back=st.sampled_from([None] * 5 + [timedelta(hours=1), timedelta(days=3), timedelta(days=30)]),
        by_hand=st.sampled_from([None] * 5 + [timedelta(days=4), timedelta(days=40)]),
        promised=st.sampled_from([None] * 3 + [timedelta(days=1), timedelta(days=4), timedelta(days=10)]),
    )
    def grant(self, index, amount, late, back, by_hand, promised) -> None:
        index, now = self.somebody_alive(index), self.time(late)
        more = {
            "since": now - back if back else None,
            "expires": now + by_hand if by_hand else None,
            "spendable": now + promised if promised else None,
        }
        self.do("grant", index, late, points=amount, origin=self.an_origin(), **more)

    @step(index=who, share=shares, late=lateness)
    def redeem(self, index, share, late) -> None:
        """A share of what is there, sometimes just more than there is."""
        index = self.somebody_with_points(index)
        self.do("redeem", index, late, points=self.part_of(index, share))

    @step(index=who, share=shares, late=lateness, hours=st.sampled_from([-1, 2, 24, 24 * 5, 24 * 40]))
    def hold(self, index, share, late, hours) -> None:
        index = self.somebody_with_points(index)
        self.do("hold", index, late, points=self.part_of(index, share), lapses=self.now + timedelta(hours=hours))

    @step(
        12,
        has=lambda wallet, now: any(hold.open and hold.lapses > now for hold in wallet.holds.values()),
        index=who,
        share=st.sampled_from([None, None, 0.1, 0.3, 0.6, 0.9]),
        too_much=seldom,
    )
    def capture(self, index, share, too_much) -> None:
        index, held = self.one_of(index, lambda wallet: wallet.holds, self.can_be_captured)
        size = self.sides.wallets[index].holds[held].points
        points = size + 1 if too_much else share and min(int(size * share) + 1, size)
        self.do("capture", index, hold=held, points=points)

    @step(8, has=lambda wallet, now: wallet.holds, index=who, late=lateness)
    def release(self, index, late) -> None:
        index, held = self.one_of(index, lambda wallet: wallet.holds, self.can_be_captured)
        self.do("release", index, late, hold=held)

    def can_be_captured(self, wallet: Model, hold: Hold) -> bool:
        return hold.open and hold.lapses > self.now

    @step(
        6,
        has=lambda wallet, now: wallet.spent,
        index=who,
        share=st.sampled_from([0.2, 0.5, 0.99, 0.99, 1.4]),
        late=lateness,
    )
    def refund(self, index, share, late) -> None:
        index, spent = self.one_of(index, lambda wallet: wallet.spent, lambda _, one: one.points > one.refunded)
        left = self.sides.wallets[index].spent[spent]
        self.do("refund", index, late, points=min(int((left.points - left.refunded) * share) + 1, 10**12), undoes=spent)

    @step(3, index=who, share=st.sampled_from([0.3, 0.7, 1, 1.5]), late=lateness)
    def clawback(self, index, share, late) -> None:
        own, others = self.sides.wallets[index].grants, list(self.sides.wallets[1 - index].grants)
        undoes = self.draw(st.sampled_from([None, *own, *own, *own, *others[:1], "unknown"]), label="undoes")
        given = own[undoes].points if undoes in own else self.there(index)
        self.do("clawback", index, late, points=min(int(given * share) + 1, 10**12), undoes=undoes)

    @step(2, index=who, up=st.booleans(), amount=few_points)
    def adjust(self, index, up, amount) -> None:
        self.do("adjust_up" if up else "adjust_down", self.somebody_alive(index), points=amount)

    @step(18, has=lambda wallet, now: any(can_be_reinstated(wallet, lot, now) for lot in wallet.lots), index=who)
    def reinstate(self, index) -> None:
        index, lots = self.some_lots(index, can_be_reinstated)
        self.do("reinstate", index, lot=lots[0])

    # --- dates move

    @step(3, index=who, ahead=st.sampled_from([-1, 3, 22, 30, 45, 90]), late=lateness)
    def extend(self, index, ahead, late) -> None:
        index, lots = self.some_lots(index, has_a_date)
        self.do("extend", index, late, lots=lots, until=day_of(self.now) + timedelta(days=ahead))

    @step(
        has=lambda wallet, now: any(wallet.is_told(lot) for lot in wallet.live(now) if lot.duty),
        ahead=st.sampled_from([3, 22, 45]),
    )
    def extend_what_was_told_of(self, ahead) -> None:
        for index, wallet in enumerate(self.sides.wallets):
            told = [lot.name for lot in wallet.live(self.now) if lot.duty and wallet.is_told(lot)]
            if told:
                self.do("extend", index, lots=told, until=day_of(self.now) + timedelta(days=ahead))
                return

    @step(8, has=lambda wallet, now: wallet.extensions, index=who)
    def undo(self, index) -> None:
        index, key = self.one_of(index, lambda wallet: wallet.extensions, lambda wallet, seq: seq not in wallet.undone)
        self.do("undo", index, extension=key)

    @step(
        has=lambda wallet, now: any(lot.spendable > now for lot in wallet.live(now)),
        index=who,
        ahead=st.sampled_from([-2, 1, 1, 5, 12, 30]),
        late=lateness,
    )
    def postpone(self, index, ahead, late) -> None:
        """Mostly to a day after the promised one."""
        index, lots = self.some_lots(index, is_promised)
        promised = [lot.spendable for name in lots if (lot := self.sides.wallets[index].lot(name))]
        self.do("postpone", index, late, lots=lots, spendable=max(*promised, self.now) + timedelta(days=ahead))

    # --- the notice gate

    @step(
        8,
        has=lambda wallet, now: any(lot.duty for lot in wallet.live(now)),
        index=who,
        ago=st.sampled_from([0, 0, 1, 3, 12]),
        stale=seldom,
        how=st.sampled_from(["email", "email", "text", "text", "waived", "waived", "waived"]),
    )
    def notify(self, index, ago, stale, how) -> None:
        wallet = self.sides.wallets[index]
        left = [lot for lot in wallet.live(self.now) if lot.ends]
        dated = [lot for lot in left if wallet.gated(lot)] or left
        if not dated:
            return
        ends = self.draw(st.sampled_from(sorted({lot.ends for lot in dated if lot.ends})), label="ends")
        more: dict = {
            "lots": [lot.name for lot in dated if lot.ends == ends],
            "on": day_of(self.now) - timedelta(days=ago),
        }
        ends += timedelta(days=1) if stale else timedelta(0)
        if how == "waived":
            self.do("waive", index, ends=ends, **more)
        else:
            self.do("notify", index, ends=ends, channel=how, **more)

    @step(6, has=lambda wallet, now: wallet.told, index=who)
    def a_message_comes_back(self, index) -> None:
        index, key = self.one_of(index, lambda wallet: wallet.told, lambda _, told: not told.withdrawn)
        self.do("withdraw_notice", index, notice=key)

    @step(6, has=lambda wallet, now: any(is_untold(wallet, lot, now) for lot in wallet.lots), index=who, again=seldom)
    def extend_untold(self, index, again) -> None:
        index, lots = self.some_lots(index, is_untold)
        self.do("extend_untold", index, lots=lots, again=again)

    # --- the end

    @step(3, has=lambda wallet, now: now > START + timedelta(days=4), index=who, really=st.booleans())
    def close(self, index, really) -> None:
        """Of the two members one at most, so that there is somebody to go on with."""
        if really and not self.sides.wallets[1 - index].closings:
            self.do("close", index)

    @step(10, has=lambda wallet, now: wallet.closing, another=seldom)
    def stay(self, another) -> None:
        index = 0 if self.sides.wallets[0].closing else 1
        self.do("stay", 1 - index if another else index)

    @step(10, has=lambda wallet, now: wallet.closing, off=st.sampled_from([-1, 0, 0, 1]))
    def the_time_to_think_again_passes(self, off) -> None:
        """What is left is forfeited when the sweep comes by: of whoever is closing, no act is accepted any more."""
        (closes, *_) = [wallet.closing.closes for wallet in self.sides.wallets if wallet.closing]
        self.now = max(self.now, closes + timedelta(microseconds=off))
        if any(wallet.next_due(self.now) for wallet in self.sides.wallets):
            self.sweep_now(1000)

    # --- time, the sweep, crashes, keys that come again

    @step(hours=st.sampled_from([1, 7, 24, 70, 24 * 9, 24 * 16]))
    def time_passes(self, hours) -> None:
        self.now += timedelta(hours=hours)

    @step(off=st.sampled_from([-1, 0, 0, 1]))
    def time_passes_to_an_instant_that_matters(self, off) -> None:
        instants = sorted({instant for wallet in self.sides.wallets for instant in instants_of(wallet, self.now)})
        if instants:
            instant = self.draw(st.sampled_from(instants[:6]), label="instant")
            self.now = max(self.now, instant + timedelta(microseconds=off))

    @step(has=lambda wallet, now: wallet.next_due(now), limit=st.sampled_from([1, 2, 1000]))
    def sweep(self, limit) -> None:
        self.sweep_now(limit)

    @step(3, another_body=st.booleans())
    def a_key_comes_again(self, another_body) -> None:
        # Those that paid debt or came back in several parts are few, and their answers the most easily got wrong.
        count = len(self.sides.calls)
        if not count or self.asked_again:
            return
        hard = [n for n, (_, first) in enumerate(self.sides.calls) if first.settled or first.restored]
        number = self.draw(st.sampled_from([*range(count), *hard * 4]), label="call")
        self.asked_again = True
        self.sides.again(self.now, number, another_body)

    # --- the auditor

    @step(2)
    def the_auditor_goes_on(self) -> None:
        """From where it was before. Nobody is told whole because of a finding: then there would be one."""
        run = Run(Mode.MOVED, self.now, programme=self.sides.programme)
        assert [str(finding) for finding in run.findings()] == []
        run.keep(ended_at=self.now)

    # --- after every step

    @invariant()
    def all_that_is_written_is_what_the_model_says(self) -> None:
        self.sides.compare()

    @invariant()
    def what_a_member_sees_goes_by_the_clock(self) -> None:
        """One member after the other, for it takes the time of an act."""
        self.looked_at = 1 - self.looked_at
        self.sides.compare_what_is_seen(self.looked_at, self.now)

    # --- how

    def draw(self, strategy: st.SearchStrategy[Any], *, label: str) -> Any:
        return self.chance.draw(strategy, label=label)

    def do(self, act: str, index: int, late: timedelta = timedelta(0), **more: object) -> None:
        """The act on both sides, now or somewhat before; never before the last sweep: that is history."""
        self.asked_again = False
        with self.may_be_cut_down(act):
            getattr(self.sides, act)(index, self.time(late), f"law:{next(names)}", **more)
        event(self.sides.last_outcome)

    def sweep_now(self, limit: int) -> None:
        event("sweep")
        with self.may_be_cut_down("sweep"):
            assert self.sides.sweep(self.now, limit) > 0
        self.swept_at = self.now

    @contextmanager
    def may_be_cut_down(self, act: str) -> Iterator[None]:
        self.sides.cut = self.draw(cuts, label="cut down")
        before = [len(wallet.log) for wallet in self.sides.wallets]
        yield
        wrote = [entry.kind for wallet, n in zip(self.sides.wallets, before, strict=True) for entry in wallet.log[n:]]
        kind = wrote[0] if act == "sweep" else self.sides.last_kind
        self.tally.count(act, kind=kind, wrote=wrote, was_cut_down=self.sides.was_cut_down)

    def time(self, late: timedelta) -> datetime:
        return max(self.now - late, self.swept_at, START)

    def an_origin(self) -> str:
        return str(self.draw(st.sampled_from(self.sides.stage.origins), label="origin"))

    def there(self, index: int) -> int:
        return self.sides.wallets[index].seen(self.now)[0]

    def somebody_with_points(self, index: int) -> int:
        return index if self.there(index) else 1 - index

    def somebody_alive(self, index: int) -> int:
        return 1 - index if self.sides.wallets[index].closed else index

    def part_of(self, index: int, share: float) -> int:
        return min(int(self.there(index) * share) + 1, 10**12)

    def one_of(self, index: int, has: Callable[[Model], dict], mostly: Callable[[Model, Any], bool]) -> tuple[int, str]:
        """The key of something that this member, or else the other one, has; mostly of something fresh."""
        found = [has(wallet) for wallet in self.sides.wallets]
        fresh = [
            [key for key, one in some.items() if mostly(wallet, one)]
            for wallet, some in zip(self.sides.wallets, found, strict=True)
        ]
        if not fresh[index] and (fresh[1 - index] or not found[index]):
            index = 1 - index
        keys = fresh[index] or list(found[index])
        of = self.draw(st.sampled_from([keys] * 5 + [list(found[index])]), label="of")
        return index, self.draw(st.sampled_from(of), label="key")

    def some_lots(self, index: int, mostly: Callable[[Model, Lot, datetime], bool]) -> tuple[int, list[Name]]:
        """Mostly lots of that kind, of this member or else of the other one; sometimes any."""
        every = [[lot.name for lot in wallet.lots] for wallet in self.sides.wallets]
        fit = [[lot.name for lot in wallet.lots if mostly(wallet, lot, self.now)] for wallet in self.sides.wallets]
        if not fit[index] and (fit[1 - index] or not every[index]):
            index = 1 - index
        names = fit[index] or every[index]
        of = self.draw(st.sampled_from([names] * 5 + [every[index]]), label="of")
        return index, self.draw(st.lists(st.sampled_from(of), min_size=1, max_size=2, unique=True), label="lots")


class EverydayLives(Lives):
    """Points that are spent, refunded and run out, as in any shop."""

    stage = EVERYDAY


class ToldLives(Lives):
    """Under a notice duty, with points that wait for inactivity."""

    stage = TOLD


class TakenBackLives(Lives):
    """With clawbacks that are written off."""

    stage = TAKEN_BACK


def is_live(wallet: Model, lot: Lot, now: datetime) -> bool:
    return lot.left > 0 and not wallet.ended(lot, now)


def has_a_date(wallet: Model, lot: Lot, now: datetime) -> bool:
    return lot.ends is not None and is_live(wallet, lot, now)


def is_promised(wallet: Model, lot: Lot, now: datetime) -> bool:
    return is_live(wallet, lot, now) and lot.spendable > now


def is_untold(wallet: Model, lot: Lot, now: datetime) -> bool:
    return is_live(wallet, lot, now) and wallet.gated(lot) and told_too_late(lot, now)


def can_be_reinstated(wallet: Model, lot: Lot, now: datetime) -> bool:
    is_over = lot.ended_by or (lot.left and wallet.ended(lot, now))
    in_time = lot.ends is not None and now < later(lot.ends, lot.rule.window)
    return bool(is_over and in_time and not wallet.family_of(lot).was_reinstated and not wallet.closed)


def instants_of(wallet: Model, now: datetime) -> list[datetime]:
    """Instants ahead at which the clock does something to the wallet, or at which somebody has to be told by then."""
    dated = [lot for lot in wallet.lots if lot.left and lot.ends]
    instants = [lot.ends for lot in dated if lot.ends]
    instants += [lot.spendable for lot in wallet.lots if lot.left]
    instants += [lot.ends - timedelta(days=lot.duty) for lot in dated if lot.ends and lot.duty]
    instants += [hold.lapses for hold in wallet.holds.values() if hold.open]
    instants += [closing.closes for closing in wallet.closings if closing.open]
    return [instant for instant in instants if instant > now]
