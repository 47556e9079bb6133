"""Whether a redemption stays what it is when much has gathered: behind an account, in it, and around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from benchmarks import acts, databases
from benchmarks.crowd import SEATS, Crowd, rate
from benchmarks.members import MANY_POINTS, Members, programme, with_history, with_lots
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared
from benchmarks.single_acts import WARM_UP
from ledger.models import Programme

LOTS_OF_A_MEMBER = 10
FEW_LOTS, OVER, OF_A_LOT = 40, 20, 10  # many_lots' note: lots beside many, lots redeemed over, points of each
SMALLER = 100  # how many times fewer lots the small programme of big_table has


def measure_long_history(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """One account for each connection with a long past, against one with none."""
    size = plan.size("long_history")
    say(f"long_history: writing {size:,} entries")
    return _beside_fresh_ones(
        plan, "long_history", size, lambda of, now: with_history(of, copies=SEATS, entries=size, now=now)
    )


def measure_many_lots(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """One account for each connection with many open lots, against one with a single one."""
    size = plan.size("many_lots")
    lots = [MANY_POINTS] * size
    (row,) = _beside_fresh_ones(
        plan, "many_lots", size, lambda of, now: with_lots(of, copies=SEATS, lots=lots, now=now)
    )
    return [replace(row, note=_over_many(plan, size))]


def _over_many(plan: Plan, size: int) -> str:
    """What a redemption over some lots and a decline cost among many lots and among few: one connection, no queue."""
    with databases.copy_of_blank("bench_over_many") as database:
        of, now = programme("scale"), datetime.now(UTC)
        sides = [with_lots(of, copies=1, lots=[OF_A_LOT] * lots, now=now) for lots in (size, FEW_LOTS)]
        databases.settle(database)
        jobs = {acts.redeem_and_give_back: OVER * OF_A_LOT, acts.be_declined: (size + FEW_LOTS) * OF_A_LOT}
        took: dict[str, list[tuple[float, ...]]] = {job.__name__: [] for job in jobs}
        with Crowd(1) as crowd:

            def one_round(seconds: float) -> None:
                for job, points in jobs.items():
                    asked = {"database": database, "points": points}
                    done = [crowd.for_seconds(job, seconds, members=members, **asked) for members in sides]
                    took[job.__name__].append(tuple(1000 * median(seat) for (seat,) in done))

            one_round(WARM_UP)
            for rounds in took.values():
                rounds.clear()
            for _ in plan.each(plan.bulk_rounds, f"many_lots, over {OVER} of them"):
                one_round(plan.scale_seconds)
    (over, few), (declined, few_declined) = (
        [median(side) for side in zip(*rounds, strict=True)] for rounds in took.values()
    )
    return (
        f"over {OVER} lots among {size:,} a redemption takes {over:.1f} ms, among {FEW_LOTS} {few:.1f} ms; a decline "
        f"{declined:.1f} ms and {few_declined:.1f} ms (one connection)"
    )


def _beside_fresh_ones(
    plan: Plan, name: str, size: int, old: Callable[[Programme, datetime], Members]
) -> list[Measured]:
    pairs = []
    with databases.copy_of_blank(f"bench_{name}") as database:
        of = programme("scale")
        now = datetime.now(UTC)
        old_ones = old(of, now)
        fresh = [with_lots(of, copies=SEATS, lots=[MANY_POINTS], now=now) for _ in range(plan.scale_rounds + 1)]
        databases.settle(database)
        with Crowd() as crowd:
            for members in (old_ones, fresh.pop()):
                crowd.for_seconds(acts.redeem_from_own, WARM_UP, database=database, members=members)
            for _ in plan.each(plan.scale_rounds, name):
                old_rate, fresh_rate = (
                    rate(
                        crowd.for_seconds(acts.redeem_from_own, plan.scale_seconds, database=database, members=members)
                    )
                    for members in (old_ones, fresh.pop())
                )
                pairs.append((old_rate, fresh_rate))
                say(f"  fresh {fresh_rate:,.0f}/s, {name} {old_rate:,.0f}/s")
    return [compared(name, size, pairs, "/s", inverse=True)]


def measure_big_table(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """A database with many lots against one with a hundredth of them, accounts by chance in both."""
    size = plan.size("big_table")
    pairs = []
    with databases.copy_of_blank("bench_big") as big, databases.copy_of_blank("bench_small") as small:
        sides = {}
        for database, lots in ((big, size), (small, size // SMALLER)):
            say(f"big_table: filling a database with {lots:,} lots")
            databases.use(database)
            each = [1_000] * (LOTS_OF_A_MEMBER - 1) + [MANY_POINTS]
            now = datetime.now(UTC)
            sides[database] = with_lots(programme("big"), copies=lots // LOTS_OF_A_MEMBER, lots=each, now=now)
            databases.settle(database)
        with Crowd() as crowd:
            for database, members in sides.items():
                crowd.for_seconds(acts.redeem, WARM_UP, database=database, members=members)
            for _ in plan.each(plan.scale_rounds, "big_table"):
                big_rate, small_rate = (
                    rate(crowd.for_seconds(acts.redeem, plan.scale_seconds, database=database, members=members))
                    for database, members in sides.items()
                )
                pairs.append((big_rate, small_rate))
                say(f"  big {big_rate:,.0f}/s, small {small_rate:,.0f}/s")
    return [compared("big_table", size, pairs, "/s", inverse=True)]
