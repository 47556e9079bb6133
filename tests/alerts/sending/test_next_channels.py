"""After a definite failure the next channel; after anything else none."""

from datetime import time, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from alerts.addresses import contacts
from alerts.channels import Accepted
from alerts.errors import NotSent, Rejected, Throttled
from alerts.models import Delivery, ReminderRule, Suppression, TellingRules
from alerts.models.contact import Channel
from alerts.sending import deliveries
from alerts.sending.next_channels import follow
from alerts.sending.retries import MOST_CALLS
from tests import alert_builders, builders
from tests.alert_builders import before, by_channels, on_channels, plan
from tests.alerts.carrier import can

NOW = before(60)


def deliver(now=NOW):
    return deliveries.deliver(now=now, limit=100)


@pytest.fixture
def minji(minji):
    """Minji can be told on all three channels."""
    alert_builders.phone(minji)
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    return minji


@pytest.fixture
def planned(minji, byeol):
    """AlimTalk first, then SMS, then e-mail."""
    by_channels(byeol, "alimtalk", "sms", "email")
    plan(NOW)
    return minji


def test_what_is_rejected_is_followed_by_the_next_channel_at_once(planned, carrier):
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("sms", "accepted", "")]
    assert len(carrier.taken) == 1


def test_each_channel_is_tried_once_and_then_no_more(planned, carrier):
    carrier.answers = [Rejected()]
    for _ in range(3):
        deliver()
    assert [channel for channel, _, _ in on_channels()] == ["alimtalk", "sms", "email"]
    assert len(carrier.calls) == 3


def test_a_channel_on_which_the_member_cannot_be_reached_is_passed_over(planned, carrier):
    contacts.refuse(contact=planned.member.contacts.get(channel="sms"), now=NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("email", "accepted", "")]


def test_a_number_that_is_suppressed_between_plan_and_sending_is_followed_by_the_next_channel(planned, carrier):
    Suppression.objects.create(channel="alimtalk", address="+821012345678", why="complaint", at=NOW)
    deliver()
    assert on_channels() == [("alimtalk", "skipped", "suppressed"), ("sms", "accepted", "")]


def test_what_is_not_worth_sending_is_followed_by_nothing(planned, carrier):
    builders.redeem(planned, 1_200, now=NOW)
    deliver()
    assert on_channels() == [("alimtalk", "skipped", "redeemed")]


def test_calls_that_are_used_up_are_followed_by_the_next_channel(planned, carrier):
    TellingRules.objects.create(programme=planned.programme, open_from=time(), open_until=time())  # at any hour
    carrier.answers = [Throttled()]
    now = NOW
    for _ in range(MOST_CALLS):
        deliver(now)
        now = Delivery.objects.get(channel="alimtalk").next_attempt_at
    first, second = on_channels()
    assert first == ("alimtalk", "dead", "exhausted")
    assert second[:2] == ("sms", "pending")


@pytest.mark.parametrize("error", [Throttled(), NotSent(), NotSent(transport_down=True)])
def test_what_will_be_tried_again_is_followed_by_nothing(planned, carrier, error):
    carrier.answers = [error]
    deliver()
    assert on_channels() == [("alimtalk", "pending", "")]


def test_where_the_provider_falls_back_to_sms_itself_we_send_none(planned, carrier):
    carrier.can = can(falls_back_itself=True)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert on_channels() == [("alimtalk", "failed", "refused"), ("email", "accepted", "")]


def test_of_two_channels_at_once_the_one_that_fails_is_replaced_and_the_other_is_not(minji, byeol, carrier):
    by_channels(byeol, "alimtalk", "sms", "email", at_once=2)
    plan(NOW)
    carrier.answers = [Rejected(), Accepted()]
    deliver()
    assert sorted(status for _, status, _ in on_channels()) == ["accepted", "accepted", "failed"]
    assert len({channel for channel, _, _ in on_channels()}) == 3


def test_a_rule_that_was_removed_is_followed_by_nothing(planned):
    ReminderRule.objects.all().delete()
    (delivery,) = Delivery.objects.all()
    Delivery.objects.update(status="failed")
    with transaction.atomic():
        assert follow(delivery, now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_asked_for_by_six_at_once_one_message_follows(carrier):
    programme = alert_builders.byeol()
    account = alert_builders.minji(programme)
    alert_builders.phone(account)
    builders.grant(account, 5)
    by_channels(programme, "sms", "email")
    plan(NOW)
    delivery = alert_builders.the_delivery()
    Delivery.objects.update(status="failed")
    ready, made = Barrier(6), []

    def ask() -> None:
        ready.wait(10)
        with transaction.atomic():
            made.append(follow(delivery, now=NOW + timedelta(seconds=1)))
        connection.close()

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made, key=str) == [None] * 5 + ["email"]
    assert [channel for channel, _, _ in on_channels()] == ["sms", "email"]
