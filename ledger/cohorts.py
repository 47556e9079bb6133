"""Breakage: what became of the points of each month's grants, and how many went unused.

A cohort is the families that were granted in one month of the programme's zone: points that came back in lots of their
own still count for the grant that they first came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection

from ledger.asof import standings
from ledger.inputs import check_instant
from ledger.kinds import Kind
from ledger.models import Programme
from ledger.movements import Watch, month_name
from ledger.recounting import Moment, on_record, one_snapshot

Family = tuple[int, int]  # an account, and the entry of the grant
Counts = dict[str, int]  # points by kind of entry, as the entries moved them; and those still on hold

LOOKED_UP_AT_ONCE = 5_000
ON_HOLD = "on_hold"


@dataclass(frozen=True, slots=True)
class Cohort:
    """The points granted in a month, `2025-03`: granted = redeemed + on_hold + expired + clawed_back + settled +
    forfeited + live. `rate` is (expired + forfeited) / granted, to four places.

    Redeemed is less what was refunded, expired less what was reinstated; `settled` paid for debt.
    """

    month: str
    granted: int
    redeemed: int
    on_hold: int
    expired: int
    clawed_back: int
    settled: int
    forfeited: int
    live: int
    rate: Decimal


def breakage(
    programme: Programme, *, at: datetime, known_at: datetime | None = None, watch: Watch = lambda n: None
) -> list[Cohort]:
    """The cohorts of a programme as of `at`, oldest first."""
    moment = Moment(check_instant(at, field="at"), known_at)
    months: dict[str, Counts] = defaultdict(lambda: defaultdict(int))
    with one_snapshot():
        for month, kind, points in (*_moved(programme, moment), *_on_hold(programme, moment)):
            months[month][kind] += points
        waiting: dict[Family, Counts] = {}
        for standing in standings(programme.pk, at=at, known_at=known_at):
            for what in standing.unwritten():
                for lot, delta in what.parts:
                    counts = waiting.setdefault((standing.account_id, lot.family_seq), defaultdict(int))
                    counts[what.kind] += delta
                    counts[ON_HOLD] -= delta if what.kind == Kind.RELEASE else 0
            if len(waiting) >= LOOKED_UP_AT_ONCE:
                _count(programme, waiting, months)
                waiting = {}
            watch(1)
        _count(programme, waiting, months)
    return [_cohort(month, months[month]) for month in sorted(months)]


def _cohort(month: str, moved: Mapping[str, int]) -> Cohort:
    on_hold = moved[ON_HOLD]
    taken = moved[Kind.REDEEM] + moved[Kind.REFUND] + moved[Kind.HOLD] + moved[Kind.RELEASE]
    granted, expired, forfeited = moved[Kind.GRANT], -moved[Kind.EXPIRE] - moved[Kind.REINSTATE], -moved[Kind.FORFEIT]
    rate = Decimal(expired + forfeited) / granted if granted else Decimal(0)
    return Cohort(
        month=month,
        granted=granted,
        redeemed=-taken - on_hold,
        on_hold=on_hold,
        expired=expired,
        clawed_back=-moved[Kind.CLAWBACK],
        settled=-moved[Kind.SETTLE],
        forfeited=forfeited,
        live=sum(points for kind, points in moved.items() if kind != ON_HOLD),
        rate=rate.quantize(Decimal("0.0001"), ROUND_HALF_UP),
    )


_MONTH_OF_GRANT = "to_char(g.effective_at AT TIME ZONE %(zone)s, 'YYYY-MM')"


def _moved(programme: Programme, moment: Moment) -> Sequence[tuple[str, str, int]]:
    """By month of the grant and kind of entry: what allocations moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_MONTH_OF_GRANT}, e.kind, sum(p.delta)::bigint
              FROM ledger_entry e
              JOIN ledger_allocation p ON p.entry_id = e.id
              JOIN ledger_lot l ON l.id = p.lot_id
              JOIN ledger_entry g ON g.account_id = l.account_id AND g.seq = l.family_seq
             WHERE e.programme_id = %(programme)s AND {on_record("e")}
             GROUP BY 1, 2
            """,
            moment.params() | {"programme": programme.pk, "zone": programme.zone},
        )
        found: list[tuple[str, str, int]] = cursor.fetchall()
        return found


def _on_hold(programme: Programme, moment: Moment) -> Sequence[tuple[str, str, int]]:
    """By month of the grant: what open holds took."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_MONTH_OF_GRANT}, %(on_hold)s, -sum(p.delta)::bigint
              FROM ledger_entry e
              JOIN ledger_allocation p ON p.entry_id = e.id
              JOIN ledger_lot l ON l.id = p.lot_id
              JOIN ledger_entry g ON g.account_id = l.account_id AND g.seq = l.family_seq
             WHERE e.programme_id = %(programme)s AND e.kind = 'hold' AND {on_record("e")}
               AND NOT EXISTS (SELECT FROM ledger_entry d WHERE d.account_id = e.account_id AND d.undoes_seq = e.seq
                                  AND d.kind IN ('capture', 'release') AND {on_record("d")})
             GROUP BY 1
            """,
            moment.params() | {"programme": programme.pk, "zone": programme.zone, "on_hold": ON_HOLD},
        )
        found: list[tuple[str, str, int]] = cursor.fetchall()
        return found


def _count(programme: Programme, waiting: Mapping[Family, Counts], months: dict[str, Counts]) -> None:
    """Count what the clock did and nobody wrote for the month of the grant."""
    for family, month in _months_of(programme, waiting):
        for kind, points in waiting[family].items():
            months[month][kind] += points


def _months_of(programme: Programme, families: Iterable[Family]) -> list[tuple[Family, str]]:
    families = list(families)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.account_id, g.seq, g.effective_at
              FROM unnest(%s::bigint[], %s::bigint[]) AS w (account_id, seq)
              JOIN ledger_entry g ON g.account_id = w.account_id AND g.seq = w.seq
            """,
            [[account_id for account_id, _ in families], [seq for _, seq in families]],
        )
        return [
            ((account_id, seq), month_name(granted_at.astimezone(programme.tz).date()))
            for account_id, seq, granted_at in cursor.fetchall()
        ]
