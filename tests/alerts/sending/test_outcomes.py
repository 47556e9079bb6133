"""What is written down of a call, together with what follows from it: both or nothing."""

from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.channels import Accepted
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Attempt, Contact, Delivery
from alerts.models.delivery import Status, Why
from alerts.sending import deliveries, outcomes
from alerts.sending.recheck import Stop
from tests import alert_builders
from tests.alert_builders import before, by_channels, on_channels, plan, the_delivery

NOW = before(60)


@pytest.fixture
def due(minji, byeol, carrier):
    alert_builders.phone(minji)
    by_channels(byeol, "sms", "email")
    plan(NOW)
    return minji


def test_what_is_noted_before_the_call_says_what_it_will_say(due, carrier):
    def look() -> None:
        said = the_delivery()
        assert (said.status, said.transport, said.attempts) == ("sending", "carrier", 1)
        assert said.variables["points"] == said.points_told == 1_200
        assert said.variables["last_day"] == "2026-03-31"
        assert "1,200P" in said.text
        assert len(said.text_hash) == 64

    carrier.answers = [look]
    deliveries.deliver(now=NOW, limit=10)
    assert (the_delivery().status, the_delivery().provider_id) == ("accepted", "no-1")


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (Rejected("no", answer="1"), "rejected", "failed"),
        (Throttled("later", answer="2"), "throttled", "pending"),
        (NotSent("lost", answer="3"), "not_sent", "pending"),
        (Unknown("?", answer="4"), "unknown", "unknown"),
        (ZeroDivisionError(), "unknown", "unknown"),
    ],
)
def test_each_of_the_four_errors_has_its_own_outcome_and_any_other_is_unknown(due, carrier, error, outcome, status):
    carrier.answers = [error]
    deliveries.deliver(now=NOW, limit=1)
    assert Attempt.objects.get().outcome == outcome
    assert on_channels()[0][1] == status


def test_when_the_next_channel_cannot_be_made_the_failure_is_not_noted_either(due, carrier, monkeypatch):
    def broken(delivery, *, now):
        raise ZeroDivisionError

    carrier.answers = [Rejected(), Accepted()]
    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "follow", broken)
        with pytest.raises(ZeroDivisionError):
            deliveries.deliver(now=NOW, limit=10)
    assert on_channels() == [("sms", "sending", "")]
    assert not Attempt.objects.exists()


def test_who_lost_the_lease_stops_nothing(due):
    (claimed,) = deliveries.claim(now=NOW, limit=1)
    later = NOW + 2 * deliveries.LEASE
    deliveries.reap(now=later, limit=10)
    outcomes.stopped(claimed, Stop(Status.SKIPPED, Why.NO_CONTACT), now=later)
    assert on_channels() == [("sms", "pending", "")]


def test_calls_are_never_later_than_the_expiry(due):
    delivery = the_delivery()
    delivery.attempts = 6
    soon = delivery.reminder.expires_at - timedelta(minutes=1)
    assert outcomes.next_call(delivery, now=soon) == delivery.reminder.expires_at


def test_an_address_that_was_corrected_during_the_call_is_not_the_one_that_is_refused(due, carrier):
    def correct() -> None:
        contact = Contact.objects.get(channel="sms")
        contact.address = "+821099998888"
        contacts.rewrite(contact=contact, now=NOW)
        raise Rejected(bad_address=True)

    carrier.answers = [correct, Accepted()]
    deliveries.deliver(now=NOW, limit=10)
    assert Contact.objects.get(channel="sms").refused_at is None
    assert [message.to for message in carrier.calls] == ["+821012345678", "+821099998888"]
    assert on_channels() == [("sms", "failed", "refused"), ("sms", "accepted", "")]


@pytest.mark.parametrize("days_left", [60, 0])
def test_who_is_put_off_with_all_others_waits_until_then_but_not_beyond_the_expiry(due, carrier, days_left):
    (delivery,) = deliveries.claim(now=NOW, limit=1)
    now = delivery.reminder.expires_at - timedelta(days=days_left, minutes=1)
    error = Throttled(retry_after=timedelta(hours=9), of_transport=True)
    delivery.status = Status.SENDING
    Delivery.objects.update(status=Status.SENDING)
    until = now + timedelta(minutes=15)
    outcomes.not_accepted(delivery, Contact.objects.get(channel="sms"), error, now=now, away_until=until)
    assert the_delivery().next_attempt_at == (until if days_left else delivery.reminder.expires_at)
