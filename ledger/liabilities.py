"""What a programme owes its members: live points by the month in which they expire, in points and in money."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from ledger.asof import standings, stood
from ledger.models import Account, Programme
from ledger.movements import Watch, month_name
from ledger.point_values import value_at
from ledger.policies import last_day
from ledger.recounting import one_snapshot

NEVER, ON_HOLD = "never", "on hold"


@dataclass(frozen=True, slots=True)
class Liability:
    """Points that expire in a month, `2025-03`; `never`; or `on hold`, which may come back or be captured.

    `promised` and `gated` are parts of `points`: not spendable yet; waiting for a notice, so that they stay whatever
    their month. `money` is `points` times what a point was worth at that instant, in `currency`.
    """

    month: str
    points: int
    promised: int
    gated: int
    money: Decimal
    currency: str


def liability(
    programme: Programme,
    *,
    at: datetime,
    known_at: datetime | None = None,
    account: Account | None = None,
    watch: Watch = lambda n: None,
) -> list[Liability]:
    """The liability of a programme, or to one account of it, as of `at`: months, soonest first, then never, then on
    hold; only what there is."""
    months: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    zone = programme.tz

    @lru_cache(maxsize=10_000)  # most lots of a programme share few dates
    def month_of(expires_at: datetime | None) -> str:
        return month_name(last_day(expires_at, zone)) if expires_at else NEVER

    with one_snapshot():
        worth = value_at(programme, at=at, known_at=known_at)
        found = [stood(account, at=at, known_at=known_at)] if account else None
        for standing in found or standings(programme.pk, at=at, known_at=known_at):
            for lot in standing.live():
                sums = months[month_of(lot.expires_at)]
                sums[0] += lot.remaining
                sums[1] += lot.remaining if lot.spendable_at > at else 0
                sums[2] += lot.remaining if lot.gated else 0
            if standing.on_hold:
                months[ON_HOLD][0] += standing.on_hold
            watch(1)
    return [
        Liability(month, points, promised, gated, points * worth.value, worth.currency)
        for month, (points, promised, gated) in sorted(months.items())  # digits sort before words, never before on hold
    ]
