"""A transport is handed no more than its rate, by all workers together."""

from datetime import timedelta

import pytest
from django.db import connection

from alerts.channels import capabilities_of
from alerts.models import Delivery, Transport
from alerts.sending import deliveries
from alerts.sending.pace import LONGEST_WAIT, wait_for_turn
from tests import alert_builders
from tests.alert_builders import before, plan
from tests.alerts.carrier import Carrier, can
from tests.races.together import all_at_once

NOW = before(60)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def slept(monkeypatch):
    """How long it was waited, in seconds; nobody really waits."""
    waits: list[float] = []
    monkeypatch.setattr("alerts.sending.pace.time.sleep", waits.append)
    return waits


def turn(messages=1, *, rate=2.0, now=NOW, transport="twilio"):
    return wait_for_turn(transport, messages=messages, rate=rate, now=now)


def test_messages_come_no_closer_together_than_the_rate_says(slept):
    assert [turn() for _ in range(4)] == [True] * 4
    assert slept == [0.0, 0.5, 1.0, 1.5]
    assert Transport.objects.get().paced_until == NOW + 2 * SECOND


def test_a_call_of_several_takes_the_time_of_all_of_them(slept):
    assert [turn(25, rate=20.0), turn(rate=20.0)] == [True, True]
    assert slept == [0.0, 1.25]


def test_a_rate_that_nobody_used_is_not_saved_up(slept):
    turn()
    assert [turn(now=NOW + 60 * SECOND), turn(now=NOW + 60 * SECOND)] == [True, True]
    assert slept == [0.0, 0.0, 0.5]


def test_who_would_wait_too_long_takes_nothing(slept):
    assert turn(messages=5, rate=2.0)  # 2.5 seconds
    assert not turn()
    assert Transport.objects.get().paced_until == NOW + timedelta(seconds=2.5)
    assert slept == [0.0]
    assert turn(now=NOW + timedelta(seconds=2.5) - LONGEST_WAIT)
    assert slept == [0.0, 2.0]


def test_transports_do_not_wait_for_one_another(slept):
    turn(transport="twilio")
    turn(transport="solapi")
    assert slept == [0.0, 0.0]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_each_get_a_turn_of_their_own(slept):
    assert all_at_once([lambda: turn(rate=10.0)] * 8) == [True] * 8
    assert sorted(slept) == pytest.approx([n / 10 for n in range(8)])


# --- In the line


@pytest.fixture
def three(byeol, carrier, settings):
    settings.MESSAGES_A_SECOND = {Carrier.name: 2.0}
    for n in range(3):
        alert_builders.member(byeol, f"m-{n}", 100 + n)
    plan(NOW)
    return carrier


def states():
    return sorted(Delivery.objects.values_list("status", "attempts"))


def test_a_transport_says_its_rate_among_what_it_can(three):
    assert capabilities_of("sms").rate == 2.0


def test_the_line_keeps_to_it(three, slept):
    assert deliveries.deliver(now=NOW, limit=10) == 3
    assert slept == pytest.approx([0.0, 0.5, 1.0], abs=0.2)
    assert states() == [("accepted", 1)] * 3


def test_the_wait_is_over_before_the_look_and_outside_of_any_transaction(three, monkeypatch):
    """What is told must be fresh when the call is made."""
    seen = []

    def wait(seconds):
        seen.append((connection.in_atomic_block, Delivery.objects.filter(status="sending").exists()))

    monkeypatch.setattr("alerts.sending.pace.time.sleep", wait)
    in_a_test = connection.in_atomic_block  # the test's own
    deliveries.deliver(now=NOW, limit=10)
    assert seen == [(in_a_test, False)] + [(in_a_test, True)] * 2


def test_what_gets_no_turn_soon_is_given_back_and_stays_due(three, slept, settings):
    settings.MESSAGES_A_SECOND = {Carrier.name: 0.2}
    assert deliveries.deliver(now=NOW, limit=10) == 2
    assert states() == [("accepted", 1)] + [("pending", 0)] * 2
    assert not Delivery.objects.exclude(token=None).exists()
    assert deliveries.deliver(now=NOW + 5 * SECOND, limit=10) == 2
    assert states() == [("accepted", 1)] * 2 + [("pending", 0)]


def test_a_transport_without_a_rate_waits_for_nobody_and_writes_nothing(three, slept, settings):
    settings.MESSAGES_A_SECOND = {"twilio": 1.0}
    deliveries.deliver(now=NOW, limit=10)
    assert slept == []
    assert not Transport.objects.exists()


def test_several_in_a_call_take_their_turn_together(three, slept):
    three.can = can(at_once=25, can_look_up=True)
    deliveries.deliver(now=NOW, limit=10)
    assert three.together == [3]
    assert slept == [0.0]
    (until,) = Transport.objects.values_list("paced_until", flat=True)
    assert until is not None
    assert (until - NOW).total_seconds() == pytest.approx(1.5, abs=0.2)
