"""A reminder that told nobody is made once more, when somebody can be told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.addresses import consents, contacts
from alerts.errors import Rejected
from alerts.models import Delivery
from alerts.models.contact import Channel
from alerts.rules import programme_rules
from alerts.sending import decisions, deliveries, renewing
from ledger import expiry
from ledger.actors import Actor
from ledger.models import Entry
from tests import alert_builders, builders
from tests.alert_builders import before, on_channels, plan
from tests.looking import plan_of

SENT_AT = before(3)
LATER = SENT_AT + timedelta(hours=2)
STAFF = Actor("staff", "3")

pytestmark = pytest.mark.django_db


def renew(now=LATER) -> int:
    return renewing.renew(now=now, limit=100)


def deliver(now) -> int:
    return deliveries.deliver(now=now, limit=100)


@pytest.fixture
def minji(carrier):
    """Minji has points in Moa, which has no duty to tell, and an address; a reminder three days before is planned."""
    moa = alert_builders.moa(3)
    account = alert_builders.minji(moa)
    builders.grant(account, 1_200)
    plan(SENT_AT)
    return account


def word(account, *, given: bool, now=SENT_AT, channel="email") -> None:
    consents.say(
        member=account.member, channel=channel, purpose="notice", given=given, source="page", by=STAFF, now=now
    )


def test_who_had_no_address_at_the_time_is_told_when_there_is_one_and_before_the_points_go(minji, carrier):
    contacts.erase(contact=minji.member.contacts.get())
    deliver(SENT_AT)
    assert on_channels() == [("email", "skipped", "no_contact")]
    assert renew() == 0  # nobody can be told yet
    alert_builders.email(minji, "new@example.com")
    assert renew() == 1
    deliver(LATER)
    assert on_channels() == [("email", "skipped", "no_contact"), ("email", "accepted", "")]
    assert [message.to for message in carrier.taken] == ["new@example.com"]
    assert renew(LATER + timedelta(hours=2)) == 0  # told once
    assert len(carrier.taken) == 1


def test_who_wanted_no_messages_and_wants_them_again_is_told(minji, carrier):
    word(minji, given=False)
    deliver(SENT_AT)
    assert on_channels() == [("email", "skipped", "opted_out")]
    assert renew() == 0
    word(minji, given=True, now=SENT_AT + timedelta(minutes=5))
    assert renew() == 1
    deliver(LATER)
    assert [message.to for message in carrier.taken] == ["minji@example.com"]


def test_a_refused_address_is_not_tried_again_and_the_right_one_is(minji, carrier):
    carrier.answers = [Rejected(bad_address=True)]
    deliver(SENT_AT)
    carrier.answers = []
    assert on_channels() == [("email", "failed", "refused")]
    minji.member.contacts.update(refused_at=None)  # it could be written to, and was
    assert renew() == 0
    alert_builders.email(minji, "right@example.com")
    assert renew() == 1
    deliver(LATER)
    assert [message.to for message in carrier.taken] == ["right@example.com"]


def test_another_channel_of_the_rule_will_do(minji, carrier):
    alert_builders.by_channels(minji.programme, "email", "sms")
    carrier.answers = [Rejected()]
    deliver(SENT_AT)
    carrier.answers = []
    alert_builders.phone(minji)
    assert renew() == 1
    deliver(LATER)
    assert on_channels() == [("email", "failed", "refused"), ("sms", "accepted", "")]


def test_points_that_come_back_are_told_of(carrier):
    """To the lot that they came from, whose date is further away than what comes back lives at least."""
    moa = builders.moa(restored_floor_days=1)
    programme_rules.remind(programme=moa, offset_days=3)
    minji = alert_builders.minji(moa)
    builders.grant(minji, 1_200)
    plan(SENT_AT)
    spent = builders.redeem(minji, 1_200, key="all", now=SENT_AT)
    assert not spent.declined
    deliver(SENT_AT)
    assert on_channels() == [("email", "skipped", "redeemed")]
    assert renew() == 0
    builders.refund(minji, 1_200, undoes="all", now=SENT_AT + timedelta(hours=1))
    assert minji.lots.get(open=True).expires_at == alert_builders.EXPIRES_AT
    assert renew() == 1
    deliver(LATER)
    assert on_channels() == [("email", "skipped", "redeemed"), ("email", "accepted", "")]
    assert [message.to for message in carrier.taken] == ["minji@example.com"]


def test_what_a_person_stopped_what_waits_and_what_was_told_are_left_alone(minji, carrier):
    alert_builders.email(minji, "second@example.com")
    assert renew() == 0  # it waits
    decisions.cancel(delivery=Delivery.objects.get(), by=STAFF, why="asked to", now=SENT_AT)
    assert renew() == 0
    Delivery.objects.update(status="dead", why="stopped")
    assert renew() == 0
    Delivery.objects.update(status="unknown", why="")
    assert renew() == 0


def test_nothing_is_made_for_a_date_that_is_past_an_account_that_is_closed_or_a_rule_that_is_gone(minji):
    word(minji, given=False)
    deliver(SENT_AT)
    word(minji, given=True, now=SENT_AT + timedelta(minutes=5))
    assert renew(alert_builders.EXPIRES_AT) == 0
    minji.programme.reminder_rules.update(least_points=1_201)
    assert renew() == 0
    minji.programme.reminder_rules.all().delete()
    assert renew() == 0
    assert Delivery.objects.count() == 1


def test_where_the_look_finds_nothing_to_send_it_rests_for_an_hour_and_is_not_made_for_ever(minji, monkeypatch):
    """As where the statement and the look before sending do not agree."""
    word(minji, given=False)
    deliver(SENT_AT)
    word(minji, given=True, now=SENT_AT + timedelta(minutes=5))
    now, made = LATER, 0
    for _ in range(30):
        made += renew(now)
        assert renew(now + timedelta(minutes=59)) == 0
        Delivery.objects.filter(status="pending").update(status="skipped", why="no_contact")
        now += timedelta(minutes=61)
    assert made == renewing.MOST
    assert Delivery.objects.count() == 1 + renewing.MOST


def test_with_the_ticks_the_member_is_told_and_the_points_go(minji, carrier):
    word(minji, given=False)
    deliver(SENT_AT)
    word(minji, given=True, now=SENT_AT + timedelta(minutes=5))
    for hours in range(100):
        now = SENT_AT + timedelta(hours=hours)
        alert_builders.tick(now)
        renew(now)
        expiry.sweep_all(now=now)
    assert len(carrier.taken) == 1
    assert list(Entry.objects.order_by("seq").values_list("kind", flat=True)) == ["grant", "notify", "expire"]


def test_it_goes_by_the_index_of_those_that_told_nobody(minji):
    with CaptureQueriesContext(connection) as asked:
        renew()
    (statement,) = [query["sql"] for query in asked if "DISTINCT ended" in query["sql"]]
    plan_of_it = plan_of(statement)
    assert " delivery_told_nobody on " in plan_of_it, plan_of_it


def test_a_number_for_text_messages_counts_only_where_the_rule_uses_it(minji):
    contacts.erase(contact=minji.member.contacts.get())
    deliver(SENT_AT)
    alert_builders.phone(minji, channel=Channel.SMS)
    assert renew() == 0
