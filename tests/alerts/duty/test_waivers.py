from datetime import timedelta

import pytest

from alerts.addresses import consents, contacts, suppressions
from alerts.duty import waivers
from alerts.duty.waivers import record_waivers
from alerts.models.contact import Channel
from alerts.posted import Posted
from ledger import accounts, notices
from ledger.actors import Actor
from ledger.kinds import Waiver
from ledger.models import Entry, Lot, Notice
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


def opt_out(account, *channels, given=False):
    for channel in channels:
        consents.say(
            member=account.member,
            channel=channel,
            purpose="notice",
            given=given,
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


def withdrawals():
    return list(Entry.objects.filter(kind="notify", undoes_seq__isnull=False).values_list("reason", "actor"))


UNTRUE = ("the waiver is not true any more", "alerts")


def test_an_address_on_no_channel_of_the_rules_is_no_reason_to_waive(account):
    alert_builders.phone(account)
    for days in (33, 30):
        assert waived(before(days)) == []
    assert Lot.objects.get().gated


def test_nor_one_whose_rule_is_too_late_for_the_duty(programme, account):
    alert_builders.phone(account)
    programme.reminder_rules.filter(offset_days=3).update(channels=["sms"])
    assert waived() == []
    programme.reminder_rules.filter(offset_days=3).update(channels=["email"])
    programme.reminder_rules.filter(offset_days=60).update(channels=["email", "sms"])
    assert waived() == []  # this one tells


def test_who_wants_none_on_any_channel_opted_out_whatever_the_rules_use(account):
    alert_builders.phone(account)
    opt_out(account, "email")
    assert waived() == []  # by text message they may be told
    opt_out(account, "sms")
    assert waived() == ["opted_out"]


def test_few_points_are_measured_by_the_rules_that_reach(programme, account):
    programme.reminder_rules.filter(offset_days=60).update(channels=["sms"], least_points=2_000)
    alert_builders.phone(account)
    assert waived() == ["below_least"]


def test_few_points_are_few_where_no_rule_reaches_either(programme):
    few = builders.minji(programme)
    alert_builders.phone(few)
    builders.grant(few, 99)
    assert waived() == ["below_least"]


def test_a_waiver_that_is_not_true_any_more_is_withdrawn_while_there_is_time_to_tell(account):
    assert waived() == ["no_contact"]
    alert_builders.email(account)
    assert record_waivers(now=before(30), limit=100) == Posted(1, 1, 0)
    assert withdrawals() == [UNTRUE]
    assert Lot.objects.get().gated
    assert record_waivers(now=before(30), limit=100) == Posted()


def test_later_it_stays(account):
    assert waived() == ["no_contact"]
    alert_builders.email(account)
    assert record_waivers(now=before(29), limit=100) == Posted()
    assert withdrawals() == []
    assert not Lot.objects.get().gated


def test_one_that_is_true_stays(account):
    for days in (33, 32, 30):
        assert waived(before(days)) == ["no_contact"]
    assert withdrawals() == []


def test_who_wants_notices_again_has_opted_out_no_more(account):
    alert_builders.email(account)
    opt_out(account, "email")
    assert waived() == ["opted_out"]
    opt_out(account, "email", given=True)
    assert waived(before(32)) == ["opted_out"]
    assert withdrawals() == [UNTRUE]
    assert Lot.objects.get().gated


def test_points_for_which_there_is_a_reminder_by_now_are_below_nothing(programme):
    few = builders.minji(programme)
    alert_builders.email(few)
    builders.grant(few, 60)
    assert waived() == ["below_least"]
    programme.reminder_rules.filter(offset_days=33).update(least_points=60)
    assert waived(before(32)) == ["below_least"]
    assert withdrawals() == [UNTRUE]
    assert Lot.objects.get().gated


def test_another_reason_takes_its_place_at_once(account):
    assert waived() == ["no_contact"]
    opt_out(account, "email", "sms", "alimtalk")
    assert record_waivers(now=before(30), limit=100) == Posted(2, 2, 0)
    assert list(Notice.objects.order_by("pk").values_list("waiver", flat=True)) == ["no_contact", "opted_out"]
    assert withdrawals() == [UNTRUE]
    assert not Lot.objects.get().gated


def test_what_becomes_true_once_more_on_the_same_day_is_waived_once_more(account):
    assert waived(before(30)) == ["no_contact"]
    contact = alert_builders.email(account)
    waived(before(30))
    assert Lot.objects.get().gated
    contacts.erase(contact=contact)
    assert waived(before(30)) == ["no_contact", "no_contact"]
    assert not Lot.objects.get().gated
    assert withdrawals() == [UNTRUE]


def test_an_address_on_no_channel_of_the_rules_ends_a_waiver_too(account):
    assert waived() == ["no_contact"]
    alert_builders.phone(account)
    assert waived(before(32)) == ["no_contact"]
    assert withdrawals() == [UNTRUE]
    assert Lot.objects.get().gated


def test_without_a_rule_in_time_nothing_is_taken_back(programme, account):
    assert waived() == ["no_contact"]
    alert_builders.email(account)
    programme.reminder_rules.filter(offset_days__gte=30).delete()
    assert record_waivers(now=before(32), limit=100) == Posted()
    assert not Lot.objects.get().gated


def test_a_waiver_that_somebody_else_recorded_is_theirs(account):
    lot = Lot.objects.get()
    assert lot.expires_at is not None
    notices.waive(
        account=account,
        lots=[lot.pk],
        expires_at=lot.expires_at,
        told_on=IN_TIME.date(),
        waiver=Waiver.OPTED_OUT,
        evidence="a letter",
        now=IN_TIME,
        key="letter:1",
        by=builders.STAFF,
    )
    alert_builders.email(account)
    assert record_waivers(now=IN_TIME, limit=100) == Posted()
    assert not Lot.objects.get().gated


def test_withdrawing_is_bounded(programme, account):
    other = builders.jun(programme)
    builders.grant(other, 1_200)
    assert waived() == ["no_contact", "no_contact"]
    alert_builders.email(account)
    alert_builders.email(other, "jun@example.com")
    assert record_waivers(now=IN_TIME, limit=1) == Posted(1, 1, 0)
    assert record_waivers(now=IN_TIME, limit=1) == Posted(1, 1, 0)
    assert record_waivers(now=IN_TIME, limit=1) == Posted()


class Slow:
    """Time that passes whenever somebody looks: ten seconds."""

    def __init__(self, now):
        self.seconds = 0

    @property
    def spent(self):
        self.seconds += 10
        return timedelta(seconds=self.seconds)


def test_no_act_is_begun_when_the_time_of_a_tick_is_used_up(programme, account, monkeypatch):
    others = [alert_builders.member(programme, f"member-{number}", 1_200) for number in range(3)]
    for contact in others[0].member.contacts.all():
        contacts.erase(contact=contact)
    for contact in others[1].member.contacts.all():
        contacts.erase(contact=contact)
    assert len(waived()) == 3
    for number, each in enumerate((account, *others[:2])):
        alert_builders.email(each, f"new-{number}@example.com")
    monkeypatch.setattr(waivers, "Stopwatch", Slow)
    assert record_waivers(now=IN_TIME, limit=100) == Posted(2, 2, 0)
    assert len(withdrawals()) == 2
    assert record_waivers(now=IN_TIME, limit=100) == Posted(1, 1, 0)
    for number in range(3):
        builders.grant(accounts.open_account(programme=programme, reference=f"new-{number}"), 500)
    assert record_waivers(now=IN_TIME, limit=100) == Posted(2, 2, 0)
    assert record_waivers(now=IN_TIME, limit=100) == Posted(1, 1, 0)
