"""The breaker of a transport, and that an outage costs no delivery its tries."""

from datetime import timedelta

import pytest

from alerts.channels import TRANSPORTS, Accepted
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Attempt, Delivery, Transport
from alerts.sending import deliveries
from alerts.sending.breakers import FAILURES, WAITS, Gate, Passage
from alerts.sending.retries import MOST_CALLS
from tests import alert_builders
from tests.alert_builders import before, on_channels, plan, the_delivery
from tests.alerts.carrier import Carrier

NOW = before(60)
CALL = timedelta(seconds=5)
FREE, SHUT = Passage(frozenset({"smtp"}), frozenset()), Passage(frozenset(), frozenset())
TRIED = Passage(frozenset(), frozenset({"smtp"}))

pytestmark = pytest.mark.django_db


def look(now=NOW):
    return Gate().look(["smtp"], now=now)


def fail(now=NOW, *, away=False):
    gate = Gate()
    gate.look(["smtp"], now=now)
    return gate.failed("smtp", now=now, away=away)


def waits():
    """How long the breaker stays open, in seconds."""
    until = Transport.objects.get().open_until
    assert until is not None
    return (until - NOW).total_seconds()


def test_a_transport_that_nobody_complained_of_is_free_and_has_no_row():
    assert look() == FREE
    Gate().came_through("smtp")
    assert not Transport.objects.exists()


def test_failures_in_a_row_open_it():
    assert [fail() for _ in range(FAILURES - 1)] == [None] * (FAILURES - 1)
    assert look() == FREE
    assert fail() is not None
    assert look() == SHUT
    assert 24 <= waits() <= 36


def test_where_nobody_is_there_one_call_is_enough():
    assert fail(away=True) is not None
    assert look() == SHUT


def test_an_answer_between_them_ends_the_row():
    for _ in range(FAILURES - 1):
        fail()
    gate = Gate()
    gate.look(["smtp"], now=NOW)
    gate.came_through("smtp")
    assert fail() is None
    assert Transport.objects.get().failures == 1


def test_an_answer_from_before_it_was_sent_away_ends_no_rest():
    early, other = Gate(), Gate()
    fail()
    early.look(["smtp"], now=NOW)
    other.look(["smtp"], now=NOW)
    until = other.rest("smtp", now=NOW, wait=timedelta(minutes=10))
    early.came_through("smtp")
    assert Transport.objects.get().open_until == until
    assert look() == SHUT


def test_of_several_that_fail_together_only_the_first_counts():
    fail(away=True)
    until = Transport.objects.get().open_until
    assert [fail(away=True) for _ in range(7)] == [until] * 7
    assert Transport.objects.get().failures == FAILURES


def test_after_its_time_one_worker_tries_it_and_the_others_leave_it_alone():
    fail(away=True)
    later = NOW + timedelta(minutes=1)
    first, second = Gate(), Gate()
    assert first.look(["smtp"], now=later) == second.look(["smtp"], now=later) == TRIED
    assert first.enter("smtp", now=later, longest_call=CALL)
    assert not second.enter("smtp", now=later, longest_call=CALL)
    assert look(later) == SHUT
    first.came_through("smtp")
    assert look(later) == FREE


def test_who_dies_in_the_try_leaves_it_open_for_twice_a_call():
    fail(away=True)
    later = NOW + timedelta(minutes=1)
    gate = Gate()
    gate.look(["smtp"], now=later)
    gate.enter("smtp", now=later, longest_call=CALL)
    assert look(later + 2 * CALL - timedelta(seconds=1)) == SHUT
    assert look(later + 2 * CALL) == TRIED


def test_each_try_that_fails_makes_it_wait_longer_up_to_ten_minutes():
    now, waited = NOW, []
    for _ in range(len(WAITS) + 2):
        gate = Gate()
        gate.look(["smtp"], now=now)
        gate.enter("smtp", now=now, longest_call=CALL)
        until = gate.failed("smtp", now=now, away=True)
        assert until is not None
        waited.append((until - now).total_seconds())
        now = until
    for seconds, wait in zip(waited, [*WAITS, WAITS[-1], WAITS[-1]], strict=True):
        assert 0.8 * wait.total_seconds() <= seconds <= 1.2 * wait.total_seconds()


def test_a_transport_that_a_person_stopped_is_shut_and_not_tried():
    Transport.objects.create(name="smtp", stopped_at=NOW)
    assert look() == SHUT
    fail(away=True)
    later = NOW + timedelta(hours=1)
    assert look(later) == SHUT
    gate = Gate()
    gate._tried = frozenset({"smtp"})
    assert not gate.enter("smtp", now=later, longest_call=CALL)


# --- In the line


@pytest.fixture
def three(byeol):
    """Three members whose reminders are due."""
    for n in range(3):
        alert_builders.member(byeol, f"member-{n}", 100)
    plan(NOW)


def deliver(now=NOW):
    return deliveries.deliver(now=now, limit=100)


def statuses():
    return sorted(Delivery.objects.values_list("status", "attempts"))


def test_a_transport_that_comes_back_is_tried_though_another_is_busy(byeol, three, carrier, settings, monkeypatch):
    other = Carrier.fresh()
    monkeypatch.setitem(TRANSPORTS, "other", other)
    monkeypatch.setattr(other, "name", "other")
    settings.TRANSPORTS = {"email": "carrier", "sms": "other", "alimtalk": "other"}
    sora = alert_builders.member(byeol, "sora", 100)
    alert_builders.phone(sora)
    sora.member.contacts.filter(channel="email").delete()
    alert_builders.by_channels(byeol, "email", "sms")
    plan(NOW)
    Transport.objects.create(name="other", open_until=NOW - timedelta(seconds=1))
    assert deliveries.deliver(now=NOW, limit=3) == 3
    assert (len(other.calls), len(carrier.calls)) == (1, 2)


def test_an_outage_burns_no_tries_however_long_it_lasts(three, carrier):
    carrier.answers = [NotSent("away", transport_down=True)]
    now = NOW
    for _ in range(60):
        deliver(now)
        now += timedelta(minutes=10)
    assert {status for status, _ in statuses()} == {"pending"}
    carrier.answers = []
    deliver(now + timedelta(minutes=10))
    assert {status for status, _ in statuses()} == {"accepted"}
    assert len(carrier.taken) == 3


def test_while_it_is_open_nobody_calls(three, carrier):
    carrier.answers = [NotSent("away", transport_down=True)]
    assert deliver() == 1
    assert deliver(NOW + timedelta(seconds=20)) == 0
    assert len(carrier.calls) == 1
    assert statuses() == [("pending", 0), ("pending", 0), ("pending", 1)]


def test_half_open_lets_one_through_and_the_rest_follows_when_it_is_answered(three, carrier):
    carrier.answers = [NotSent("away", transport_down=True)]
    deliver()
    later = NOW + timedelta(minutes=1)
    assert deliver(later) == 1
    assert len(carrier.calls) == 2
    carrier.answers = []
    assert deliver(later + timedelta(minutes=2)) == 3
    assert (Transport.objects.get().failures, Transport.objects.get().open_until) == (0, None)


def test_half_open_stays_so_when_its_message_could_not_even_be_called_for(three, carrier):
    carrier.answers = [NotSent("away", transport_down=True)]
    deliver()
    later = NOW + timedelta(minutes=1)
    carrier.answers = [Rejected("not this number", asked=False)]
    assert deliver(later) == 1
    assert statuses()[0] == ("failed", 1)
    row = Transport.objects.get()
    assert row.failures > 0
    assert row.open_until is not None
    assert row.open_until > later  # until the time of a call is over: nobody has seen the provider
    carrier.answers = [Rejected("not this address")]
    assert deliver(row.open_until) == 2
    assert (Transport.objects.get().failures, Transport.objects.get().open_until) == (0, None)


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


def test_a_worker_that_is_killed_in_the_try_holds_the_others_up_for_two_calls_and_no_longer(three, carrier):
    carrier.answers = [NotSent("away", transport_down=True)]
    deliver()
    later = NOW + timedelta(minutes=1)
    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliver(later)
    carrier.answers = []
    assert deliver(later + 2 * CALL - timedelta(seconds=1)) == 0
    assert deliver(later + 2 * CALL + timedelta(seconds=30)) == 2
    assert statuses() == [("accepted", 1), ("accepted", 2), ("sending", 1)]  # the last one's lease still runs
    assert (Transport.objects.get().failures, Transport.objects.get().open_until) == (0, None)


@pytest.mark.parametrize("error", [Unknown(), NotSent()], ids=["unknown", "not sent"])
def test_calls_that_come_to_nothing_one_after_the_other_open_it(byeol, carrier, error):
    for n in range(FAILURES + 3):
        alert_builders.member(byeol, f"member-{n}", 100)
    plan(NOW)
    carrier.answers = [error]
    deliver()
    assert len(carrier.calls) == FAILURES
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0] * 3 + [1] * FAILURES


@pytest.mark.parametrize("error", [Rejected(), Throttled()], ids=["rejected", "throttled"])
def test_an_answer_is_an_answer_though_it_is_no(byeol, carrier, error):
    for n in range(FAILURES + 3):
        alert_builders.member(byeol, f"member-{n}", 100)
    plan(NOW)
    carrier.answers = [error]
    deliver()
    assert len(carrier.calls) == FAILURES + 3
    assert not Transport.objects.exists()


def test_one_transport_that_is_away_does_not_hold_up_another(minji, byeol, carrier, sink, settings):
    alert_builders.by_channels(byeol, "email", "sms", at_once=2)
    alert_builders.phone(minji)
    settings.TRANSPORTS = {"email": "smtp", "sms": carrier.name, "alimtalk": carrier.name}
    plan(NOW)
    sink.stop()
    deliver()
    assert sorted(on_channels()) == [("email", "pending", ""), ("sms", "accepted", "")]


def test_a_stopped_transport_keeps_its_messages_and_sends_them_when_it_is_let_go(minji, carrier):
    plan(NOW)
    Transport.objects.create(name=carrier.name, stopped_at=NOW)
    assert deliver() == 0
    assert (the_delivery().status, carrier.calls) == ("pending", [])
    Transport.objects.update(stopped_at=None)
    assert deliver() == 1
    assert Attempt.objects.get().outcome == "accepted"


# --- A provider that asks to be left alone


def rest(now=NOW, *, seconds=300):
    gate = Gate()
    gate.look(["smtp"], now=now)
    return gate.rest("smtp", now=now, wait=timedelta(seconds=seconds))


def test_who_asks_for_a_rest_is_left_alone_for_so_long_by_everybody_and_has_not_failed():
    assert rest() == NOW + timedelta(minutes=5)
    assert Transport.objects.get().failures == 0
    assert look(NOW + timedelta(seconds=299)) == SHUT
    assert look(NOW + timedelta(seconds=300)) == TRIED


@pytest.mark.parametrize(("asked", "given"), [(0, 5), (2, 5), (300, 300), (86_400, 900)])
def test_a_rest_is_neither_shorter_nor_longer_than_we_mean_it(asked, given):
    assert rest(seconds=asked) == NOW + timedelta(seconds=given)


def test_of_two_rests_the_longer_one_counts():
    rest(seconds=600)
    assert rest(seconds=60) == NOW + timedelta(minutes=10)
    assert rest(seconds=800) == NOW + timedelta(seconds=800)


def test_after_a_rest_one_message_tries_it_and_its_answer_lets_all_others_through():
    until = rest()
    first, second = Gate(), Gate()
    assert first.look(["smtp"], now=until) == second.look(["smtp"], now=until) == TRIED
    assert first.enter("smtp", now=until, longest_call=CALL)
    assert not second.enter("smtp", now=until, longest_call=CALL)
    first.came_through("smtp")
    assert look(until) == FREE
    assert Transport.objects.get().open_until is None


def test_who_tries_it_and_is_asked_again_waits_as_long_as_it_is_asked_now():
    until = rest()
    gate = Gate()
    gate.look(["smtp"], now=until)
    gate.enter("smtp", now=until, longest_call=timedelta(minutes=2))
    assert gate.rest("smtp", now=until, wait=timedelta(minutes=1)) == until + timedelta(minutes=1)
    assert look(until + timedelta(seconds=59)) == SHUT
    assert look(until + timedelta(minutes=1)) == TRIED


def test_a_request_for_a_rest_ends_the_failures_in_a_row_for_somebody_answered():
    for _ in range(FAILURES - 1):
        fail()
    until = rest()
    assert Transport.objects.get().failures == 0
    assert until == NOW + timedelta(minutes=5)


PUT_OFF = Throttled("slow down", answer="429", retry_after=timedelta(minutes=5), of_transport=True)


def test_one_answer_that_too_much_was_sent_is_enough_for_all_messages(three, carrier):
    carrier.answers = [PUT_OFF]
    deliver()
    deliver(NOW + timedelta(minutes=4))
    assert len(carrier.calls) == 1
    assert statuses() == [("pending", 0), ("pending", 0), ("pending", 1)]
    again = Delivery.objects.get(attempts=1).next_attempt_at
    assert again == Transport.objects.get().open_until
    assert timedelta(minutes=5) <= again - NOW < timedelta(minutes=6)
    carrier.answers = []
    assert deliver(again) == 3
    assert statuses() == [("accepted", 1), ("accepted", 1), ("accepted", 2)]


def test_however_often_too_much_was_sent_nothing_is_given_up(three, carrier):
    carrier.answers = [PUT_OFF]
    Delivery.objects.update(attempts=MOST_CALLS)
    now = NOW
    for _ in range(5):
        deliver(now)
        now += timedelta(minutes=6)
    assert len(carrier.calls) == 5
    assert set(Delivery.objects.values_list("status", flat=True)) == {"pending"}


def test_a_reader_who_is_put_off_holds_up_nobody_else(three, carrier):
    carrier.answers = [Throttled("greylisted", answer="450", retry_after=timedelta(minutes=1)), Accepted()]
    assert deliver() == 3
    assert len(carrier.calls) == 3
    assert statuses() == [("accepted", 1), ("accepted", 1), ("pending", 1)]
    assert not Transport.objects.exists()
