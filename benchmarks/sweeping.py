"""Sweeping due lots while members redeem, against the bare statements that write the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import TypeVar

from benchmarks import acts, databases
from benchmarks.bare import Bare, check_same
from benchmarks.crowd import Crowd
from benchmarks.members import MANY_POINTS, Members, programme, with_due_lots, with_lots
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared, percentile
from ledger import expiry

ALONE = 5.0  # seconds in which the redemptions have the server for themselves
PER_SECOND = 25.0  # redemptions of each of the eight connections: a busy shop, far from what the server can do
SHOPPERS = 10_000
LIFE = timedelta(days=300)
PACE = f"meanwhile {8 * PER_SECOND:.0f} redemptions a second, for both sides"

Result = TypeVar("Result")


def measure(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """sweep and sweep_p99: lots that are due in as many portions as there are rounds, while members redeem."""
    size = plan.size("sweep")
    rates, waits, beside_bare = [], [], []
    with databases.copy_of_blank("bench_sweep", with_bare=True) as database:
        now = datetime.now(UTC)
        of, shop = programme("sweep"), programme("shop")
        shoppers = with_lots(shop, copies=SHOPPERS, lots=[1_000, MANY_POINTS], now=now)
        say(f"sweep: filling {size:,} due lots")
        due = [now - timedelta(days=plan.bulk_rounds - number) for number in range(plan.bulk_rounds)]
        for instant in due:
            with_due_lots(of, copies=size // plan.bulk_rounds, granted=now - LIFE, due=instant)
        bare = Bare(database, of.pk, expiries=True)
        bare.begin()
        databases.settle(database)
        databases.use(database)
        with Crowd() as crowd:
            shopping = Shopping(crowd, database, shoppers)
            shopping.during(lambda: time.sleep(ALONE))  # a first one, in which connections are made
            for number in plan.each(plan.bulk_rounds, "sweep, sweep_p99"):
                alone, _ = shopping.during(lambda: time.sleep(ALONE))
                beside, swept = shopping.during(partial(_sweep, due[number - 1], of.pk))
                beside_the_bare, repeated = shopping.during(bare.repeat)
                check_same(swept[0], repeated[0])
                rates.append((swept[0] / swept[1], repeated[0] / repeated[1]))
                waits.append((beside * 1000, alone * 1000))
                beside_bare.append(beside_the_bare * 1000)
                say(f"  sweep {rates[-1][0]:,.0f}/s, bare {rates[-1][1]:,.0f}/s")
                say(f"  redeem's p99 {waits[-1][0]:.1f} ms beside the sweep, {waits[-1][1]:.1f} ms alone")
                say(f"  {beside_bare[-1]:.1f} ms beside the bare statements")
        check_same(0, bare.differences())
    note = f"beside the bare statements it is {median(beside_bare):.1f} ms"
    rows = [compared("sweep", size, rates, "/s", note=PACE), compared("sweep_p99", size, waits, "ms", note=note)]
    return [row for row in rows if row.name in wanted]


@dataclass(frozen=True, slots=True)
class Shopping:
    """Members who redeem at a steady pace while something else is done."""

    crowd: Crowd
    database: str
    members: Members

    def during(self, work: Callable[[], Result]) -> tuple[float, Result]:
        """Do the work while they redeem: the p99 of their waits in seconds, and what the work returned."""
        self.crowd.begin(acts.redeem_at_a_pace, database=self.database, members=self.members, per_second=PER_SECOND)
        try:
            result = work()
        finally:
            waits = self.crowd.end(stop=True)
        return percentile([wait for each in waits for wait in each], 99), result


def _sweep(now: datetime, programme_id: int) -> tuple[int, float]:
    """Entries written, and seconds."""
    started = time.monotonic()
    entries = expiry.sweep_all(now=now, programme_id=programme_id)
    return entries, time.monotonic() - started
