"""Every point at which a worker can die, and that it ends right: told once, recorded once."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.channels import Accepted
from alerts.models import Attempt
from alerts.posted import outcomes_of
from alerts.sending import deliveries, leases
from alerts.sending.reaping import reap
from ledger.models import Notice
from tests.alert_builders import before, plan, states, the_delivery
from tests.alerts.carrier import can

SENT_AT = before(60)
OVER = SENT_AT + leases.LEASE + timedelta(seconds=1)


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


@pytest.fixture
def due(minji, carrier):
    plan(SENT_AT)
    return minji


def die(*args, **more):
    raise Killed


def go_on(*, rounds=3):
    """The other workers, once the lease of the dead one is over."""
    now = OVER
    for _ in range(rounds):
        reap(now=now, limit=10)
        deliveries.deliver(now=now, limit=10)
        now += timedelta(minutes=2)


@pytest.mark.parametrize(
    ("where", "what", "status"),
    [
        ("alerts.sending.deliveries.look", "claimed: before the look", "claimed"),
        ("alerts.sending.deliveries.write", "claimed: before the words", "claimed"),
        ("alerts.sending.breakers.Gate.enter", "claimed: before the call is announced", "claimed"),
    ],
)
def test_before_the_call_nothing_was_sent_and_no_call_is_counted(due, carrier, monkeypatch, where, what, status):
    with monkeypatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(Killed):
            deliveries.deliver(now=SENT_AT, limit=10)
    assert (the_delivery().status, the_delivery().attempts, carrier.calls) == (status, 0, [])
    reap(now=SENT_AT + leases.LEASE - timedelta(seconds=1), limit=10)
    assert the_delivery().status == status  # its lease still runs
    go_on()
    assert states() == [(60, "accepted", "")]
    assert len(carrier.taken) == 1
    assert Notice.objects.count() == 1


CAPABLE: dict[str, tuple[dict[str, Any], str, int]] = {
    "a key": ({"idempotent_for": timedelta(days=1)}, "accepted", 2),
    "a look-up": ({"can_look_up": True}, "accepted", 1),
    "rather twice": ({"send_again_after_unknown": True}, "accepted", 2),
    "neither": ({}, "unknown", 1),
}


@pytest.mark.parametrize("capable", CAPABLE)
def test_after_the_call_the_capability_decides(due, carrier, monkeypatch, capable):
    """The provider took the message, and the worker died before it could write that down."""
    capabilities, status, calls = CAPABLE[capable]
    carrier.can = can(**capabilities)
    carrier.looked_up = Accepted("200")
    with monkeypatch.context() as patch:
        patch.setattr(leases, "end", die)
        with pytest.raises(Killed):
            deliveries.deliver(now=SENT_AT, limit=10)
    assert (the_delivery().status, len(carrier.taken)) == ("sending", 1)
    go_on()
    assert the_delivery().status == status
    assert len(carrier.calls) == calls
    assert len({message.key for message in carrier.calls}) == 1
    assert Notice.objects.count() == (status == "accepted")


def test_a_call_whose_worker_died_ended_with_its_lease_whenever_that_is_found(due, carrier):
    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliveries.deliver(now=SENT_AT, limit=10)
    reap(now=SENT_AT + timedelta(hours=5), limit=10)
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.code) == ("unknown", "lease")
    assert SENT_AT + leases.LEASE <= attempt.at < SENT_AT + leases.LEASE + timedelta(seconds=30)


def test_a_key_that_was_forgotten_while_nobody_looked_is_not_used(due, carrier):
    """It counts from the call, not from the moment at which somebody found that its worker had died."""
    carrier.can = can(idempotent_for=timedelta(minutes=30))
    carrier.answers = [Killed(), Accepted()]
    with pytest.raises(Killed):
        deliveries.deliver(now=SENT_AT, limit=10)
    reap(now=SENT_AT + timedelta(minutes=30), limit=10)
    deliveries.deliver(now=SENT_AT + timedelta(minutes=30), limit=10)
    assert states() == [(60, "unknown", "person")]
    assert len(carrier.calls) == 1


@pytest.mark.parametrize("where", ["alerts.sending.notice.record", "alerts.sending.notice.outcomes_of"])
def test_between_acceptance_and_notice_the_reap_records_it(due, carrier, monkeypatch, where):
    with monkeypatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(Killed):
            deliveries.deliver(now=SENT_AT, limit=10)
    assert (the_delivery().status, the_delivery().noticed_at) == ("accepted", None)
    go_on()
    assert Notice.objects.count() == 1
    assert the_delivery().noticed_at is not None
    assert len(carrier.calls) == 1


def test_between_the_ledgers_notice_and_our_mark_it_is_recorded_once(due, carrier, monkeypatch):

    def record_and_die(orders):
        outcomes_of(orders)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("alerts.sending.notice.outcomes_of", record_and_die)
        with pytest.raises(Killed):
            deliveries.deliver(now=SENT_AT, limit=10)
    assert (Notice.objects.count(), the_delivery().noticed_at) == (1, None)
    go_on()
    assert Notice.objects.count() == 1
    assert the_delivery().noticed_at is not None
