import pytest

from alerts.addresses import consents, contacts, suppressions
from alerts.duty.waivers import record_waivers
from alerts.models.contact import Channel
from alerts.posted import Posted
from ledger.actors import Actor
from ledger.models import Lot, Notice
from tests import alert_builders, builders
from tests.alert_builders import before, byeol
from tests.builders import NOW

IN_TIME = before(33)


@pytest.fixture
def programme(db):
    return byeol(accepts_waivers=True, least_points=100)


@pytest.fixture
def account(programme):
    account = builders.minji(programme)
    builders.grant(account, 1_200)
    return account


def opt_out(account, *channels):
    for channel in channels:
        consents.say(
            member=account.member,
            channel=channel,
            purpose="notice",
            given=False,
            source="form",
            by=Actor("member"),
            now=NOW,
        )


def waived(now=IN_TIME):
    record_waivers(now=now, limit=100)
    return list(Notice.objects.values_list("waiver", flat=True))


def test_without_a_contact_the_gate_opens_by_a_waiver_once(account):
    assert record_waivers(now=IN_TIME, limit=100) == Posted(1, 1, 0)
    notice = Notice.objects.get()
    assert (notice.waiver, str(notice.expires_on), str(notice.told_on)) == ("no_contact", "2026-03-31", "2026-02-26")
    assert not Lot.objects.get().gated
    assert record_waivers(now=IN_TIME, limit=100) == Posted()


def test_only_in_the_last_days_on_which_it_counts(account):
    assert waived(before(34)) == []
    assert waived(before(29)) == []
    assert waived(before(30)) == ["no_contact"]


def test_opting_out_of_every_channel_is_a_waiver_and_of_one_is_none(account):
    opt_out(account, "email")
    phone = contacts.put(
        member=account.member, address="01012345678", language="ko", verified=True, now=NOW, channel=Channel.SMS
    )
    alert_builders.email(account)
    assert waived() == []
    opt_out(account, "sms")
    assert waived() == ["opted_out"]
    assert contacts.usable(account.member_id, "sms") is None
    assert phone.pk


def test_who_said_no_to_all_opted_out_with_or_without_an_address(account):
    opt_out(account, "email", "sms", "alimtalk")
    assert waived() == ["opted_out"]


def test_an_address_that_does_not_work_is_no_contact(account):
    alert_builders.email(account)
    suppressions.add(channel="email", address="minji@example.com", why="hard_bounce", now=NOW)
    assert waived() == ["no_contact"]


def test_fewer_points_than_any_reminder_is_for(programme):
    few, enough = builders.minji(programme), builders.jun(programme)
    alert_builders.email(few)
    alert_builders.email(enough, "jun@example.com")
    builders.grant(few, 99)
    builders.grant(enough, 60)
    builders.grant(enough, 40)
    assert waived() == ["below_least"]
    assert Notice.objects.get().account_id == few.pk


def test_whoever_can_be_told_is_not_waived(account):
    alert_builders.email(account)
    assert waived() == []
    assert Lot.objects.get().gated


def test_a_policy_that_accepts_none_gets_none(db):
    builders.grant(builders.minji(byeol()), 1_200)
    assert waived() == []


def test_a_programme_that_reminds_nobody_waives_nothing(db):
    builders.grant(builders.minji(builders.byeol(accepts_waivers=True)), 1_200)
    assert waived() == []


def test_it_is_bounded(programme, account):
    builders.grant(builders.jun(programme), 1_200)
    assert record_waivers(now=IN_TIME, limit=1) == Posted(1, 1, 0)
    assert record_waivers(now=IN_TIME, limit=1) == Posted(1, 1, 0)
    assert record_waivers(now=IN_TIME, limit=1) == Posted()
