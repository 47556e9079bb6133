"""Members with an address whom no reminder reaches as their duty asks: counted for the system check and the gauge."""

from __future__ import annotations

import pytest

from alerts.addresses import suppressions
from alerts.duty import unreached
from alerts.watch import gauges
from ledger import accounts
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, before, by_channels
from tests.builders import NOW, days
from tests.looking import nothing_changes, plan_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def jun(byeol):
    """Jun, with 500 points until 31 March 2026 and a number, but no e-mail address."""
    account = builders.jun(byeol)
    alert_builders.phone(account)
    builders.grant(account, 500)
    return account


def members(now=NOW, **more):
    return unreached.members(now=now, **more)


def shown(now):
    gauge = unreached.gauge(now=now)
    (sample,) = gauge.samples
    return gauge.name, sample.value, sample.ok


def test_whom_the_rules_reach_is_not_counted(minji):
    assert members() == {}


def test_who_has_an_address_on_no_channel_of_the_rules_is_counted_once(minji, jun):
    builders.grant(jun, 10)
    assert members() == {"byeol": 1}


def test_a_rule_that_is_too_late_for_the_duty_reaches_nobody(jun, byeol):
    byeol.reminder_rules.filter(offset_days=3).update(channels=["sms"])
    assert members() == {"byeol": 1}
    byeol.reminder_rules.filter(offset_days=33).update(channels=["email", "sms"])
    assert members() == {}


def test_without_any_rule_in_time_it_is_another_finding(jun, byeol):
    byeol.reminder_rules.filter(offset_days__gte=30).delete()
    assert members() == {}


def test_who_has_no_address_that_works_waits_for_one(jun, byeol):
    nobody = accounts.open_account(programme=byeol, reference="hana")
    builders.grant(nobody, 10)
    suppressions.add(channel="sms", address="+821012345678", why="hard_bounce", now=NOW)
    assert members() == {}


def test_fewer_channels_than_the_policy_asks_are_too_few():
    programme = alert_builders.byeol(notice_channels=2)
    by_channels(programme, "email", "sms", at_once=2)
    one, two = alert_builders.minji(programme), builders.jun(programme)
    alert_builders.email(two, "jun@example.com")
    alert_builders.phone(two)
    builders.grant(one, 100)
    builders.grant(two, 100)
    assert members() == {"byeol": 1}


def test_points_without_a_duty_or_told_in_time_or_gone_are_none_of_it(jun, moa):
    account = builders.jun(moa)
    builders.grant(account, 100)
    lot = jun.lots.get()
    builders.tell(jun, [lot.pk], told_on=before(40).date(), now=before(40))
    assert members() == {}


def test_each_programme_by_itself(jun):
    other = alert_builders.byeol(code="star")
    account = builders.jun(other)
    alert_builders.phone(account, "+821087654321")
    builders.grant(account, 100)
    assert members() == {"byeol": 1, "star": 1}


def test_the_gauge_speaks_of_dates_that_come_soon_or_have_gone_by(jun):
    assert shown(EXPIRES_AT - days(8)) == ("unreached_members", 0, True)
    assert shown(EXPIRES_AT - days(7)) == ("unreached_members", 1, False)
    assert shown(EXPIRES_AT + days(39)) == ("unreached_members", 1, False)


def test_it_stands_behind_the_others(jun):
    with nothing_changes():
        read = unreached.all_gauges(now=NOW)
    assert [each.name for each in read] == [*(each.name for each in gauges.read(now=NOW)), "unreached_members"]


def test_only_the_lots_that_go_first_are_looked_at(jun, minji, monkeypatch):
    monkeypatch.setattr(unreached, "MOST", 1)
    assert members() == {"byeol": 1}
    builders.tell(jun, [jun.lots.get().pk], told_on=before(40).date(), now=before(40))
    assert members() == {}


def test_one_statement_goes_by_its_index(jun, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        members()
    assert "lot_untold" in plan_of(asked.captured_queries[0]["sql"])
