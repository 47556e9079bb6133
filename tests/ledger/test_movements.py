"""What moved by month, and the line of law 14."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger.expiry import sweep_all
from ledger.kinds import Kind
from ledger.movements import Law14, Movement, law_14, month_of, movements
from tests import builders
from tests.builders import LONDON, NOW, days, grant, lot_of, redeem
from tests.business import MAY, a_spring

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def test_each_month_says_what_came_and_went(moa, minji):
    a_spring(minji)
    expected = [
        Movement("2025-03", granted=140, refunded=10, redeemed=30, on_hold=25),
        Movement("2025-04", redeemed=15, on_hold=-25, clawed_back=60),
        Movement("2025-05", expired=5),
    ]
    assert movements(moa, at=MAY) == expected
    sweep_all(now=MAY)
    assert movements(moa, at=MAY) == expected
    assert movements(moa, at=NOW) == [Movement("2025-03", granted=140, redeemed=30)]
    assert movements(moa, at=NOW - TICK) == []


def test_the_line_of_law_14_comes_to_balance_less_debt(moa, minji):
    a_spring(minji)
    line = Law14(
        granted=140,
        refunded=10,
        reinstated=0,
        redeemed=45,
        on_hold=0,
        clawed_back=60,
        expired=5,
        forfeited=0,
        balance=40,
        debt=0,
        debt_of_closed=0,
        difference=0,
    )
    assert law_14(moa, at=MAY) == line
    sweep_all(now=MAY)
    assert law_14(moa, at=MAY) == line
    then = law_14(moa, at=NOW + days(10))
    assert (then.redeemed, then.on_hold, then.balance, then.difference) == (30, 25, 95, 0)


def test_points_valid_through_the_last_day_of_a_month_go_in_that_month():
    """And so does what a closure takes; both at the first instant of the next, swept or not."""
    moa = builders.moa(reinstate_window_days=30)
    minji = builders.minji(moa)
    lot = lot_of(grant(minji, 7, expires_at=datetime(2025, 3, 31, 15, tzinfo=UTC)))
    builders.reinstate(minji, lot.pk, now=datetime(2025, 4, 5, tzinfo=UTC))
    builders.close(minji, now=datetime(2025, 4, 16, tzinfo=UTC))  # through 30 April
    at = datetime(2025, 4, 30, 15, tzinfo=UTC)
    expected = [
        Movement("2025-03", granted=7, expired=7),
        Movement("2025-04", reinstated=7, forfeited=7),
    ]
    assert movements(moa, at=at - TICK) == [expected[0], Movement("2025-04", reinstated=7)]
    assert movements(moa, at=at) == expected
    sweep_all(now=at)
    assert movements(moa, at=at) == expected


def test_months_are_those_of_the_zone_whatever_its_clocks_do():
    london = builders.moa(zone="Europe/London")
    minji = builders.minji(london)
    moments = [
        (datetime(2025, 3, 31, 22, 59, 59, tzinfo=UTC), "2025-03"),
        (datetime(2025, 3, 31, 23, tzinfo=UTC), "2025-04"),  # summer time has begun
        (datetime(2025, 10, 31, 23, 30, tzinfo=UTC), "2025-10"),  # and ended
        (datetime(2025, 11, 1, tzinfo=UTC), "2025-11"),
    ]
    for number, (at, month) in enumerate(moments):
        grant(minji, 10**number, now=at)
        assert month_of(Kind.GRANT, at, LONDON) == month
    found = [(row.month, row.granted) for row in movements(london, at=moments[-1][0])]
    assert found == [("2025-03", 1), ("2025-04", 10), ("2025-10", 100), ("2025-11", 1000)]


def test_the_month_in_sql_is_that_in_python():
    london = builders.moa(zone="Europe/London")
    minji = builders.minji(london)
    for hour in range(4):
        ends = datetime(2025, 6, 30, 21, tzinfo=UTC) + timedelta(hours=hour)
        grant(minji, 10**hour, expires_at=ends)
    later = datetime(2025, 8, 1, tzinfo=UTC)
    by_the_clock = movements(london, at=later)
    assert [(row.month, row.expired) for row in by_the_clock[1:]] == [("2025-06", 111), ("2025-07", 1000)]
    sweep_all(now=later)
    assert movements(london, at=later) == by_the_clock


def test_a_grant_dated_back_is_of_the_month_that_it_is_for(moa, minji):
    grant(minji, 5, now=NOW + days(40), effective_at=NOW)
    assert movements(moa, at=NOW + days(40)) == [Movement("2025-03", granted=5)]
    assert movements(moa, at=NOW + days(40), known_at=NOW + days(39)) == []


def test_the_debt_of_closed_accounts_stands_beside_the_debt(moa, minji):
    jun = builders.jun(moa)
    builders.clawback(minji, 20)
    builders.clawback(jun, 5)
    builders.close(minji)
    assert (law_14(moa, at=NOW + days(14)).debt, law_14(moa, at=NOW + days(14)).debt_of_closed) == (25, 0)
    for _ in ("never swept", "swept"):
        line = law_14(moa, at=NOW + days(15))
        assert (line.clawed_back, line.balance, line.debt, line.debt_of_closed, line.difference) == (25, 0, 25, 20, 0)
        sweep_all(now=NOW + days(15))


def test_points_that_pay_debt_move_nothing_of_their_own(moa, minji):
    builders.clawback(minji, 20)
    grant(minji, 50)
    redeem(minji, 10)
    line = law_14(moa, at=NOW)
    assert (line.granted, line.clawed_back, line.redeemed, line.balance, line.debt, line.difference) == (
        50,
        20,
        10,
        20,
        0,
        0,
    )


def test_a_look_says_how_far_it_is(moa, minji):
    grant(minji, 1)
    grant(builders.jun(moa), 1)
    steps: list[int] = []
    law_14(moa, at=NOW, watch=steps.append)
    assert steps == [1, 1]


def test_other_programmes_are_left_out(moa, minji):
    grant(builders.minji(builders.moa("other")), 9)
    assert movements(moa, at=NOW) == []
    assert law_14(moa, at=NOW).granted == 0
