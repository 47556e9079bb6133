from __future__ import annotations

import pytest

from alerts.checks import check_programmes
from alerts.models import Override, ReminderRule, TellingRules
from alerts.texts import template_versions
from alerts.texts.words import built_in
from tests import alert_builders, builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def good(good):
    """With a transport of e-mail that reports bounces: that SMTP does not is a finding of its own."""
    good.TRANSPORTS = good.TRANSPORTS | {"email": "anymail"}
    return good


def ids() -> list[str]:
    found = check_programmes(None, databases=["default"])
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


def test_a_programme_that_tells_as_it_must_has_no_findings(good, byeol):
    assert ids() == []
    alert_builders.alimtalk_words(byeol)
    alert_builders.by_channels(byeol, "alimtalk", "sms", "email")
    assert ids() == []


def test_a_programme_without_a_duty_need_not_remind(good, moa):
    assert ids() == []


def test_a_duty_without_reminders_is_found(good):
    builders.byeol()
    assert ids() == ["alerts.W022"]


def test_a_first_reminder_too_late_for_the_duty_is_found(good, byeol):
    ReminderRule.objects.filter(offset_days__gte=33).delete()
    (found,) = check_programmes(None, databases=["default"])
    assert found.id == "alerts.W023"
    assert "3 days before" in found.msg
    assert "needs 33" in found.msg


def test_a_channel_in_the_sandbox_is_found_where_it_is_used_and_nowhere_else(good, byeol):
    good.TRANSPORTS = {"email": "anymail", "sms": "sandbox", "alimtalk": "sandbox"}
    assert ids() == []
    alert_builders.by_channels(byeol, "sms", "email")
    assert ids() == ["alerts.W020"]
    good.SANDBOX_ALLOW = ["+821012345678"]
    assert ids() == ["alerts.W020"]  # there is no provider to let it through to
    good.SANDBOX_ALLOW, good.SANDBOX_TELLS = [], True
    assert ids() == []
    good.SANDBOX_TELLS, good.DEBUG = False, True
    assert ids() == []


def test_a_channel_without_a_transport_is_found(good, byeol):
    good.TRANSPORTS = {"email": "anymail"}
    alert_builders.by_channels(byeol, "sms", "email")
    assert ids() == ["alerts.W024"]


def test_an_alimtalk_without_an_approved_template_is_found_until_there_is_one(good, byeol, moa):
    alert_builders.by_channels(byeol, "email", "alimtalk")
    alert_builders.alimtalk_words(moa)  # of another programme
    (found,) = check_programmes(None, databases=["default"])
    assert found.id == "alerts.W025"
    assert "'byeol'" in found.msg
    sms = built_in("sms", "ko")
    template_versions.save(
        programme=byeol, channel="sms", language="ko", words=sms, by=builders.STAFF, now=builders.NOW
    )
    assert ids() == ["alerts.W025"]
    alert_builders.alimtalk_words(byeol)
    assert ids() == []


def test_delivery_that_is_never_reported_and_counts_alone_is_found(good, byeol):
    TellingRules.objects.create(programme=byeol, counts_when="delivered")
    assert ids() == []
    good.TRANSPORTS = good.TRANSPORTS | {"email": "smtp"}
    assert ids() == ["alerts.W021"]  # SMTP reports nothing
    alert_builders.by_channels(byeol, "sms")
    assert ids() == []


def test_bounces_that_nobody_sees_are_found_where_a_duty_counts_on_acceptance(good, byeol, moa):
    alert_builders.by_channels(moa, "email")  # which has no duty
    good.TRANSPORTS = good.TRANSPORTS | {"email": "smtp"}
    (found,) = check_programmes(None, databases=["default"])
    assert found.id == "alerts.W029"
    assert "'byeol'" in found.msg
    TellingRules.objects.create(programme=byeol, counts_when="accepted")
    assert ids() == ["alerts.W029"]
    alert_builders.by_channels(byeol, "sms")
    assert ids() == []  # no e-mail is sent
    alert_builders.by_channels(byeol, "email")
    good.TRANSPORTS = good.TRANSPORTS | {"email": "anymail"}
    assert ids() == []


def test_more_channels_than_the_reminders_use_at_once_are_found_unless_excused(good):
    programme = alert_builders.byeol(notice_channels=2)
    policy = programme.policies.get()
    (found,) = check_programmes(None, databases=["default"])
    assert found.id == "alerts.W028"
    assert f"'byeol' a notice counts on as many channels as its policy says (policy {policy.pk}: 2)" in found.msg
    assert "use fewer at once (email)" in found.msg
    alert_builders.by_channels(programme, "email", "sms", at_once=1)
    assert ids() == ["alerts.W028"]
    Override.objects.create(
        programme=programme,
        rule="house.channels",
        found=f"policy {policy.pk}: 2",
        reason="the desk tells by letter",
        by="staff:1",
        at=builders.NOW,
    )
    assert ids() == []
    builders.byeol("star", notice_channels=2)  # without reminders: that is another finding
    assert ids() == ["alerts.W022"]


def test_enough_channels_at_once_are_no_finding(good):
    programme = alert_builders.byeol(notice_channels=2)
    alert_builders.by_channels(programme, "email", "sms", at_once=2)
    assert ids() == []


def test_members_whom_no_rule_reaches_are_counted(good, byeol, minji):
    jun = builders.jun(byeol)
    alert_builders.phone(jun)
    builders.grant(jun, 500)
    (found,) = check_programmes(None, databases=["default"])
    assert found.id == "alerts.W027"
    assert "programme 'byeol'" in found.msg
    assert "as the duty asks: 1. They are never told" in found.msg
    alert_builders.by_channels(byeol, "email", "sms")
    assert ids() == []


def test_the_database_is_asked_only_when_the_check_is_told_to(byeol, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_programmes(None) == []
