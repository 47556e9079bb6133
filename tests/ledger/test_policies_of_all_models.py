"""Fixed days, inactivity, promises, and points that come back: their dates. The stage is Seoul unless a test is about
the clocks. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.policies import (
    Model,
    Rounding,
    Rules,
    Terms,
    Unit,
    can_be_reinstated,
    days_after,
    expiry_date,
    has_floor_left,
    inactivity_date,
    is_good_day,
    reinstated_date,
    restored_date,
    spendable_from,
)

SEOUL, LONDON, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
TICK = timedelta(microseconds=1)
ROLLING = Terms(1, SEOUL, Model.ROLLING, 12, Unit.MONTHS)
IDLE = replace(ROLLING, model=Model.INACTIVITY)


def seoul(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SEOUL).astimezone(UTC)  # type: ignore[arg-type, misc]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def fixed(month: int, day: int, count: int = 0, unit: Unit = Unit.MONTHS, **more) -> Terms:
    """Points are valid through this day of the year, the first that leaves them so long."""
    return Terms(1, more.pop("zone", SEOUL), Model.FIXED_DAY, count, unit, fixed_month=month, fixed_day=day, **more)


@pytest.mark.parametrize(
    ("since", "count", "gone"),
    [
        (seoul(2025, 3, 10, 12), 0, seoul(2026, 1, 1)),
        (seoul(2025, 12, 31, 23, 59, 59), 0, seoul(2026, 1, 1)),
        (seoul(2026, 1, 1) - TICK, 0, seoul(2026, 1, 1)),
        (seoul(2026, 1, 1), 0, seoul(2027, 1, 1)),  # the day is over: it is next year's
        (seoul(2025, 9, 30, 12), 3, seoul(2026, 1, 1)),  # 30 December at noon
        (seoul(2025, 10, 1), 3, seoul(2026, 1, 1)),  # to the last instant of the day: exactly three months
        (seoul(2025, 10, 1) + TICK, 3, seoul(2027, 1, 1)),  # nearer: next year's
        (seoul(2025, 3, 10, 12), 12, seoul(2027, 1, 1)),
        (seoul(2025, 3, 10, 12), 24, seoul(2028, 1, 1)),
    ],
)
def test_the_last_day_of_the_year_or_next_years_where_that_is_nearer_than_the_least_life(since, count, gone):
    assert expiry_date(fixed(12, 31, count), since) == gone


@pytest.mark.parametrize(
    ("since", "gone"),
    [
        (seoul(2025, 3, 31, 23), seoul(2025, 4, 1)),
        (seoul(2025, 4, 1) - TICK, seoul(2025, 4, 1)),
        (seoul(2025, 4, 1), seoul(2026, 4, 1)),
        (seoul(2025, 4, 1) + TICK, seoul(2026, 4, 1)),
        (seoul(2025, 1, 1), seoul(2025, 4, 1)),
        (seoul(2024, 12, 31, 23, 59), seoul(2025, 4, 1)),
    ],
)
def test_points_granted_in_the_very_instant_in_which_the_day_ends_live_to_the_next_one(since, gone):
    assert expiry_date(fixed(3, 31), since) == gone


@pytest.mark.parametrize(
    ("since", "gone"),
    [
        (seoul(2023, 3, 1), seoul(2024, 3, 1)),  # through 29 February 2024
        (seoul(2024, 2, 28, 12), seoul(2024, 3, 1)),
        (seoul(2024, 2, 29, 12), seoul(2024, 3, 1)),
        (seoul(2024, 3, 1), seoul(2025, 3, 1)),  # through the 28th
        (seoul(2025, 2, 28, 23), seoul(2025, 3, 1)),
        (seoul(2099, 6, 1), seoul(2100, 3, 1)),  # 2100 is no leap year
    ],
)
def test_29_february_is_the_28th_in_a_year_without_one(since, gone):
    assert expiry_date(fixed(2, 29), since) == gone


def test_the_fixed_day_leaves_time_to_tell():
    terms = fixed(6, 30, notice_days=30, notice_slack=3)
    assert expiry_date(terms, seoul(2025, 5, 29)) == seoul(2025, 7, 1)  # 33 days to the instant
    assert expiry_date(terms, seoul(2025, 5, 29) + TICK) == seoul(2026, 7, 1)


@pytest.mark.parametrize(
    ("rounding", "gone"),
    [
        (Rounding.NONE, seoul(2025, 5, 16)),  # valid through 15 May, a Thursday
        (Rounding.DAY, seoul(2025, 5, 16)),
        (Rounding.WEEK, seoul(2025, 5, 19)),
        (Rounding.MONTH, seoul(2025, 6, 1)),
        (Rounding.QUARTER, seoul(2025, 7, 1)),
        (Rounding.HALF_YEAR, seoul(2025, 7, 1)),
        (Rounding.YEAR, seoul(2026, 1, 1)),
    ],
)
def test_a_fixed_day_is_rounded_up_like_any_date(rounding, gone):
    assert expiry_date(fixed(5, 15, rounding=rounding), seoul(2025, 3, 10, 12)) == gone


@pytest.mark.parametrize(
    ("zone", "terms", "since", "gone"),
    [
        (LONDON, (3, 29), utc(2025, 1, 1), utc(2025, 3, 30)),  # midnight before the clocks go forward
        (LONDON, (3, 30), utc(2025, 1, 1), utc(2025, 3, 30, 23)),  # a day of 23 hours
        (LONDON, (10, 26), utc(2025, 6, 1), utc(2025, 10, 27)),  # a day of 25 hours
        (NEW_YORK, (3, 9), utc(2025, 1, 1, 12), utc(2025, 3, 10, 4)),
        (NEW_YORK, (11, 2), utc(2025, 6, 1, 12), utc(2025, 11, 3, 5)),
        (NEW_YORK, (12, 31), utc(2025, 1, 1, 4, 59), utc(2025, 1, 1, 5)),  # still the old year there
    ],
)
def test_a_fixed_day_ends_with_the_day_of_its_zone(zone, terms, since, gone):
    assert expiry_date(fixed(*terms, zone=zone), since) == gone


@given(
    since=st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from([SEOUL, LONDON, NEW_YORK]),
    day=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    count=st.integers(0, 400),
)
def test_a_fixed_day_is_the_first_that_leaves_the_least_life(since, zone, day, count):
    terms = fixed(day.month, day.day, count, Unit.DAYS, zone=zone)
    gone = expiry_date(terms, since)
    assert gone is not None
    least = days_after(since, count, zone)
    # On the wall: at most a leap year and a day behind the least life, and never in the past.
    assert since < gone
    assert least - timedelta(hours=1) <= gone <= days_after(least, 366, zone) + timedelta(hours=1)


@pytest.mark.parametrize(
    ("rounding", "gone"),
    [
        (Rounding.NONE, seoul(2026, 2, 28, 12)),  # clamped, and a Saturday
        (Rounding.DAY, seoul(2026, 3, 1)),
        (Rounding.WEEK, seoul(2026, 3, 2)),
        (Rounding.MONTH, seoul(2026, 3, 1)),
        (Rounding.QUARTER, seoul(2026, 4, 1)),
        (Rounding.HALF_YEAR, seoul(2026, 7, 1)),
        (Rounding.YEAR, seoul(2027, 1, 1)),
    ],
)
def test_by_inactivity_the_life_is_counted_from_the_last_activity_and_rounded(rounding, gone):
    active, first = seoul(2025, 2, 28, 12), seoul(2020, 1, 1)
    assert inactivity_date(replace(IDLE, rounding=rounding), active, None, first) == gone
    assert inactivity_date(replace(IDLE, rounding=rounding), seoul(2024, 2, 29, 12), None, first) < gone


def test_by_inactivity_no_date_is_earlier_than_the_first_one_or_than_what_the_account_keeps():
    active = seoul(2025, 3, 10)
    by_life = seoul(2026, 3, 10)
    assert inactivity_date(IDLE, active, None, by_life - TICK) == by_life
    assert inactivity_date(IDLE, active, None, by_life + TICK) == by_life + TICK
    assert inactivity_date(IDLE, active, by_life + TICK, by_life) == by_life + TICK
    assert inactivity_date(IDLE, active, by_life - TICK, by_life - TICK) == by_life
    assert inactivity_date(IDLE, active, seoul(2027, 1, 1), seoul(2028, 1, 1)) == seoul(2028, 1, 1)


def test_the_first_date_by_inactivity_is_that_of_a_life_from_the_grant_with_time_to_tell():
    assert expiry_date(IDLE, seoul(2025, 3, 10, 12)) == seoul(2026, 3, 10, 12)
    short = replace(IDLE, count=7, unit=Unit.DAYS, notice_days=30, notice_slack=3)
    assert expiry_date(short, seoul(2025, 3, 10, 12)) == seoul(2025, 4, 12, 12)


@pytest.mark.parametrize(
    ("zone", "at", "spendable"),
    [
        (SEOUL, seoul(2025, 3, 10, 12), seoul(2025, 3, 24, 12)),
        (LONDON, utc(2025, 3, 20, 12), utc(2025, 4, 3, 11)),  # noon on the wall
        (NEW_YORK, utc(2025, 2, 23, 7, 30), utc(2025, 3, 9, 7)),  # 02:30 was skipped: the first instant after
        (NEW_YORK, utc(2025, 10, 19, 5, 30), utc(2025, 11, 2, 5, 30)),  # 01:30 came twice: the first
    ],
)
def test_points_wait_for_days_of_the_wall_clock(zone, at, spendable):
    assert spendable_from(replace(ROLLING, zone=zone, spendable_after_days=14), at) == spendable
    assert spendable_from(replace(ROLLING, zone=zone), at) == at


@pytest.mark.parametrize(
    ("terms", "was", "until"),
    [
        ({}, seoul(2025, 3, 11), seoul(2025, 4, 9, 12)),  # 10 March at noon and 30 days
        ({}, seoul(2025, 5, 1), seoul(2025, 5, 1)),
        ({"restored_floor_days": 1}, seoul(2020, 1, 1), seoul(2025, 3, 11, 12)),
        ({"restored_floor_days": 1, "notice_days": 30, "notice_slack": 3}, seoul(2020, 1, 1), seoul(2025, 4, 12, 12)),
        ({"restored_floor_days": 90, "notice_days": 30, "notice_slack": 3}, seoul(2020, 1, 1), seoul(2025, 6, 8, 12)),
        ({"notice_slack": 9}, seoul(2020, 1, 1), seoul(2025, 4, 9, 12)),  # slack without a duty
        ({"zone": LONDON}, seoul(2020, 1, 1), seoul(2025, 4, 9, 11)),  # summer time began on the 30th
    ],
)
def test_what_comes_back_lives_to_the_later_of_its_date_and_the_floor(terms, was, until):
    assert restored_date(replace(ROLLING, **terms), was, seoul(2025, 3, 10, 12)) == until


def test_the_floor_is_left_to_the_microsecond_and_for_ever():
    at = seoul(2025, 3, 10, 12)
    assert has_floor_left(ROLLING, None, at) is True
    assert has_floor_left(ROLLING, seoul(2025, 4, 9, 12), at) is True
    assert has_floor_left(ROLLING, seoul(2025, 4, 9, 12) - TICK, at) is False
    # The floor alone decides, not the notice: a lot with its own good notice may take its points back.
    assert has_floor_left(replace(ROLLING, notice_days=60), seoul(2025, 4, 9, 12), at) is True


@pytest.mark.parametrize(
    ("terms", "until"),
    [
        ({}, seoul(2025, 4, 9, 12)),
        ({"reinstate_life_days": 7}, seoul(2025, 3, 17, 12)),
        ({"reinstate_life_days": 7, "rounding": Rounding.DAY}, seoul(2025, 3, 18)),
        ({"reinstate_life_days": 7, "rounding": Rounding.MONTH}, seoul(2025, 4, 1)),
        ({"reinstate_life_days": 7, "notice_days": 30, "notice_slack": 3}, seoul(2025, 4, 12, 12)),
        ({"reinstate_life_days": 90, "notice_days": 30, "notice_slack": 3}, seoul(2025, 6, 8, 12)),
    ],
)
def test_reinstated_points_have_the_life_of_the_policy_and_time_to_tell(terms, until):
    assert reinstated_date(replace(ROLLING, **terms), seoul(2025, 3, 10, 12)) == until


def test_the_window_to_reinstate_is_half_open_and_counted_on_the_wall():
    ended = utc(2025, 3, 25, 12)
    terms = replace(ROLLING, zone=LONDON, reinstate_window_days=10)
    assert can_be_reinstated(terms, ended, ended) is True
    assert can_be_reinstated(terms, ended, utc(2025, 4, 4, 11) - TICK) is True
    assert can_be_reinstated(terms, ended, utc(2025, 4, 4, 11)) is False
    assert can_be_reinstated(replace(terms, reinstate_window_days=0), ended, ended) is False


@pytest.mark.parametrize(
    ("told_on", "notice_days", "most", "good"),
    [
        (date(2025, 5, 1), 30, 0, True),
        (date(2025, 5, 2), 30, 0, False),
        (date(2025, 5, 31), 0, 0, True),
        (date(2025, 6, 1), 0, 0, False),  # after the last day
        (date(2020, 1, 1), 30, 0, True),  # no bound
        (date(2025, 4, 1), 30, 60, True),
        (date(2025, 3, 31), 30, 60, False),
        (date(2025, 5, 1), 30, 30, True),  # one day alone
        (date(2025, 4, 30), 30, 30, False),
    ],
)
def test_a_good_day_to_tell_is_early_enough_and_not_too_early(told_on, notice_days, most, good):
    assert is_good_day(told_on, date(2025, 5, 31), notice_days, most) is good


def test_rules_know_whether_any_points_go_by_inactivity():
    since = datetime(2000, 1, 1, tzinfo=UTC)
    assert Rules(SEOUL, [(since, "", ROLLING)]).has_inactivity is False
    assert Rules(SEOUL, [(since, "", ROLLING), (since, "promotion", IDLE)]).has_inactivity is True
