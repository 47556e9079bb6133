"""The days of rest of a country, and a programme's own word on them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import TellingRules
from alerts.rules.holidays import is_day_off, public_holidays


def days_off(country: str, first: date, last: date) -> list[date]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if is_day_off(day, country=country, own={})]


def test_seollal_of_2026_lasts_three_days():
    found = days_off("KR", date(2026, 2, 13), date(2026, 2, 20))
    assert found == [date(2026, 2, 16), date(2026, 2, 17), date(2026, 2, 18)]


def test_a_korean_holiday_on_a_sunday_has_its_substitute_on_monday():
    # 1 March 2026 is a Sunday.
    assert days_off("KR", date(2026, 2, 27), date(2026, 3, 4)) == [date(2026, 3, 1), date(2026, 3, 2)]


def test_the_long_chuseok_of_2025_with_its_substitute():
    # 3 October foundation day, 5 to 7 Chuseok, 8 its substitute (the 5th is a Sunday), 9 Hangul day; the 4th is an
    # ordinary Saturday.
    found = days_off("KR", date(2025, 10, 2), date(2025, 10, 10))
    assert [day.day for day in found] == [3, 5, 6, 7, 8, 9]


def test_the_calendar_goes_on_over_the_turn_of_a_year():
    assert days_off("KR", date(2025, 12, 24), date(2026, 1, 2)) == [date(2025, 12, 25), date(2026, 1, 1)]
    # 1 January 2022 was a Saturday: the United States kept it on the last day of 2021.
    assert date(2021, 12, 31) in public_holidays("US", 2021)
    assert days_off("US", date(2021, 12, 30), date(2022, 1, 2)) == [date(2021, 12, 31), date(2022, 1, 1)]
    # Christmas Day of 2027 is a Saturday: Korea keeps it on the Monday after, too.
    assert days_off("KR", date(2027, 12, 25), date(2027, 12, 31)) == [date(2027, 12, 25), date(2027, 12, 27)]


def test_every_day_of_a_year_lies_in_that_year():
    assert {day.year for day in public_holidays("US", 2021)} == {2021}


def test_a_part_of_a_country_has_days_of_its_own():
    saint_john = date(2026, 6, 24)
    assert is_day_off(saint_john, country="CA-QC", own={})
    assert not is_day_off(saint_john, country="CA", own={})
    assert not is_day_off(saint_john, country="CA-ON", own={})
    assert is_day_off(date(2026, 7, 1), country="CA-ON", own={})


def test_a_programmes_own_word_goes_before_the_calendar_both_ways():
    own = {date(2026, 2, 17): False, date(2026, 2, 19): True}
    assert not is_day_off(date(2026, 2, 17), country="KR", own=own)
    assert is_day_off(date(2026, 2, 18), country="KR", own=own)
    assert is_day_off(date(2026, 2, 19), country="KR", own=own)
    assert not is_day_off(date(2026, 2, 18), country="", own={})


@pytest.mark.parametrize("code", ["XX", "kr", "KOR", "CA-XX", "KR-11", "CA-", "82"])
def test_a_country_whose_holidays_are_not_known_is_refused_at_its_field(byeol, code):
    with pytest.raises(BadInput) as refusal:
        save_checked(TellingRules(programme=byeol, country=code))
    assert refusal.value.field == "country"
    assert f"“{code}”" in refusal.value.detail
    assert not TellingRules.objects.exists()


@pytest.mark.parametrize("code", ["KR", "CA", "CA-QC", "CA-ON", "GB-SCT"])
def test_a_country_or_a_part_of_one_is_taken(byeol, code):
    save_checked(TellingRules(programme=byeol, country=code))
    assert TellingRules.objects.get().country == code
