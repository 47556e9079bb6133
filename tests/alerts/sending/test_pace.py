"""A transport is handed no more than its rate, by all workers together, and others wait for none of it."""

from datetime import timedelta

import pytest
from django.db import connection

from alerts.channels import TRANSPORTS, capabilities_of
from alerts.models import Delivery, Transport
from alerts.models.contact import Channel
from alerts.sending import deliveries
from alerts.sending.pace import most_at_once, next_turn, take_turn
from alerts.stopwatch import Stopwatch
from tests import alert_builders
from tests.alert_builders import before, plan
from tests.alerts.carrier import Carrier, can
from tests.races.together import all_at_once

NOW = before(60)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def take(messages=1, *, rate=2.0, now=NOW, transport="twilio"):
    return take_turn(transport, messages=messages, rate=rate, now=now)


def turn(*, rate=2.0, now=NOW):
    return next_turn("twilio", rate=rate, now=now)


def test_a_turn_is_over_when_the_rate_says_so():
    assert turn() == NOW
    assert take()
    assert turn() == NOW + SECOND / 2
    assert not take(now=NOW + SECOND / 2 - timedelta(milliseconds=1))
    assert take(now=NOW + SECOND / 2)
    assert turn() == NOW + SECOND


def test_a_call_of_several_takes_the_time_of_all_of_them():
    assert take(4)
    assert turn() == NOW + 2 * SECOND


def test_a_rate_that_nobody_used_is_not_saved_up():
    take()
    later = NOW + 60 * SECOND
    assert take(now=later)
    assert not take(now=later)


def test_transports_do_not_wait_for_one_another():
    assert take(transport="twilio")
    assert take(transport="solapi")


def test_a_turn_that_no_rate_of_now_explains_counts_for_nothing():
    """It was taken at another rate, or by a worker whose clock goes wrong."""
    Transport.objects.create(name="twilio", paced_until=NOW + timedelta(minutes=10))
    assert turn() == NOW
    assert take()
    assert turn() == NOW + SECOND / 2


def test_a_low_rate_has_long_turns():
    assert take(rate=0.01)
    assert turn(rate=0.01) == NOW + 100 * SECOND
    assert not take(rate=0.01, now=NOW + 99 * SECOND)


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_at_once_one_gets_the_turn():
    assert sorted(map(bool, all_at_once([take] * 8))) == [False] * 7 + [True]


@pytest.mark.parametrize(("rate", "most"), [(None, 50), (0.1, 1), (1.0, 2), (12.6, 25), (1000.0, 50)])
def test_a_call_takes_two_seconds_of_the_rate_at_most(rate, most):
    assert most_at_once(can(at_once=50, can_look_up=True, rate=rate)) == most


# --- In the line


@pytest.fixture
def clock(monkeypatch):
    """How long it was waited, in seconds; nobody really waits, but time goes on by so much, and by nothing else."""
    waits: list[float] = []
    monkeypatch.setattr("alerts.sending.deliveries.time.sleep", waits.append)
    monkeypatch.setattr(Stopwatch, "spent", property(lambda self: timedelta(seconds=sum(waits))))
    return waits


@pytest.fixture
def three(byeol, carrier, settings):
    """Three text messages are due; e-mail has another transport, without a rate."""
    TRANSPORTS["fast"] = type("Fast", (Carrier.fresh(),), {"name": "fast"})
    settings.TRANSPORTS = settings.TRANSPORTS | {"email": "fast"}
    settings.MESSAGES_A_SECOND = {Carrier.name: 2.0}
    alert_builders.by_channels(byeol, Channel.SMS, Channel.EMAIL)
    for n in range(3):
        alert_builders.phone(alert_builders.member(byeol, f"m-{n}", 100 + n), f"+82101234567{n}")
    plan(NOW)
    yield carrier
    del TRANSPORTS["fast"]


def deliver(now=NOW):
    return deliveries.deliver(now=now, limit=10)


def states():
    return sorted(Delivery.objects.values_list("status", "attempts"))


def test_a_transport_says_its_rate_among_what_it_can(three):
    assert (capabilities_of("sms").rate, capabilities_of("email").rate) == (2.0, None)


def test_the_line_keeps_to_it(three, clock):
    assert deliver() == 3
    assert clock == [0.5, 0.5]
    assert states() == [("accepted", 1)] * 3


@pytest.mark.django_db(transaction=True)
def test_while_it_is_waited_nothing_is_claimed_or_unwritten_and_no_transaction_open(three, monkeypatch):
    """A worker that dies then leaves nothing of which nobody knows."""
    seen = []

    def wait(seconds):
        held = Delivery.objects.exclude(token=None).count()
        seen.append((connection.in_atomic_block, held, Delivery.objects.filter(noticed_at__isnull=False).count()))

    monkeypatch.setattr("alerts.sending.deliveries.time.sleep", wait)
    monkeypatch.setattr(Stopwatch, "spent", property(lambda self: timedelta(seconds=len(seen))))
    deliver()
    assert seen == [(False, 0, 1), (False, 0, 2)]
    assert states() == [("accepted", 1)] * 3


def test_others_do_not_wait(three, byeol, clock):
    alert_builders.by_channels(byeol, Channel.EMAIL)
    for n in range(4):
        alert_builders.member(byeol, f"by-mail-{n}", 200 + n)
    plan(NOW)
    assert deliver() == 7
    assert Delivery.objects.filter(channel="email", accepted_at__lt=NOW + SECOND / 2).count() == 4
    assert states() == [("accepted", 1)] * 7


def test_what_gets_no_turn_soon_stays_due(three, clock, settings):
    settings.MESSAGES_A_SECOND = {Carrier.name: 0.1}
    assert deliver() == 1
    assert states() == [("accepted", 1)] + [("pending", 0)] * 2
    assert deliver(NOW + 6 * SECOND) == 1  # the turn is four seconds ahead
    assert clock == [4.0]


def test_a_turn_that_somebody_else_takes_at_the_last_moment_is_waited_for_again(three, clock, monkeypatch):
    take = take_turn

    def late(transport, **more):
        if not Transport.objects.exists():
            take(transport, messages=1, rate=2.0, now=NOW)
        return take(transport, **more)

    monkeypatch.setattr(deliveries, "take_turn", late)
    assert deliver() == 3
    assert clock == [0.5, 0.5, 0.5]
    assert states() == [("accepted", 1)] * 3


def test_who_needs_no_call_takes_no_turn(three, byeol, clock):
    for contact in byeol.members.get(reference="m-0").contacts.filter(channel="sms"):
        contact.active = False
        contact.save()
    deliver()
    assert clock == [0.5]


def test_a_transport_without_a_rate_waits_for_nobody_and_writes_nothing(three, clock, settings):
    settings.MESSAGES_A_SECOND = {"twilio": 1.0}
    deliver()
    assert clock == []
    assert not Transport.objects.exists()


@pytest.mark.parametrize(("rate", "sizes"), [(0.5, [1, 1, 1]), (1.0, [2, 1]), (100.0, [3])])
def test_several_in_a_call_take_their_turn_together(three, clock, settings, rate, sizes):
    settings.MESSAGES_A_SECOND = {Carrier.name: rate}
    three.can = can(at_once=25, can_look_up=True)
    assert deliver() == 3
    assert three.together == sizes
    assert clock == [2.0] * (len(sizes) - 1)  # and behind the last one nothing is due


def test_the_settings_know_every_transport(settings):
    assert set(settings.CARRIERS) == set(TRANSPORTS)
