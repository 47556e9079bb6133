"""Unknown outcomes, by what the transport can do about them."""

from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.channels import TRANSPORTS, Accepted
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


def test_a_key_that_is_kept_for_minutes_is_used_as_long_as_it_is(unknown, carrier):
    """The third wait alone is as long as the provider keeps a key: whoever kept to it would never find out."""
    carrier.can = can(idempotent_for=timedelta(minutes=10))
    carrier.answers = [*[Unknown(answer="timeout")] * 3, Accepted()]
    waits = []
    for _again in range(3):
        due = the_delivery().next_attempt_at
        reap(due)
        deliver(due)
        waits.append((the_delivery().next_attempt_at - due).total_seconds())
    assert (the_delivery().status, len(carrier.calls)) == ("unknown", 4)
    assert 96 <= waits[0] < 150  # the table's second wait
    assert [29 < wait < 45 for wait in waits[1:]] == [True] * 2  # its third is ten minutes
    due = the_delivery().next_attempt_at
    reap(due)
    deliver(due)
    assert on_channels() == [("sms", "accepted", "")]
    assert len(set(carrier.calls)) == 1


def test_a_key_that_is_kept_for_long_hurries_nobody(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(days=1))
    carrier.answers = [Unknown(answer="timeout")] * 2
    for _again in range(2):
        due = the_delivery().next_attempt_at
        reap(due)
        deliver(due)
    assert 480 <= (the_delivery().next_attempt_at - due).total_seconds() < 730


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


def test_a_look_up_that_finds_that_it_failed_since_tells_nobody_and_the_next_channel_follows(unknown, carrier, minji):
    """A failure of which no report came: as if it had been refused at once."""
    carrier.can = can(can_look_up=True)
    carrier.looked_up = Rejected("taken, and it reached nobody", answer="3059")
    due = the_delivery().next_attempt_at
    reap(due)
    assert on_channels() == [("sms", "failed", "refused"), ("email", "pending", "")]
    assert outcomes() == [("unknown", "timeout"), ("rejected", "look-up")]
    assert not Notice.objects.exists()
    assert minji.lots.get().gated
    assert minji.member.contacts.get(channel="sms").refused_at is None


def test_nor_is_an_address_tried_again_that_it_says_is_dead(unknown, carrier, minji):
    carrier.can = can(can_look_up=True)
    carrier.looked_up = Rejected("nobody has this number", answer="3032", bad_address=True)
    due = the_delivery().next_attempt_at
    reap(due)
    assert on_channels() == [("sms", "failed", "refused"), ("email", "pending", "")]
    assert minji.member.contacts.get(channel="sms").refused_at is not None


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


# --- How far back a look-up sees, and for how long it is asked


def test_a_look_up_that_does_not_see_as_far_back_as_the_call_proves_nothing_and_nothing_is_sent_again(unknown, carrier):
    """Workers that were away for days would be told: there is no such message."""
    carrier.can = can(can_look_up=True, looks_back=timedelta(days=2))
    reap(SENT_AT + timedelta(days=3))
    deliver(SENT_AT + timedelta(days=3))
    assert on_channels() == [("sms", "unknown", "person")]
    assert (carrier.looks, len(carrier.calls)) == ([], 1)


@pytest.mark.parametrize(("minutes", "asked"), [(-61, True), (-60, False)])
def test_an_hour_is_left_for_clocks_that_differ(unknown, carrier, minutes, asked):
    carrier.can = can(can_look_up=True, looks_back=timedelta(days=2))
    reap(SENT_AT + timedelta(days=2) + minutes * MINUTE)
    assert (len(carrier.looks), the_delivery().status) == ((1, "pending") if asked else (0, "unknown"))


def test_what_was_throttled_after_such_a_call_is_not_sent_either(unknown, carrier):
    carrier.can = can(idempotent_for=timedelta(days=1), can_look_up=True, looks_back=timedelta(days=2))
    carrier.answers = [Throttled(retry_after=timedelta(days=3))]
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + MINUTE)
    deliver(SENT_AT + timedelta(days=4))
    assert on_channels() == [("sms", "unknown", "person")]
    assert (carrier.looks, len(carrier.calls)) == ([], 2)


@pytest.mark.parametrize("error", [Unknown(), NotSent(transport_down=True), AttributeError("a strange answer")])
def test_a_provider_that_never_can_say_is_asked_for_six_hours_and_then_a_person_is(unknown, carrier, error):
    carrier.can = can(can_look_up=True)
    carrier.looked_up = error
    for minutes in range(1, 10 * 60, 5):
        reap(SENT_AT + minutes * MINUTE)
    assert on_channels() == [("sms", "unknown", "person")]
    assert 72 <= len(carrier.looks) <= 74
    assert len(carrier.calls) == 1


def test_however_late_it_is_the_provider_is_asked_once(unknown, carrier):
    carrier.can = can(can_look_up=True)
    carrier.looked_up = Accepted("200")
    reap(SENT_AT + timedelta(days=1))
    assert on_channels() == [("sms", "accepted", "")]


def test_an_email_whose_look_up_never_answers_is_rather_sent_twice(unknown, carrier):
    carrier.can = can(can_look_up=True, looks_back=timedelta(days=2), send_again_after_unknown=True)
    carrier.looked_up = Unknown()
    for minutes in range(1, 7 * 60, 5):
        reap(SENT_AT + minutes * MINUTE)
    assert on_channels() == [("sms", "pending", "")]
    deliver(SENT_AT + timedelta(days=1))
    assert on_channels() == [("sms", "accepted", "")]
    assert len(carrier.calls) == 2


# --- A key and a look-up

BOTH = {"idempotent_for": timedelta(minutes=10), "can_look_up": True}


def test_with_both_the_key_is_used_while_it_holds(unknown, carrier):
    carrier.can = can(**BOTH)
    reap(SENT_AT + MINUTE)
    deliver(SENT_AT + MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert carrier.looks == []
    first, second = carrier.calls
    assert first == second
    assert outcomes() == [("unknown", "timeout"), ("accepted", "200")]


def test_with_both_the_provider_is_asked_once_the_key_is_forgotten(unknown, carrier):
    carrier.can = can(**BOTH)
    carrier.looked_up = Accepted("200")
    reap(SENT_AT + 10 * MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert (len(carrier.looks), len(carrier.calls)) == (1, 1)


def test_with_both_it_is_asked_when_the_key_is_forgotten_between_the_decision_and_the_call(unknown, carrier):
    carrier.can = can(**BOTH)
    carrier.looked_up = Accepted("200")
    reap(SENT_AT + 9 * MINUTE)
    assert the_delivery().status == "pending"
    deliver(SENT_AT + 10 * MINUTE)
    assert on_channels() == [("sms", "unknown", "")]
    reap(SENT_AT + 11 * MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert (len(carrier.looks), len(carrier.calls)) == (1, 1)


@pytest.mark.parametrize("rather_twice", [False, True])
@pytest.mark.parametrize("corrects", [False, True])
def test_with_both_it_is_asked_when_the_words_or_the_address_have_changed(unknown, carrier, corrects, rather_twice):
    """Under its key the provider would send nothing, and the proof would name what nobody got."""
    carrier.can = can(**BOTH | {"idempotent_for": timedelta(days=1)}, send_again_after_unknown=rather_twice)
    carrier.looked_up = Unknown()
    if corrects:
        corrected()
    else:
        builders.redeem(unknown, 200, now=SENT_AT + MINUTE)
    for minutes in (2, 3, 8, 9):
        reap(SENT_AT + minutes * MINUTE)
        deliver(SENT_AT + minutes * MINUTE)
    assert on_channels() == [("sms", "unknown", "changed")]
    assert (len(carrier.looks), len(carrier.calls)) == (2, 1)
    carrier.looked_up = None
    reap(SENT_AT + 20 * MINUTE)
    deliver(SENT_AT + 21 * MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    first, second = carrier.calls
    assert first.key == second.key
    assert (first.to == second.to) is not corrects
    assert the_delivery().points_told == (1_200 if corrects else 1_000)


def test_with_both_it_is_asked_when_the_tries_are_used_up(unknown, carrier, monkeypatch):
    carrier.can = can(**BOTH)
    carrier.looked_up = Accepted("200")
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    reap(SENT_AT + MINUTE)
    assert on_channels() == [("sms", "accepted", "")]
    assert (len(carrier.looks), len(carrier.calls)) == (1, 1)


def test_every_transport_that_can_be_asked_says_how_far_back_it_sees():
    """One that forgot to would be believed for ever that it knows of no such message."""
    found = {
        (name, channel): transport.capabilities(channel).looks_back
        for name, transport in TRANSPORTS.items()
        for channel in transport.carries
        if name != "sandbox" and transport.capabilities(channel).can_look_up
    }
    assert found == {
        (name, channel): timedelta(days=2) for name in ("solapi", "nhn") for channel in ("sms", "alimtalk")
    }
