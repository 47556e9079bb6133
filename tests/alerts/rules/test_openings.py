"""The programme's quiet hours, by the clock on the member's wall; e-mail has none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from alerts.models import Contact, Holiday, TellingRules
from alerts.models.contact import Channel
from alerts.rules.openings import opening
from ledger.models import Programme
from tests import builders
from tests.builders import SEOUL

pytestmark = pytest.mark.django_db

MONTREAL = ZoneInfo("America/Montreal")


def opens(programme: Programme, now: datetime, *, channel: str = "sms", zone: str = "") -> datetime:
    return opening(programme=programme, contact=Contact(channel=channel, zone=zone), now=now)


def test_an_sms_waits_for_the_morning_and_an_email_does_not(byeol):
    night = datetime(2026, 1, 30, 20, 30, tzinfo=SEOUL)
    morning = datetime(2026, 1, 31, 9, tzinfo=SEOUL)
    assert opens(byeol, night) == opens(byeol, night, channel=Channel.ALIMTALK) == morning
    assert opens(byeol, night, channel=Channel.EMAIL) == night
    evening = datetime(2026, 1, 30, 20, 29, 59, tzinfo=SEOUL)
    assert opens(byeol, evening) == evening


def test_it_is_the_clock_where_the_member_lives(byeol):
    noon_in_seoul = datetime(2026, 1, 30, 12, tzinfo=SEOUL)  # ten in the evening of the day before in Montreal
    assert opens(byeol, noon_in_seoul) == noon_in_seoul
    assert opens(byeol, noon_in_seoul, zone="America/Montreal") == datetime(2026, 1, 30, 9, tzinfo=MONTREAL)


def test_a_programmes_own_hours_and_holidays_count(byeol):
    rules = TellingRules.objects.create(programme=byeol, open_from=time(10), open_until=time(18))
    Holiday.objects.create(programme=byeol, day=date(2026, 1, 31))
    Holiday.objects.create(programme=byeol, day=date(2026, 2, 1), is_holiday=False)
    evening = datetime(2026, 1, 30, 18, tzinfo=SEOUL)
    assert opens(byeol, evening) == datetime(2026, 1, 31, 10, tzinfo=SEOUL)
    rules.rests_on_holidays = True
    rules.save()
    assert opens(byeol, evening) == datetime(2026, 2, 1, 10, tzinfo=SEOUL)


def test_on_a_holiday_of_its_country_a_programme_waits_for_the_day_after(byeol):
    rules = TellingRules.objects.create(programme=byeol, rests_on_holidays=True)
    eve = datetime(2026, 2, 15, 21, tzinfo=SEOUL)  # the evening before the three days of Seollal
    assert opens(byeol, eve) == datetime(2026, 2, 19, 9, tzinfo=SEOUL)
    Holiday.objects.create(programme=byeol, day=date(2026, 2, 18), is_holiday=False)
    assert opens(byeol, eve) == datetime(2026, 2, 18, 9, tzinfo=SEOUL)
    rules.country = "CA-QC"
    rules.save()
    assert opens(byeol, eve) == datetime(2026, 2, 16, 9, tzinfo=SEOUL)


def test_it_looks_over_the_turn_of_a_year(byeol):
    TellingRules.objects.create(programme=byeol, rests_on_holidays=True)
    assert opens(byeol, datetime(2025, 12, 31, 21, tzinfo=SEOUL)) == datetime(2026, 1, 2, 9, tzinfo=SEOUL)


def test_another_programmes_days_say_nothing(byeol):
    TellingRules.objects.create(programme=byeol, rests_on_holidays=True)
    Holiday.objects.create(programme=builders.moa(), day=date(2026, 2, 17), is_holiday=False)
    assert opens(byeol, datetime(2026, 2, 17, 12, tzinfo=SEOUL)) == datetime(2026, 2, 19, 9, tzinfo=SEOUL)


def test_where_it_is_still_the_day_before_that_days_word_counts(byeol):
    TellingRules.objects.create(programme=byeol, rests_on_holidays=True, country="CA")
    evening = datetime(2026, 2, 18, 1, tzinfo=UTC)  # eight in the evening of the 17th in Montreal
    assert opens(byeol, evening, zone="America/Montreal") == evening
    Holiday.objects.create(programme=byeol, day=date(2026, 2, 17))
    assert opens(byeol, evening, zone="America/Montreal") == datetime(2026, 2, 18, 9, tzinfo=MONTREAL)
