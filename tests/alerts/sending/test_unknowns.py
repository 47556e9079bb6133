"""Unknown outcomes, by what the transport can do about them."""

from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.channels import Accepted
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Attempt, Contact, Delivery
from alerts.sending import deliveries, unknowns
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, on_channels, plan, the_delivery
from tests.alerts.carrier import can

SENT_AT = before(60)
MINUTE = timedelta(minutes=1)


def deliver(now=SENT_AT):
    return deliveries.deliver(now=now, limit=100)


def reap(now):
    return deliveries.reap(now=now, limit=100)


def outcomes():
    return list(Attempt.objects.order_by("number").values_list("outcome", "code"))


@pytest.fixture
def unknown(minji, byeol, carrier):
    """An SMS to Minji of which nobody knows whether it was sent. Minji could be written an e-mail, too."""
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "sms", "email")
    plan(SENT_AT)
    carrier.answers = [Unknown(answer="timeout")]
    deliver()
    assert the_delivery().status == "unknown"
    carrier.answers = []
    return minji


def test_with_a_key_it_is_sent_again_under_the_same_key_and_with_the_same_words(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    reap(SENT_AT)
    assert the_delivery().status == "unknown"  # not before its time
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    first, second = carrier.calls
    assert first == second
    assert outcomes() == [("unknown", "timeout"), ("accepted", "200")]
    assert Notice.objects.count() == 1


def test_with_a_key_it_is_sent_again_more_often_than_an_email_would_be(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(days=1))
    carrier.answers = [Unknown(), Unknown(), Unknown(), Accepted()]
    for hours in range(1, 7):
        reap(SENT_AT + timedelta(hours=hours))
        deliver(SENT_AT + timedelta(hours=hours))
    assert on_channels() == [("sms", "accepted", "")]
    assert [outcome for outcome, _ in outcomes()] == ["unknown"] * 4 + ["accepted"]
    assert len(set(carrier.calls)) == 1


def test_once_the_key_is_forgotten_nothing_is_sent_again(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    reap(SENT_AT + 10 * MINUTE)
    deliver(SENT_AT + 11 * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 1


def test_a_key_that_is_forgotten_between_the_decision_and_the_call_sends_nothing_either(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    reap(SENT_AT + 9 * MINUTE)
    assert the_delivery().status == "pending"
    deliver(SENT_AT + 10 * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 1


def test_other_words_are_not_sent_under_the_key_of_the_first(unknown, carrier):
    """The provider that knows the key sends nothing, and the notice would name points that nobody was told of."""
    carrier.can = can(idempotent_for=timedelta(days=1))
    builders.redeem(unknown, 200, now=SENT_AT + MINUTE)
    reap(SENT_AT + 2 * MINUTE)
    deliver(SENT_AT + 2 * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 1
    assert the_delivery().points_told == 1_200
    assert not Notice.objects.exists()


def test_what_was_throttled_after_an_unknown_call_is_unsolved_still(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    carrier.answers = [Throttled(retry_after=20 * MINUTE)]
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + MINUTE)
    assert the_delivery().status == "pending"
    deliver(SENT_AT + 30 * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 2


def test_with_a_look_up_that_finds_it_nothing_is_sent_again(unknown, carrier):
    carrier.can = can(can_look_up=True)
    carrier.looked_up = Accepted("200", "found", "no-77")
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + 2 * MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert len(carrier.calls) == 1
    assert carrier.looks == [the_delivery().pk]
    assert (the_delivery().provider_id, the_delivery().attempts) == ("no-77", 2)
    assert outcomes() == [("unknown", "timeout"), ("accepted", "look-up")]
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)


def test_with_a_look_up_that_does_not_it_is_sent_again_whatever_it_says_now(unknown, carrier):
    carrier.can = can(can_look_up=True)
    builders.redeem(unknown, 200, now=SENT_AT + MINUTE)
    reap(SENT_AT + 2 * MINUTE)
    assert outcomes() == [("unknown", "timeout"), ("not_sent", "look-up")]
    deliver(SENT_AT + 3 * MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert the_delivery().points_told == 1_000
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("error", [Unknown(), NotSent(transport_down=True)], ids=["unknown", "not sent"])
def test_a_provider_that_cannot_say_is_asked_again(unknown, carrier, error):
    carrier.can = can(can_look_up=True)
    carrier.looked_up = error
    reap(SENT_AT + MINUTE)
    reap(SENT_AT + 2 * MINUTE)
    assert (the_delivery().status, len(carrier.looks)) == ("unknown", 1)
    carrier.looked_up = Accepted("200")
    reap(SENT_AT + MINUTE + unknowns.LOOK_AGAIN)
    assert on_channels() == [("sms", "accepted", "")]
    assert len(carrier.calls) == 1


def test_a_look_up_that_is_overtaken_changes_nothing(unknown, carrier):
    """A worker asks, and pauses; meanwhile another one asked, sent again, and again nobody knows."""
    carrier.can = can(can_look_up=True)
    stale = the_delivery()
    reap(SENT_AT + MINUTE)
    carrier.answers = [Unknown()]
    deliver(SENT_AT + 2 * MINUTE)
    assert (the_delivery().status, the_delivery().attempts) == ("unknown", 3)
    assert not unknowns.solve(stale, None, code="look-up", now=SENT_AT + 3 * MINUTE)
    assert (the_delivery().status, the_delivery().attempts) == ("unknown", 3)
    assert len(outcomes()) == 3


def test_with_neither_an_sms_waits_for_a_person_and_no_other_channel_follows(unknown, carrier):
    for minutes in (1, 60, 600):
        reap(SENT_AT + minutes * MINUTE)
        deliver(SENT_AT + minutes * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 1
    assert not Notice.objects.exists()
    assert unknown.lots.get().gated


def test_with_neither_an_email_is_sent_again_three_times_in_all_and_then_no_other_channel_follows(unknown, carrier):
    carrier.can = can(send_again_after_unknown=True)
    carrier.answers = [Unknown()]
    for days in range(1, 8):
        reap(SENT_AT + timedelta(days=days))
        deliver(SENT_AT + timedelta(days=days))
    assert on_channels() == [("sms", "dead", "exhausted")]
    assert len(carrier.calls) == 3


def test_what_another_transport_left_unknown_is_not_asked_of_the_present_one(unknown, carrier):
    carrier.can = can(can_look_up=True, idempotent_for=timedelta(days=1))
    Delivery.objects.update(transport="another")
    reap(SENT_AT + MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert carrier.looks == []


def test_rejected_under_the_key_of_an_unknown_call_is_rejected_and_the_next_channel_follows(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    carrier.answers = [Rejected(), Accepted()]
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + MINUTE)
    assert on_channels() == [("sms", "failed", "refused"), ("email", "accepted", "")]


def corrected():
    contact = Contact.objects.get(channel="sms")
    contact.address = "+821099998888"
    contacts.rewrite(contact=contact, now=SENT_AT)


def test_under_the_key_of_the_first_nothing_goes_to_an_address_that_was_corrected_since(unknown, carrier):
    """The provider would send nothing, and the proof would name a number that nobody wrote to."""
    carrier.can = can(idempotent_for=timedelta(days=1))
    corrected()
    reap(SENT_AT + 2 * MINUTE)
    deliver(SENT_AT + 2 * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert len(carrier.calls) == 1


@pytest.mark.parametrize(("change", "asked"), [(lambda: None, "+821012345678"), (corrected, "")])
def test_a_look_up_is_not_narrowed_to_an_address_that_the_message_did_not_go_to(unknown, carrier, change, asked):
    """Else it would not be found, and be sent a second time."""
    carrier.can = can(can_look_up=True)
    carrier.looked_up = Accepted("200")
    narrowed = []
    real = carrier.look_up

    def look_up(self, key, *, to=""):
        narrowed.append(to)
        return real(self, key, to=to)

    carrier.look_up = look_up
    change()
    reap(SENT_AT + MINUTE)
    assert narrowed == [asked]
    assert on_channels() == [("sms", "accepted", "")]
