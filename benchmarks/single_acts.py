"""Single acts against TPC-B, and many acts in one call against one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import acts, databases, processor, tpcb
from benchmarks.crowd import Crowd, Done, rate
from benchmarks.members import MANY_POINTS, Members, programme, with_lots
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared

WARM_UP = 1.0  # seconds: connections are made, statements prepared, pages read
LOTS = (1_000, 1_000, 1_000, MANY_POINTS)  # soonest to expire first; the last is never empty


def measure(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """redeem, redeem_db_cpu and grant, each round beside the same round of TPC-B."""
    size = plan.size("redeem")
    rates: dict[str, list[tuple[float, float]]] = {"redeem": [], "grant": [], "redeem_db_cpu": []}
    with databases.copy_of_blank("bench_single") as database:
        members = with_lots(programme("single"), copies=size, lots=LOTS, now=datetime.now(UTC))
        databases.settle(database)
        with Crowd() as crowd:
            jobs = {"redeem": acts.redeem} | ({"grant": acts.grant} if "grant" in wanted else {})
            for job in jobs.values():
                crowd.for_seconds(job, WARM_UP, database=database, members=members)
            tpcb.run(WARM_UP)
            for _ in plan.each(plan.rounds, "redeem, redeem_db_cpu, grant"):
                yardstick, cpu_of_tpcb = _with_cpu_of_tpcb(plan)
                for name, job in jobs.items():
                    before = _cpu()
                    done: list[Done] = crowd.for_seconds(job, plan.seconds, database=database, members=members)
                    used = (_cpu() - before) / sum(one.acts for one in done)
                    rates[name].append((rate(done), yardstick))
                    if name == "redeem":
                        rates["redeem_db_cpu"].append((used * 1e6, cpu_of_tpcb * 1e6))
                say(f"  TPC-B {yardstick:,.0f}/s; " + ", ".join(f"{n} {rates[n][-1][0]:,.0f}/s" for n in jobs))
    units = {"redeem": "/s", "grant": "/s", "redeem_db_cpu": "µs"}
    return [compared(name, size, rates[name], units[name]) for name in units if name in wanted]


def _cpu() -> float:
    """Processor seconds that the server has used."""
    with databases.connect("postgres") as backend:
        return processor.seconds_used(processor.parent_of(backend.info.backend_pid))


def _with_cpu_of_tpcb(plan: Plan) -> tuple[float, float]:
    """Transactions per second, and processor seconds of a transaction."""
    before = _cpu()
    done = tpcb.run(plan.seconds)
    return done.per_second, (_cpu() - before) / done.transactions


def measure_hot_batch(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """Redemptions of one account, by eight connections at once: one to a call, and fifty."""
    pairs = []
    with databases.copy_of_blank("bench_hot") as database:
        one = with_lots(programme("hot"), copies=1, lots=[MANY_POINTS], now=datetime.now(UTC))
        hot = {"database": database, "members": Members(one.programme_id, one.ids)}
        databases.settle(database)
        batch = plan.size("hot_batch")
        with Crowd() as crowd:
            crowd.for_seconds(acts.redeem, WARM_UP, **hot)
            crowd.for_seconds(acts.redeem_in_batches, WARM_UP, batch=batch, **hot)
            for _ in plan.each(plan.rounds, "hot_batch"):
                single = rate(crowd.for_seconds(acts.redeem, plan.seconds, **hot))
                batched = rate(crowd.for_seconds(acts.redeem_in_batches, plan.seconds, batch=batch, **hot))
                pairs.append((batched, single))
                say(f"  one at a time {single:,.0f}/s, in batches {batched:,.0f}/s")
    return [compared("hot_batch", batch, pairs, "/s")]
