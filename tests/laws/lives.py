"""The random lives: two members of one programme, and every step that can happen to them.

Nobody sweeps in the model: it knows what the clock has done; so whether and when the sweep ran changes no number
(law 11). What both sides do stands in `sides.py`; here it is only chosen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.audit import audit
from ledger.models import Mode, Programme
from ledger.verdicts import Run
from tests.laws.dates import day_of
from tests.laws.model import Model
from tests.laws.sides import CUTS, Sides, inside_a_test
from tests.laws.stages import STAGES, START
from tests.laws.wallet import Lot, Name

few_points = st.integers(1, 60)
points = st.one_of(few_points, st.sampled_from([1, 40, 100, 150, 10**12]))
shares = st.sampled_from([0.1, 0.3, 0.3, 0.6, 0.6, 1, 1, 1.2])
who = st.integers(0, 1)
# Mostly on time; now and then an act comes late, with a time before what is already on record.
lateness = st.sampled_from([timedelta(0)] * 6 + [timedelta(minutes=1), timedelta(hours=5), timedelta(days=2)])
seldom = st.sampled_from([False] * 5 + [True])
names = itertools.count(1)


def some(has: Callable[[Model, datetime], object]) -> Callable[[Callable], Callable]:
    """A step that needs something that at least one member has."""
    return precondition(lambda self: any(has(wallet, self.now) for wallet in self.sides.wallets))


class Lives(RuleBasedStateMachine):
    """Everything happens inside one transaction that is rolled back at the end."""

    programmes: list[Programme]  # one for each stage; set by the test, the same for all lives

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
            assert [str(finding) for finding in audit(programme_id=self.sides.programme.pk)] == []
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    @initialize(
        stage=st.integers(0, len(STAGES) - 1),
        first=st.lists(st.tuples(who, few_points), min_size=1, max_size=4),
        data=st.data(),
    )
    def everybody_starts_with_some_points(self, stage, first, data) -> None:
        self.sides = Sides(self.programmes[stage], STAGES[stage])
        for index, amount in first:
            self.do("grant", index, points=amount, origin=self.an_origin(data))

    # --- points come and go

    @some(lambda wallet, now: wallet.debt)
    @rule(amount=points, data=st.data())
    def points_for_somebody_in_debt(self, amount, data) -> None:
        index = 0 if self.sides.wallets[0].debt else 1
        self.do("grant", index, points=amount, origin=self.an_origin(data))

    @rule(
        index=who,
        amount=points,
        late=lateness,
        back=st.sampled_from([None] * 5 + [timedelta(hours=1), timedelta(days=3), timedelta(days=30)]),
        by_hand=st.sampled_from([None] * 5 + [timedelta(days=4), timedelta(days=40)]),
        promised=st.sampled_from([None] * 4 + [timedelta(days=1), timedelta(days=10)]),
        data=st.data(),
    )
    def grant(self, index, amount, late, back, by_hand, promised, data) -> None:
        now = self.time(late)
        more = {
            "since": now - back if back else None,
            "expires": now + by_hand if by_hand else None,
            "spendable": now + promised if promised else None,
        }
        self.do("grant", index, late, points=amount, origin=self.an_origin(data), **more)

    @rule(index=who, share=shares, late=lateness)
    def redeem(self, index, share, late) -> None:
        """A share of what is there, sometimes just more than there is."""
        index = self.somebody_with_points(index)
        self.do("redeem", index, late, points=self.part_of(index, share))

    @rule(index=who, share=shares, late=lateness, hours=st.sampled_from([-1, 2, 24, 24 * 5, 24 * 40]))
    def hold(self, index, share, late, hours) -> None:
        index = self.somebody_with_points(index)
        self.do("hold", index, late, points=self.part_of(index, share), lapses=self.now + timedelta(hours=hours))

    @some(lambda wallet, now: wallet.holds)
    @rule(index=who, share=st.sampled_from([None, None, 0.3, 0.6, 1, 1.5]), late=lateness, data=st.data())
    def capture(self, index, share, late, data) -> None:
        index, held = self.one_of(index, data, lambda wallet: wallet.holds, lambda hold: hold.open)
        size = self.sides.wallets[index].holds[held].points
        self.do("capture", index, late, hold=held, points=share and min(int(size * share) + 1, 10**12))

    @some(lambda wallet, now: wallet.holds)
    @rule(index=who, late=lateness, data=st.data())
    def release(self, index, late, data) -> None:
        index, held = self.one_of(index, data, lambda wallet: wallet.holds, lambda hold: hold.open)
        self.do("release", index, late, hold=held)

    @some(lambda wallet, now: wallet.spent)
    @rule(index=who, share=st.sampled_from([0.2, 0.5, 0.99, 0.99, 1.4]), late=lateness, data=st.data())
    def refund(self, index, share, late, data) -> None:
        index, spent = self.one_of(index, data, lambda wallet: wallet.spent, lambda one: one.points > one.refunded)
        left = self.sides.wallets[index].spent[spent]
        self.do("refund", index, late, points=min(int((left.points - left.refunded) * share) + 1, 10**12), undoes=spent)

    @rule(index=who, share=st.sampled_from([0.3, 0.7, 1, 1.5]), late=lateness, data=st.data())
    def clawback(self, index, share, late, data) -> None:
        own, others = self.sides.wallets[index].grants, list(self.sides.wallets[1 - index].grants)
        undoes = data.draw(st.sampled_from([None, *own, *own, *own, *others[:1], "unknown"]), label="undoes")
        given = own[undoes].points if undoes in own else self.there(index)
        self.do("clawback", index, late, points=min(int(given * share) + 1, 10**12), undoes=undoes)

    @rule(index=who, up=st.booleans(), amount=few_points)
    def adjust(self, index, up, amount) -> None:
        self.do("adjust_up" if up else "adjust_down", index, points=amount)

    @some(lambda wallet, now: any(lot.ended_by or wallet.ended(lot, now) for lot in wallet.lots))
    @rule(index=who, data=st.data())
    def reinstate(self, index, data) -> None:
        def is_over(lot: Lot) -> bool:
            return lot.ended_by > 0 or self.sides.wallets[index].ended(lot, self.now)

        if lots := self.some_lots(index, data, is_over):
            self.do("reinstate", index, lot=lots[0])

    # --- dates move

    @rule(index=who, ahead=st.sampled_from([-1, 3, 22, 30, 45, 90]), late=lateness, data=st.data())
    def extend(self, index, ahead, late, data) -> None:
        lots = self.some_lots(index, data, lambda lot: lot.ends is not None and lot.left > 0)
        if lots:
            self.do("extend", index, late, lots=lots, until=day_of(self.now) + timedelta(days=ahead))

    @some(lambda wallet, now: any(wallet.is_told(lot) for lot in wallet.live(now) if lot.duty))
    @rule(ahead=st.sampled_from([3, 22, 45]))
    def extend_what_was_told_of(self, ahead) -> None:
        for index, wallet in enumerate(self.sides.wallets):
            told = [lot.name for lot in wallet.live(self.now) if lot.duty and wallet.is_told(lot)]
            if told:
                self.do("extend", index, lots=told, until=day_of(self.now) + timedelta(days=ahead))
                return

    @some(lambda wallet, now: wallet.extensions)
    @rule(index=who, data=st.data())
    def undo(self, index, data) -> None:
        undone = self.sides.wallets[index].undone
        index, key = self.one_of(index, data, lambda wallet: wallet.extensions, lambda seq: seq not in undone)
        self.do("undo", index, extension=key)

    @some(lambda wallet, now: any(lot.spendable > now for lot in wallet.live(now)))
    @rule(index=who, ahead=st.sampled_from([1, 5, 12, 30]), late=lateness, data=st.data())
    def postpone(self, index, ahead, late, data) -> None:
        lots = self.some_lots(index, data, lambda lot: lot.left > 0 and lot.spendable > self.now)
        if lots:
            self.do("postpone", index, late, lots=lots, spendable=self.now + timedelta(days=ahead))

    # --- the notice gate

    @some(lambda wallet, now: any(lot.duty for lot in wallet.live(now)))
    @rule(
        index=who,
        ago=st.sampled_from([0, 0, 1, 3, 12]),
        stale=seldom,
        how=st.sampled_from(["email", "email", "text", "text", "waived"]),
        data=st.data(),
    )
    def notify(self, index, ago, stale, how, data) -> None:
        wallet = self.sides.wallets[index]
        left = [lot for lot in wallet.live(self.now) if lot.ends]
        dated = [lot for lot in left if wallet.gated(lot)] or left
        if not dated:
            return
        ends = data.draw(st.sampled_from(sorted({lot.ends for lot in dated if lot.ends})), label="ends")
        more: dict = {
            "lots": [lot.name for lot in dated if lot.ends == ends],
            "on": day_of(self.now) - timedelta(days=ago),
        }
        ends += timedelta(days=1) if stale else timedelta(0)
        if how == "waived":
            self.do("waive", index, ends=ends, **more)
        else:
            self.do("notify", index, ends=ends, channel=how, **more)

    @some(lambda wallet, now: wallet.told)
    @rule(index=who, data=st.data())
    def a_message_comes_back(self, index, data) -> None:
        index, key = self.one_of(index, data, lambda wallet: wallet.told, lambda told: not told.withdrawn)
        self.do("withdraw_notice", index, notice=key)

    @some(lambda wallet, now: any(lot.duty for lot in wallet.live(now)))
    @rule(index=who, again=seldom, data=st.data())
    def extend_untold(self, index, again, data) -> None:
        lots = self.some_lots(index, data, lambda lot: lot.duty > 0 and lot.left > 0)
        if lots:
            self.do("extend_untold", index, lots=lots, again=again)

    # --- the end

    @precondition(lambda self: self.now > START + timedelta(days=4))
    @rule(index=who, really=seldom)
    def close(self, index, really) -> None:
        if really:
            self.do("close", index)

    @some(lambda wallet, now: wallet.closings)
    @rule(index=who, really=seldom)
    def stay(self, index, really) -> None:
        if really:
            self.do("stay", index)

    # --- time, the sweep, crashes, keys that come again

    @rule(hours=st.sampled_from([1, 7, 24, 70, 24 * 9, 24 * 16]))
    def time_passes(self, hours) -> None:
        self.now += timedelta(hours=hours)

    @rule(data=st.data(), off=st.sampled_from([-1, 0, 0, 1]))
    def time_passes_to_an_instant_that_matters(self, data, off) -> None:
        instants = sorted({instant for wallet in self.sides.wallets for instant in instants_of(wallet, self.now)})
        if instants:
            instant = data.draw(st.sampled_from(instants[:6]), label="instant")
            self.now = max(self.now, instant + timedelta(microseconds=off))

    @some(lambda wallet, now: wallet.next_due(now))
    @rule(limit=st.sampled_from([1, 2, 1000]))
    def sweep(self, limit) -> None:
        event("sweep")
        assert self.sides.sweep(self.now, limit) > 0
        self.swept_at = self.now

    @precondition(lambda self: self.sides.cut is None)
    @rule(cut=st.sampled_from(sorted(CUTS)))
    def the_next_act_is_cut_down(self, cut) -> None:
        self.sides.cut = cut

    @precondition(lambda self: self.sides.calls and not self.asked_again)
    @rule(another_body=st.booleans(), data=st.data())
    def a_key_comes_again(self, another_body, data) -> None:
        # Those that paid debt or came back in several parts are few, and their answers the most easily got wrong.
        count = len(self.sides.calls)
        hard = [n for n, (_, first) in enumerate(self.sides.calls) if first.settled or first.restored]
        number = data.draw(st.sampled_from([*range(count), *hard * 4]), label="call")
        self.asked_again = True
        self.sides.again(self.now, number, another_body)

    # --- the auditor

    @rule()
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

    def do(self, act: str, index: int, late: timedelta = timedelta(0), **more: object) -> None:
        """The act on both sides, now or somewhat before; never before the last sweep: that is history."""
        self.asked_again = False
        getattr(self.sides, act)(index, self.time(late), f"law:{next(names)}", **more)
        event(self.sides.last_outcome)

    def time(self, late: timedelta) -> datetime:
        return max(self.now - late, self.swept_at, START)

    def an_origin(self, data) -> str:
        return str(data.draw(st.sampled_from(self.sides.stage.origins), label="origin"))

    def there(self, index: int) -> int:
        return self.sides.wallets[index].seen(self.now)[0]

    def somebody_with_points(self, index: int) -> int:
        return index if self.there(index) else 1 - index

    def part_of(self, index: int, share: float) -> int:
        return min(int(self.there(index) * share) + 1, 10**12)

    def one_of(self, index: int, data, has: Callable[[Model], dict], mostly: Callable) -> tuple[int, str]:
        """The key of something that this member, or else the other one, has; mostly of something fresh."""
        if not has(self.sides.wallets[index]):
            index = 1 - index
        found = has(self.sides.wallets[index])
        fresh = [key for key, one in found.items() if mostly(one)] or list(found)
        return index, data.draw(st.sampled_from([*fresh * 3, *found]), label="key")

    def some_lots(self, index: int, data, mostly: Callable[[Lot], bool]) -> list[Name]:
        """Mostly lots of that kind, sometimes any."""
        lots = self.sides.wallets[index].lots
        if not lots:
            return []
        fit = [lot.name for lot in lots if mostly(lot)] or [lot.name for lot in lots]
        of = data.draw(st.sampled_from([fit, fit, fit, [lot.name for lot in lots]]), label="of")
        return list(data.draw(st.lists(st.sampled_from(of), min_size=1, max_size=2, unique=True), label="lots"))


def instants_of(wallet: Model, now: datetime) -> list[datetime]:
    """Instants ahead at which the clock does something to the wallet, or at which somebody has to be told by then."""
    dated = [lot for lot in wallet.lots if lot.left and lot.ends]
    instants = [lot.ends for lot in dated if lot.ends]
    instants += [lot.spendable for lot in wallet.lots if lot.left]
    instants += [lot.ends - timedelta(days=lot.duty) for lot in dated if lot.ends and lot.duty]
    instants += [hold.lapses for hold in wallet.holds.values() if hold.open]
    instants += [closing.closes for closing in wallet.closings if closing.open]
    return [instant for instant in instants if instant > now]
