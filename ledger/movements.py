"""What moved, by month of the business and by kind; and the line of law 14. As of any past instant.

What the clock had done by then counts, whether anybody had written it or not. Points that were valid through the last
day of a month expire in that month, not in the first instant of the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.asof import standings
from ledger.inputs import check_instant
from ledger.kinds import Kind
from ledger.models import Programme
from ledger.policies import last_day
from ledger.recounting import Moment, on_record, one_snapshot

Watch = Callable[[int], object]  # is told how many accounts were gone through

# Kinds that take effect at the end of a day: they belong to the day that ended.
AT_THE_END_OF_A_DAY = (Kind.EXPIRE, Kind.FORFEIT)


@dataclass(slots=True)
class Movement:
    """Points that moved in a month, `2025-03`; `on_hold` is what came on hold less what left it, either way."""

    month: str
    granted: int = 0
    refunded: int = 0
    reinstated: int = 0
    redeemed: int = 0  # with what was captured
    on_hold: int = 0
    clawed_back: int = 0
    expired: int = 0
    forfeited: int = 0

    def add(self, kind: str, amount: int, captured: int = 0) -> None:
        """Count entries of a kind: the sum of their amounts, and of what captures made final."""
        match kind:
            case Kind.GRANT:
                self.granted += amount
            case Kind.REFUND:
                self.refunded += amount
            case Kind.REINSTATE:
                self.reinstated += amount
            case Kind.REDEEM:
                self.redeemed -= amount
            case Kind.HOLD | Kind.RELEASE:
                self.on_hold -= amount
            case Kind.CAPTURE:
                self.redeemed += captured
                self.on_hold -= captured
            case Kind.CLAWBACK:
                self.clawed_back -= amount
            case Kind.EXPIRE:
                self.expired -= amount
            case Kind.FORFEIT:
                self.forfeited -= amount

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, name) for name in (field.name for field in fields(self)[1:]))


@dataclass(frozen=True, slots=True)
class Law14:
    """The sums by kind of a programme, and what its accounts held and owed: the two come to the same.

    granted + refunded + reinstated - redeemed - on_hold - clawed_back - expired - forfeited = balance - debt, where
    redeemed has what was captured, and on_hold is held - captured - released. All are points.
    """

    granted: int
    refunded: int
    reinstated: int
    redeemed: int
    on_hold: int
    clawed_back: int
    expired: int
    forfeited: int
    balance: int  # live points of all accounts
    debt: int  # of all accounts
    debt_of_closed: int  # of the debt: what accounts that are closed left behind
    difference: int  # 0, or the law is broken


def movements(
    programme: Programme, *, at: datetime, known_at: datetime | None = None, watch: Watch = lambda n: None
) -> list[Movement]:
    """What moved in each month of the programme's zone up to `at`, oldest first; months without any are left out."""
    months: dict[str, Movement] = {}
    with one_snapshot():
        for month, kind, amount, captured in _sums(programme, Moment(check_instant(at, field="at"), known_at)):
            _of(months, month).add(kind, amount, captured)
        for standing in standings(programme.pk, at=at, known_at=known_at):
            for what in standing.unwritten():
                _of(months, month_of(what.kind, what.effective_at, programme.tz)).add(what.kind, what.amount)
            watch(1)
    return [months[month] for month in sorted(months) if not months[month].is_empty]


def law_14(
    programme: Programme, *, at: datetime, known_at: datetime | None = None, watch: Watch = lambda n: None
) -> Law14:
    """The line of law 14 as of `at`: what came and went by the entries, and what the lots and debts then said."""
    total = Movement("all")
    balance = debt = debt_of_closed = 0
    with one_snapshot():
        for _, kind, amount, captured in _sums(programme, Moment(check_instant(at, field="at"), known_at)):
            total.add(kind, amount, captured)
        for standing in standings(programme.pk, at=at, known_at=known_at):
            for what in standing.unwritten():
                total.add(what.kind, what.amount)
            balance += standing.balance().live
            debt += standing.debt
            debt_of_closed += standing.debt if standing.closed else 0
            watch(1)
    came = total.granted + total.refunded + total.reinstated
    went = total.redeemed + total.on_hold + total.clawed_back + total.expired + total.forfeited
    return Law14(
        granted=total.granted,
        refunded=total.refunded,
        reinstated=total.reinstated,
        redeemed=total.redeemed,
        on_hold=total.on_hold,
        clawed_back=total.clawed_back,
        expired=total.expired,
        forfeited=total.forfeited,
        balance=balance,
        debt=debt,
        debt_of_closed=debt_of_closed,
        difference=came - went - (balance - debt),
    )


def month_of(kind: Kind, at: datetime, zone: ZoneInfo) -> str:
    """The month of the zone in which something of this kind happened."""
    day = last_day(at, zone) if kind in AT_THE_END_OF_A_DAY else at.astimezone(zone).date()
    return month_name(day)


def month_name(day: date) -> str:
    return f"{day:%Y-%m}"


def _of(months: dict[str, Movement], month: str) -> Movement:
    return months.setdefault(month, Movement(month))


def _sums(programme: Programme, moment: Moment) -> list[tuple[str, str, int, int]]:
    """By month and kind: sums of amounts, and of what was captured. `month_of` in SQL; a test holds them together."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT to_char((CASE WHEN e.kind = ANY (%(ends)s) THEN e.effective_at - interval '1 microsecond'
                                 ELSE e.effective_at END) AT TIME ZONE %(zone)s, 'YYYY-MM') AS month,
                   e.kind, sum(e.amount)::bigint, coalesce(sum(e.asked) FILTER (WHERE e.kind = 'capture'), 0)::bigint
              FROM ledger_entry e
             WHERE e.programme_id = %(programme)s AND {on_record("e")}
             GROUP BY 1, 2
            """,
            moment.params()
            | {"programme": programme.pk, "zone": programme.zone, "ends": [kind.value for kind in AT_THE_END_OF_A_DAY]},
        )
        found: list[tuple[str, str, int, int]] = cursor.fetchall()
        return found
