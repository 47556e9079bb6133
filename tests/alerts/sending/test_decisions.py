"""What a person does with a delivery."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from alerts.errors import BadInput, Unknown
from alerts.models import Attempt, ProviderEvent
from alerts.sending import deliveries
from alerts.sending.deliveries import Decision
from ledger.actors import Actor
from ledger.models import Notice
from tests import alert_builders
from tests.alert_builders import LAST_DAY, before, on_channels, plan, the_delivery

SENT_AT = before(60)
LATER = SENT_AT + timedelta(hours=3)
BY = Actor("staff", "3")


@pytest.fixture
def held(minji, byeol, carrier):
    """An SMS of which nobody knows whether it was sent: it waits for a person."""
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "sms", "email")
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=SENT_AT + timedelta(minutes=1), limit=10)
    assert on_channels() == [("sms", "unknown", "person")]
    carrier.answers = []
    return minji


def decide(decision, why="asked the provider"):
    return deliveries.decide_by_hand(delivery=the_delivery(), decision=decision, by=BY, why=why, now=LATER)


def kept():
    event = ProviderEvent.objects.get()
    assert (event.transport, event.our_key, event.delivery_id) == ("by hand", str(the_delivery().pk), the_delivery().pk)
    return json.loads(event.raw)


def test_what_was_sent_is_a_notice_of_the_day_of_the_call(held, carrier):
    assert decide(Decision.SENT).status == "accepted"
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)
    assert kept() == {"decision": "sent", "by": "staff:3", "why": "asked the provider"}
    assert list(Attempt.objects.order_by("number").values_list("outcome", "code")) == [
        ("unknown", ""),
        ("accepted", "by hand"),
    ]
    assert len(carrier.calls) == 1


def test_what_was_not_sent_is_sent_again(held, carrier):
    assert decide(Decision.NOT_SENT).status == "pending"
    assert not Notice.objects.exists()
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [("sms", "accepted", "")]
    assert len(carrier.calls) == 2


def test_what_nobody_knows_is_left_and_no_other_channel_follows(held, carrier):
    assert decide(Decision.GIVE_UP, "nobody answers").status == "dead"
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [("sms", "dead", "stopped")]
    assert not Notice.objects.exists()
    assert kept()["why"] == "nobody answers"


def test_no_address_stands_in_a_reason_that_stays_for_good(held):
    decide(Decision.GIVE_UP, "minji@example.com, 010-1234-5678, does not answer")
    assert kept() == {"decision": "give_up", "by": "staff:3", "why": "…, …, does not answer"}


@pytest.mark.parametrize(
    ("decision", "why", "field"), [("perhaps", "x", "decision"), ("sent", " ", "why"), ("sent", "x" * 201, "why")]
)
def test_a_decision_without_its_parts_is_refused_and_nothing_is_written(held, decision, why, field):
    with pytest.raises(BadInput) as refused:
        decide(decision, why)
    assert refused.value.field == field
    assert on_channels() == [("sms", "unknown", "person")]
    assert not ProviderEvent.objects.exists()


def test_two_people_decide_once(held):
    decide(Decision.SENT)
    with pytest.raises(BadInput, match="delivery: The delivery must be unknown"):
        decide(Decision.NOT_SENT)
    assert Notice.objects.count() == ProviderEvent.objects.count() == 1


def test_a_decision_cannot_be_changed_afterwards(held):
    decide(Decision.SENT)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ProviderEvent.objects.update(raw="{}")


def test_a_delivery_that_waits_can_be_stopped_and_is_not_sent(minji, carrier):
    plan(SENT_AT)
    stopped = deliveries.cancel(delivery=the_delivery(), by=BY, why="a wrong text", now=SENT_AT)
    assert (stopped.status, stopped.why) == ("cancelled", "stopped")
    deliveries.deliver(now=LATER, limit=10)
    assert carrier.calls == []
    assert kept() == {"decision": "cancelled", "by": "staff:3", "why": "a wrong text"}
    with pytest.raises(BadInput, match="must be pending"):
        deliveries.cancel(delivery=the_delivery(), by=BY, why="again", now=LATER)


def test_one_that_may_have_been_sent_already_cannot_be_stopped(minji, carrier):
    carrier.can = carrier.can.__class__(timedelta(seconds=5), send_again_after_unknown=True)
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=SENT_AT + timedelta(minutes=1), limit=10)
    assert the_delivery().status == "pending"
    with pytest.raises(BadInput, match="may have been sent"):
        deliveries.cancel(delivery=the_delivery(), by=BY, why="a wrong text", now=LATER)
    assert the_delivery().status == "pending"
