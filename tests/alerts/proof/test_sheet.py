from datetime import date, timedelta
from typing import Any

import pytest

from alerts.duty import untold, waivers
from alerts.errors import BadInput
from alerts.proof import sheet
from alerts.proof.readers import Reader
from ledger.models import Account
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, plan
from tests.alerts.proof import scene

READER = Reader()
NOW = before(10)


@pytest.fixture
def months(monkeypatch, byeol):
    """Jun's points go at the end of each of four months, and pages hold two dates."""
    monkeypatch.setattr(sheet, "DATES", 2)
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    ends = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)]
    for n, end in enumerate(ends):
        builders.grant(jun, 10, now=builders.NOW + timedelta(days=31 * n))
        plan(before(60, end))
    return jun


def days(found: sheet.Sheet) -> list[str]:
    return [each.expires_on.isoformat() for each in found.dates]


def test_all_that_happened_stands_under_its_date(minji, sink):
    scene.says_no(minji)
    scene.came_back(minji)
    found = sheet.page(minji, reader=READER, now=NOW)
    assert (found.reference, found.programme, found.zone, found.made_at) == ("minji", "byeol", "Asia/Seoul", NOW)
    (each,) = found.dates
    assert (each.expires_at, each.expires_on) == (EXPIRES_AT, LAST_DAY)
    assert [reminder.offset_days for reminder in each.reminders] == [60]
    assert (len(each.notices), len(each.waivers), len(each.moves)) == (1, 0, 1)
    assert (len(found.words), len(found.stops), len(found.addresses)) == (1, 1, 1)
    assert found.older is None


def test_a_date_of_which_nothing_was_planned_has_its_waiver(db):
    jun = builders.jun(alert_builders.byeol(accepts_waivers=True))
    builders.grant(jun, 10)
    waivers.record_waivers(now=before(31), limit=10)
    (each,) = sheet.page(jun, reader=READER, now=NOW).dates
    assert (each.reminders, each.notices, [noted.waiver for noted in each.waivers]) == ([], [], ["no_contact"])


def test_a_date_of_which_nothing_was_planned_and_that_was_moved_is_there(byeol):
    jun = alert_builders.member(byeol, "jun", 10)
    untold.extend_untold(now=before(20), limit=10)
    (each,) = sheet.page(jun, reader=READER, now=NOW).dates
    assert (each.expires_on, each.reminders, each.notices, each.waivers, len(each.moves)) == (LAST_DAY, [], [], [], 1)


def test_pages_go_back_in_time_and_hold_each_date_once(months):
    first = sheet.page(months, reader=READER, now=NOW)
    assert days(first) == ["2026-06-30", "2026-05-31"]
    second = sheet.page(months, reader=READER, now=NOW, before=first.older)
    assert days(second) == ["2026-04-30", "2026-03-31"]
    assert second.older is None
    assert days(sheet.whole(months, reader=READER, now=NOW)) == [*days(first), *days(second)]


def test_a_period_is_of_last_days_with_both_its_ends(months):
    asked: dict[str, Any] = {"reader": READER, "now": NOW}
    april, may = date(2026, 4, 30), date(2026, 5, 31)
    assert days(sheet.page(months, since=april, until=may, **asked)) == ["2026-05-31", "2026-04-30"]
    assert days(sheet.page(months, since=april + timedelta(days=1), until=may, **asked)) == ["2026-05-31"]
    assert days(sheet.page(months, since=may, until=may, **asked)) == ["2026-05-31"]
    assert days(sheet.whole(months, until=may - timedelta(days=1), **asked)) == ["2026-04-30", "2026-03-31"]
    assert days(sheet.whole(months, since=april, **asked)) == ["2026-06-30", "2026-05-31", "2026-04-30"]
    assert days(sheet.page(months, since=date(2027, 1, 1), **asked)) == []


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (date(2026, 4, 2), date(2026, 4, 1), "until"),
        (date(1, 1, 1), None, "since"),
        (None, date(9999, 12, 31), "until"),
    ],
)
def test_a_period_that_is_none_is_refused(months, since, until, field):
    with pytest.raises(BadInput) as refused:
        sheet.page(months, reader=READER, now=NOW, since=since, until=until)
    assert refused.value.field == field


def test_a_page_costs_the_same_however_long_the_history_is(months, monkeypatch, django_assert_num_queries):
    months = Account.objects.select_related("member", "programme").get(pk=months.pk)
    with django_assert_num_queries(13):
        sheet.page(months, reader=READER, now=NOW)
    monkeypatch.setattr(sheet, "DATES", 12)
    with django_assert_num_queries(13):
        assert len(sheet.page(months, reader=READER, now=NOW).dates) == 4


def test_nothing_of_others_is_on_it(months, minji, sink):
    scene.told()
    assert {reminder.points_planned for each in sheet.whole(months, reader=READER, now=NOW).dates
            for reminder in each.reminders} == {10}  # fmt: skip
    assert sheet.page(minji, reader=READER, now=NOW).addresses[0].address == "m***@example.com"


def test_who_never_had_points_has_an_empty_sheet(byeol):
    jun = builders.jun(byeol)
    found = sheet.whole(jun, reader=READER, now=NOW)
    assert (found.dates, found.words, found.stops, found.addresses, found.older) == ([], [], [], [], None)
