"""Breakage: what became of the points of each month's grants."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.cohorts import Cohort, breakage
from ledger.expiry import sweep_all
from tests import builders
from tests.builders import NOW, days, grant, redeem
from tests.business import MAY, a_spring

pytestmark = pytest.mark.django_db


def cohort(month: str, **points: object) -> Cohort:
    names = ("granted", "redeemed", "on_hold", "expired", "clawed_back", "settled", "forfeited", "live")
    return Cohort(**{"month": month, **dict.fromkeys(names, 0), "rate": Decimal("0.0000"), **points})  # type: ignore[arg-type]


def test_a_cohort_says_what_became_of_its_points(moa, minji):
    a_spring(minji)
    then = cohort("2025-03", granted=140, redeemed=20, on_hold=25, live=95)
    assert breakage(moa, at=NOW + days(10)) == [then]
    # Of the short 40: 20 redeemed, 15 captured, 5 expired at last; of the long 100: 60 clawed back.
    now = cohort("2025-03", granted=140, redeemed=35, expired=5, clawed_back=60, live=40, rate=Decimal("0.0357"))
    assert breakage(moa, at=MAY) == [now]
    sweep_all(now=MAY)
    assert breakage(moa, at=MAY) == [now]
    assert breakage(moa, at=NOW - timedelta(microseconds=1)) == []


def test_points_that_pay_for_an_earlier_debt_are_settled(moa, minji):
    grant(minji, 10, key="first")
    redeem(minji, 10)
    builders.clawback(minji, 10, undoes="first")
    grant(minji, 30, now=NOW + days(30))
    assert breakage(moa, at=NOW + days(30)) == [
        cohort("2025-03", granted=10, redeemed=10),
        cohort("2025-04", granted=30, settled=10, live=20),
    ]


def test_reinstated_points_are_of_the_cohort_that_they_first_came_from():
    moa = builders.moa(reinstate_window_days=90)
    minji = builders.minji(moa)
    lot = builders.lot_of(grant(minji, 8, expires_at=NOW + days(10)))
    builders.reinstate(minji, lot.pk, now=NOW + days(60))
    half = {"granted": 8, "rate": Decimal("0.0000")}
    assert breakage(moa, at=NOW + days(60)) == [cohort("2025-03", **half, live=8)]
    assert breakage(moa, at=NOW + days(59)) == [cohort("2025-03", granted=8, expired=8, rate=Decimal("1.0000"))]


def test_a_hold_that_lapsed_unwritten_and_a_closure_count_by_the_clock(moa, minji):
    grant(minji, 30)
    builders.hold(minji, 20, lapses_at=NOW + days(5))
    builders.close(minji)
    held = cohort("2025-03", granted=30, on_hold=20, live=10)
    lapsed = cohort("2025-03", granted=30, live=30)
    over = cohort("2025-03", granted=30, forfeited=30, rate=Decimal("1.0000"))
    for _ in ("never swept", "swept"):
        assert [breakage(moa, at=NOW + days(n)) for n in (4, 5, 15)] == [[held], [lapsed], [over]]
        sweep_all(now=NOW + days(15))


def test_a_cohort_is_of_the_month_that_a_grant_is_dated(moa, minji):
    grant(minji, 5, now=NOW + days(40), effective_at=NOW)
    assert breakage(moa, at=NOW + days(40)) == [cohort("2025-03", granted=5, live=5)]
    assert breakage(moa, at=NOW + days(40), known_at=NOW) == []
