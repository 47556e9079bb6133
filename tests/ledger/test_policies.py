"""When points go. All instants are UTC; the stage is Seoul (no summer time) unless a test is about the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.policies import (
    Model,
    Rounding,
    Terms,
    Unit,
    date_with_full_notice,
    end_of_day,
    expiry_date,
    instant,
    last_day,
    start_of_day,
)

SEOUL = ZoneInfo("Asia/Seoul")  # UTC+9 all year
LONDON = ZoneInfo("Europe/London")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # skipped 00:00 to 01:00 on 4 November 2018
BEIRUT = ZoneInfo("Asia/Beirut")  # skipped 00:00 to 01:00 on 27 March 2022
HAVANA = ZoneInfo("America/Havana")  # had 00:00 to 01:00 twice on 2 November 2025
APIA = ZoneInfo("Pacific/Apia")  # had no 30 December 2011 at all
ZONES = [SEOUL, LONDON, SAO_PAULO, BEIRUT, HAVANA, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def seoul(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SEOUL).astimezone(UTC)  # type: ignore[arg-type, misc]


def rolling(
    count: int,
    unit: Unit = Unit.MONTHS,
    rounding: Rounding = Rounding.NONE,
    zone: ZoneInfo = SEOUL,
    notice: tuple[int, int] = (0, 0),
) -> Terms:
    days, slack = notice
    return Terms(1, zone, Model.ROLLING, count, unit, rounding, notice_days=days, notice_slack=slack)


def test_points_under_never_have_no_date_even_with_a_notice_duty():
    assert expiry_date(Terms(1, SEOUL, Model.NEVER), seoul(2025, 3, 10, 12)) is None
    assert expiry_date(Terms(1, SEOUL, Model.NEVER, notice_days=30, notice_slack=3), seoul(2025, 3, 10, 12)) is None


@pytest.mark.parametrize(
    ("count", "unit", "date_of"),
    [
        (1, Unit.DAYS, seoul(2025, 3, 11, 12)),
        (90, Unit.DAYS, seoul(2025, 6, 8, 12)),
        (1, Unit.WEEKS, seoul(2025, 3, 17, 12)),
        (6, Unit.WEEKS, seoul(2025, 4, 21, 12)),
        (1, Unit.MONTHS, seoul(2025, 4, 10, 12)),
        (12, Unit.MONTHS, seoul(2026, 3, 10, 12)),
        (1, Unit.YEARS, seoul(2026, 3, 10, 12)),
        (5, Unit.YEARS, seoul(2030, 3, 10, 12)),
    ],
)
def test_a_rolling_life_counts_in_its_own_unit_to_the_second(count, unit, date_of):
    assert expiry_date(rolling(count, unit), seoul(2025, 3, 10, 12)) == date_of


@pytest.mark.parametrize(
    ("granted", "count", "unit", "date_of"),
    [
        (seoul(2025, 1, 31, 12), 1, Unit.MONTHS, seoul(2025, 2, 28, 12)),
        (seoul(2024, 1, 31, 12), 1, Unit.MONTHS, seoul(2024, 2, 29, 12)),  # a leap year
        (seoul(2025, 8, 31, 12), 1, Unit.MONTHS, seoul(2025, 9, 30, 12)),
        (seoul(2025, 1, 31, 12), 2, Unit.MONTHS, seoul(2025, 3, 31, 12)),  # clamped once, not month by month
        (seoul(2024, 2, 29, 12), 12, Unit.MONTHS, seoul(2025, 2, 28, 12)),
        (seoul(2024, 2, 29, 12), 1, Unit.YEARS, seoul(2025, 2, 28, 12)),
        (seoul(2024, 2, 29, 12), 4, Unit.YEARS, seoul(2028, 2, 29, 12)),
        (seoul(2096, 2, 29, 12), 4, Unit.YEARS, seoul(2100, 2, 28, 12)),  # 2100 is no leap year
        (seoul(2024, 2, 28, 12), 1, Unit.DAYS, seoul(2024, 2, 29, 12)),
    ],
)
def test_months_and_years_clamp_to_the_last_day_there_is(granted, count, unit, date_of):
    assert expiry_date(rolling(count, unit), granted) == date_of


@pytest.mark.parametrize(
    ("rounding", "date_of"),
    [  # noon on Friday, 14 February 2025 in Seoul
        (Rounding.NONE, seoul(2025, 2, 14, 12)),
        (Rounding.DAY, seoul(2025, 2, 15)),
        (Rounding.WEEK, seoul(2025, 2, 17)),  # the week ends on Sunday the 16th
        (Rounding.MONTH, seoul(2025, 3, 1)),
        (Rounding.QUARTER, seoul(2025, 4, 1)),
        (Rounding.HALF_YEAR, seoul(2025, 7, 1)),
        (Rounding.YEAR, seoul(2026, 1, 1)),
    ],
)
def test_a_date_is_rounded_up_to_the_end_of_the_period_that_contains_it(rounding, date_of):
    assert expiry_date(rolling(1, Unit.MONTHS, rounding), seoul(2025, 1, 14, 12)) == date_of


@pytest.mark.parametrize(
    ("rounding", "first", "end"),
    [
        (Rounding.DAY, seoul(2025, 6, 10), seoul(2025, 6, 11)),
        (Rounding.WEEK, seoul(2025, 6, 9), seoul(2025, 6, 16)),  # Monday to Monday
        (Rounding.MONTH, seoul(2025, 6, 1), seoul(2025, 7, 1)),
        (Rounding.QUARTER, seoul(2025, 4, 1), seoul(2025, 7, 1)),
        (Rounding.HALF_YEAR, seoul(2025, 1, 1), seoul(2025, 7, 1)),
        (Rounding.HALF_YEAR, seoul(2025, 7, 1), seoul(2026, 1, 1)),
        (Rounding.YEAR, seoul(2025, 1, 1), seoul(2026, 1, 1)),
    ],
)
def test_the_first_and_the_last_instant_of_a_period_both_belong_to_it(rounding, first, end):
    a_day = timedelta(days=1)
    terms = rolling(1, Unit.DAYS, rounding)
    assert expiry_date(terms, first - a_day) == end
    assert expiry_date(terms, end - timedelta(microseconds=1) - a_day) == end
    assert expiry_date(terms, first - timedelta(microseconds=1) - a_day) == first


def test_december_bought_points_end_with_the_first_instant_of_april_in_london_summer_time():
    terms = rolling(3, Unit.MONTHS, Rounding.MONTH, LONDON)
    gone = utc(2011, 3, 31, 23)  # midnight of 1 April, an hour ahead of UTC by then
    assert expiry_date(terms, utc(2010, 12, 1, 8, 26)) == gone
    assert expiry_date(terms, utc(2010, 12, 31, 23, 59, 59)) == gone
    assert expiry_date(terms, utc(2011, 1, 1)) == utc(2011, 4, 30, 23)


def test_the_period_is_that_of_the_programmes_zone_and_not_of_utc():
    granted = utc(2025, 1, 31, 15)  # already 1 February in Seoul, still 31 January in London
    assert expiry_date(rolling(1, Unit.MONTHS, Rounding.MONTH, SEOUL), granted) == seoul(2025, 4, 1)
    assert expiry_date(rolling(1, Unit.MONTHS, Rounding.MONTH, LONDON), granted) == utc(2025, 3, 1)


def test_days_are_days_of_the_wall_clock_when_the_clocks_change_in_between():
    # London was 23 hours long on 30 March 2025 and 25 hours long on 26 October 2025.
    assert expiry_date(rolling(1, Unit.DAYS, zone=LONDON), utc(2025, 3, 29, 12)) == utc(2025, 3, 30, 11)
    assert expiry_date(rolling(1, Unit.DAYS, zone=LONDON), utc(2025, 10, 25, 11)) == utc(2025, 10, 26, 12)


def test_a_time_that_the_clocks_skip_becomes_the_first_instant_after_the_gap():
    # 01:30 did not exist in London on 30 March 2025: 01:00 became 02:00, at 01:00 UTC.
    assert expiry_date(rolling(1, Unit.DAYS, zone=LONDON), utc(2025, 3, 29, 1, 30)) == utc(2025, 3, 30, 1)
    assert instant(datetime(2025, 3, 30, 1, 0), LONDON) == utc(2025, 3, 30, 1)  # noqa: DTZ001  # wall-clock time
    assert instant(datetime(2025, 3, 30, 1, 59, 59, 999_999), LONDON) == utc(2025, 3, 30, 1)  # noqa: DTZ001
    assert instant(datetime(2025, 3, 30, 0, 59, 59), LONDON) == utc(2025, 3, 30, 0, 59, 59)  # noqa: DTZ001
    assert instant(datetime(2025, 3, 30, 2, 0), LONDON) == utc(2025, 3, 30, 1)  # noqa: DTZ001


def test_a_time_that_comes_twice_is_the_first_of_the_two():
    # 01:30 came twice in London on 26 October 2025: at 00:30 and at 01:30 UTC.
    assert expiry_date(rolling(1, Unit.DAYS, zone=LONDON), utc(2025, 10, 25, 0, 30)) == utc(2025, 10, 26, 0, 30)
    assert instant(datetime(2025, 10, 26, 1, 30, fold=1), LONDON) == utc(2025, 10, 26, 0, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        (SEOUL, date(2025, 4, 1), utc(2025, 3, 31, 15)),
        (LONDON, date(2025, 4, 1), utc(2025, 3, 31, 23)),
        (SAO_PAULO, date(2018, 11, 4), utc(2018, 11, 4, 3)),  # the day began at 01:00
        (BEIRUT, date(2022, 3, 27), utc(2022, 3, 26, 22)),  # so did this one
        (BEIRUT, date(2022, 10, 30), utc(2022, 10, 29, 22)),  # the hour before it came twice
        (HAVANA, date(2025, 11, 2), utc(2025, 11, 2, 4)),  # midnight came twice: the first
        (APIA, date(2011, 12, 30), utc(2011, 12, 30, 10)),  # there was no such day: the first instant after it
    ],
)
def test_a_day_starts_at_its_first_instant_even_where_there_is_no_midnight(zone, day, first):
    assert start_of_day(day, zone) == first
    assert end_of_day(day - timedelta(days=1), zone) == first


def test_points_valid_through_a_day_are_gone_with_the_first_instant_of_the_next():
    assert end_of_day(date(2025, 3, 31), SEOUL) == utc(2025, 3, 31, 15)
    assert last_day(utc(2025, 3, 31, 15), SEOUL) == date(2025, 3, 31)
    assert last_day(utc(2025, 3, 31, 15, 0, 1), SEOUL) == date(2025, 4, 1)
    assert last_day(utc(2025, 3, 31, 14, 59, 59), SEOUL) == date(2025, 3, 31)


def test_the_last_day_of_points_that_end_within_a_day_is_that_day():
    assert last_day(seoul(2025, 3, 31, 12), SEOUL) == date(2025, 3, 31)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (SAO_PAULO, date(2018, 11, 3)),
        (BEIRUT, date(2022, 3, 26)),
        (BEIRUT, date(2022, 10, 29)),
        (HAVANA, date(2025, 11, 1)),
        (APIA, date(2011, 12, 29)),
    ],
)
def test_the_last_day_is_right_beside_a_midnight_that_is_missing_or_comes_twice(zone, day):
    assert last_day(end_of_day(day, zone), zone) == day


@given(day=st.dates(date(1990, 1, 1), date(2060, 1, 1)), zone=st.sampled_from(ZONES))
def test_the_end_of_a_day_has_that_day_as_its_last(day, zone):
    gone = end_of_day(day, zone)
    assert last_day(gone, zone) == day
    assert last_day(gone + timedelta(microseconds=1), zone) == day + timedelta(days=1)


@given(
    granted=st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES),
    count=st.integers(1, 400),
    unit=st.sampled_from([Unit.DAYS, Unit.WEEKS]),
    rounding=st.sampled_from(list(Rounding)),
)
def test_a_rounded_date_is_never_before_the_plain_one_and_never_before_the_grant(granted, zone, count, unit, rounding):
    plain = expiry_date(rolling(count, unit, zone=zone), granted)
    date_of = expiry_date(rolling(count, unit, rounding, zone), granted)
    assert plain is not None
    assert date_of is not None
    assert granted < plain <= date_of


def test_a_notice_duty_gives_at_least_the_time_to_tell():
    granted = seoul(2025, 3, 10, 12)
    assert expiry_date(rolling(7, Unit.DAYS, notice=(30, 3)), granted) == seoul(2025, 4, 12, 12)
    assert expiry_date(rolling(1, Unit.MONTHS, notice=(30, 3)), granted) == seoul(2025, 4, 12, 12)  # 10 April is short
    assert expiry_date(rolling(33, Unit.DAYS, notice=(30, 3)), granted) == seoul(2025, 4, 12, 12)
    assert expiry_date(rolling(34, Unit.DAYS, notice=(30, 3)), granted) == seoul(2025, 4, 13, 12)
    assert expiry_date(rolling(12, Unit.MONTHS, notice=(30, 3)), granted) == seoul(2026, 3, 10, 12)


def test_the_least_life_of_a_notice_duty_is_rounded_as_the_policy_rounds():
    granted = seoul(2025, 3, 10, 12)
    assert expiry_date(rolling(7, Unit.DAYS, Rounding.MONTH, notice=(30, 3)), granted) == seoul(2025, 5, 1)
    assert expiry_date(rolling(7, Unit.DAYS, Rounding.MONTH), granted) == seoul(2025, 4, 1)


def test_slack_without_a_notice_duty_changes_no_date():
    assert expiry_date(rolling(7, Unit.DAYS, notice=(0, 3)), seoul(2025, 3, 10, 12)) == seoul(2025, 3, 17, 12)


def test_a_date_with_full_notice_is_today_and_the_duty_and_the_slack_rounded():
    now = seoul(2025, 3, 10, 12)
    assert date_with_full_notice(rolling(1, notice=(30, 3)), now) == seoul(2025, 4, 12, 12)
    assert date_with_full_notice(rolling(1, rounding=Rounding.DAY, notice=(30, 3)), now) == seoul(2025, 4, 13)
    assert date_with_full_notice(rolling(1, rounding=Rounding.MONTH, notice=(30, 3)), now) == seoul(2025, 5, 1)


def test_today_of_a_full_notice_is_the_programmes_today():
    now = utc(2025, 3, 10, 20)  # already the 11th in Seoul
    terms = rolling(1, rounding=Rounding.DAY, notice=(30, 3))
    assert date_with_full_notice(terms, now) == seoul(2025, 4, 14)
