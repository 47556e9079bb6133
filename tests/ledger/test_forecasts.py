"""Forecast: what a future day brings by the clock alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger import statements
from ledger.errors import BadInput
from ledger.expiry import sweep_all
from ledger.forecasts import Forecast, forecast
from ledger.kinds import Origin
from tests import builders
from tests.builders import NOW, days, grant, lot_of, tell

pytestmark = pytest.mark.django_db
GONE = datetime(2025, 5, 31, 15, tzinfo=UTC)


@pytest.fixture
def stage(moa, minji):
    """Minji: 100 for a year; 60 untold and 20 told, to the end of May; 40 promised. Jun: 20 to day 10, 30 on hold."""
    builders.policy(moa, origin=Origin.PROMOTION, effective_from=NOW, count=2, notice_days=30)
    grant(minji, 100)
    grant(minji, 60, origin=Origin.PROMOTION)
    told = lot_of(grant(minji, 20, origin=Origin.PROMOTION))
    tell(minji, [told.pk], told_on=NOW.date(), now=NOW)
    grant(minji, 40, spendable_at=NOW + days(30))
    jun = builders.jun(moa)
    grant(jun, 50, expires_at=NOW + days(10))
    builders.hold(jun, 30, lapses_at=NOW + days(20))
    return moa


def of(account, on: datetime, now: datetime = NOW) -> Forecast:
    return forecast(account.programme, on=on, now=now, account=account)


def test_today_is_what_there_is(stage, minji):
    assert of(minji, NOW) == Forecast(spendable=180, promised=40)
    assert of(builders.jun(stage), NOW) == Forecast(spendable=20, on_hold=30)


def test_promised_points_become_spendable_by_the_clock(stage, minji):
    assert of(minji, NOW + days(30) - timedelta(microseconds=1)) == Forecast(spendable=180, promised=40)
    assert of(minji, NOW + days(30)) == Forecast(spendable=220, becoming_spendable=40)


def test_every_notice_is_taken_as_given_in_time_and_what_is_not_told_yet_stands_beside(stage, minji):
    assert of(minji, GONE) == Forecast(spendable=140, becoming_spendable=40, expiring=80, not_told_yet=60)
    assert statements.balance(minji, at=GONE).live == 200  # a forecast changes nothing: nobody was told of the 60


def test_points_whose_date_has_passed_untold_stay(stage, minji):
    later = GONE + days(1)
    assert of(minji, GONE + days(60), now=later) == Forecast(spendable=200)


def test_a_hold_lapses_by_the_clock_and_its_points_can_go_then(stage):
    jun = builders.jun(stage)
    assert of(jun, NOW + days(15)) == Forecast(on_hold=30, expiring=20)
    assert of(jun, NOW + days(20)) == Forecast(spendable=30, expiring=20, released=30)
    assert of(jun, NOW + days(50)) == Forecast(expiring=50, released=30)


def test_what_comes_back_under_a_duty_is_taken_as_told_of_too(moa, minji):
    builders.policy(moa, origin=Origin.PROMOTION, effective_from=NOW, count=2, notice_days=30)
    grant(minji, 60, origin=Origin.PROMOTION)
    builders.hold(minji, 60, lapses_at=NOW + days(70))
    assert of(minji, NOW + days(102)) == Forecast(spendable=60, released=60)  # the duty and its slack: 33 days
    assert of(minji, NOW + days(103)) == Forecast(released=60, expiring=60, not_told_yet=60)


def test_a_closure_takes_what_is_left_by_then(stage):
    jun = builders.jun(stage)
    builders.close(jun)  # through 24 March
    assert of(jun, NOW + days(14)) == Forecast(on_hold=30, expiring=20)
    assert of(jun, NOW + days(25)) == Forecast(expiring=20, released=30, forfeited=30)


def test_a_programme_is_the_sum_of_its_accounts(stage):
    grant(builders.minji(builders.moa("other")), 9)
    found = forecast(stage, on=GONE, now=NOW)
    assert found == Forecast(spendable=140, becoming_spendable=40, expiring=80 + 50, not_told_yet=60, released=30)


def test_debt_is_paid_first_by_what_comes_back(moa, minji):
    grant(minji, 50)
    builders.hold(minji, 50, lapses_at=NOW + days(5))
    builders.clawback(minji, 20)
    assert of(minji, NOW + days(4)) == Forecast(debt=20, on_hold=50)
    assert of(minji, NOW + days(5)) == Forecast(spendable=30, released=50)


def test_what_was_forecast_is_what_comes_where_everybody_was_told(stage):
    jun = builders.jun(stage)
    said = {day: of(jun, NOW + days(day)) for day in (5, 10, 20, 49, 50)}
    for day, forecast_of_day in said.items():
        sweep_all(now=NOW + days(day))
        seen = statements.balance(jun, at=NOW + days(day))
        assert (seen.spendable, seen.on_hold) == (forecast_of_day.spendable, forecast_of_day.on_hold)


def test_the_past_and_a_time_without_zone_are_refused(minji):
    with pytest.raises(BadInput, match="on: A forecast is of the future"):
        of(minji, NOW - days(1))
    with pytest.raises(BadInput, match="on: Must be a time with a zone"):
        of(minji, datetime(2025, 6, 1))  # noqa: DTZ001


def test_an_account_without_entries_has_nothing_to_come(minji):
    assert of(minji, NOW + days(1)) == Forecast()
