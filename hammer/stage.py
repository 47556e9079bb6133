"""Two programmes that between them have every model of expiry, duties, both ways of a clawback, and summer time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from hammer.clock import DAYS_PER_SECOND, Clock
from ledger import programmes
from ledger.accounts import open_account
from ledger.kinds import Origin
from ledger.models import Programme
from ledger.policies import Beyond, Model, Rounding, Unit

GENERATION = 6  # seconds after which a slot's account is another one, so that closed ones are not all there is
COOLING_OFF_DAYS = 3
AHEAD = 4  # seconds from adding a policy to its taking effect
BEFORE = timedelta(days=400)  # from when on the first policies are in force, before a run's own start

# Lives are a few days, which pass in a second or two.
SEOUL: list[dict] = [
    {"count": 6, "unit": Unit.DAYS, "restored_floor_days": 3, "reinstate_window_days": 30, "reinstate_life_days": 6},
    {
        "origin": Origin.PROMOTION,
        "count": 9,
        "unit": Unit.DAYS,
        "rounding": Rounding.DAY,
        "spendable_after_days": 1,
        "notice_days": 5,
        "notice_slack": 2,
        "notice_max_days": 40,
        "accepts_waivers": True,
        "restored_floor_days": 4,
        "reinstate_window_days": 20,
        "reinstate_life_days": 8,
    },
    {
        "origin": Origin.COMPENSATION,
        "model": Model.INACTIVITY,
        "count": 4,
        "unit": Unit.DAYS,
        "rounding": Rounding.DAY,
        "restored_floor_days": 2,
        "reinstate_window_days": 20,
        "reinstate_life_days": 4,
        "clawback_beyond": Beyond.WRITE_OFF,
    },
    {"origin": Origin.MIGRATION, "model": Model.FIXED_DAY, "count": 5, "unit": Unit.DAYS, "restored_floor_days": 1},
    {"origin": Origin.ADJUSTMENT, "model": Model.NEVER, "count": 0, "clawback_beyond": Beyond.WRITE_OFF},
]
NEW_YORK: list[dict] = [
    {
        "model": Model.INACTIVITY,
        "count": 5,
        "unit": Unit.DAYS,
        "notice_days": 3,
        "notice_slack": 1,
        "notice_channels": 2,
        "restored_floor_days": 2,
        "reinstate_window_days": 15,
        "reinstate_life_days": 5,
    },
    {
        "origin": Origin.PROMOTION,
        "count": 1,
        "unit": Unit.WEEKS,
        "rounding": Rounding.WEEK,
        "restored_floor_days": 2,
        "reinstate_window_days": 10,
        "clawback_beyond": Beyond.WRITE_OFF,
    },
]
LATER = {"count": 7, "unit": Unit.DAYS, "reinstate_window_days": 40, "restored_floor_days": 3}


@dataclass(frozen=True, slots=True)
class Stage:
    """What all processes of a run share: the programmes, how many accounts each has at a time, and the time."""

    programmes: Sequence[int]
    slots: int
    clock: Clock
    seed: int

    def account(self, programme: int, slot: int, passed: float) -> int:
        """The account in this slot at that moment of the run; opened by whoever needs it first."""
        return _account(programme, f"m{slot}.{int(passed / GENERATION)}")


@lru_cache(maxsize=10_000)
def _account(programme: int, reference: str) -> int:
    return open_account(programme=Programme.objects.get(pk=programme), reference=reference).pk


def set_up(*, tag: str, slots: int, clock: Clock, seed: int) -> Stage:
    """Create the two programmes of a run. `tag` goes into their codes."""
    made = [
        _programme(f"hammer-{tag}-1", "Asia/Seoul", SEOUL, clock.start),
        _programme(f"hammer-{tag}-2", "America/New_York", NEW_YORK, clock.start),
    ]
    Programme.objects.filter(pk__in=made).update(cooling_off_days=COOLING_OFF_DAYS)
    return Stage(made, slots, clock, seed)


def _programme(code: str, zone: str, policies: Sequence[dict], start: datetime) -> int:
    first, *others = policies
    since = start - BEFORE
    made = programmes.create(code=code, name="Hammer", zone=zone, effective_from=since, **first)
    day = (start + timedelta(days=10)).date()  # comes round within most runs
    for terms in others:
        if terms.get("model") == Model.FIXED_DAY:
            terms = terms | {"fixed_month": day.month, "fixed_day": min(day.day, 28)}
        announced = (since - timedelta(days=365)).date()
        programmes.add_policy(programme=made, effective_from=since, now=since, announced_on=announced, **terms)
    return made.pk


def add_a_policy(stage: Stage) -> None:
    """While everybody acts: a further version of the first programme's policy, for points granted from a while on."""
    now = stage.clock.now()
    programmes.add_policy(
        programme=Programme.objects.get(pk=stage.programmes[0]),
        # It must be there, for all to see, by the time it takes effect.
        effective_from=now + timedelta(days=AHEAD * DAYS_PER_SECOND),
        now=now,
        announced_on=(now - timedelta(days=60)).date(),
        **LATER,
    )
