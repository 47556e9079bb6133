"""The calls of a claim: what came of one is written down when the next begins, and before anything else is sent."""

from datetime import timedelta

import pytest

from alerts.models import Attempt, Delivery
from alerts.sending import deliveries, leases, reaping
from ledger.models import Notice
from tests import alert_builders
from tests.alert_builders import before, plan

NOW = before(60)


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


@pytest.fixture
def two(minji, byeol, carrier):
    jun = alert_builders.member(byeol, "jun", 100)
    plan(NOW)
    Delivery.objects.filter(reminder__account=minji).update(next_attempt_at=NOW - timedelta(minutes=1))
    return minji, jun


def states():
    return list(Delivery.objects.order_by("-points_told").values_list("status", "attempts"))


def tries():
    return list(Attempt.objects.order_by("-points_told").values_list("outcome", "code", "number"))


def test_what_came_of_a_call_stands_there_before_the_next_is_made(two, carrier):
    seen = []
    carrier.answers = [lambda: seen.append((states(), tries()))]
    assert deliveries.deliver(now=NOW, limit=10) == 2
    (first_states, first_tries), (second_states, second_tries) = seen
    assert (first_states[-1], first_tries) == (("sending", 1), [])
    assert second_states == [("accepted", 1), ("sending", 1)]
    assert second_tries == [("accepted", "200", 1)]
    assert states() == [("accepted", 1), ("accepted", 1)]
    assert tries() == [("accepted", "200", 1)] * 2
    assert Delivery.objects.filter(token=None, lease_until=None, noticed_at__isnull=False).count() == 2
    assert Notice.objects.count() == 2


def test_a_message_costs_one_statement_beside_those_of_its_claim(two, carrier, started_statements):
    deliveries.deliver(now=NOW, limit=10)
    assert started_statements.count(leases._STEP) == len(carrier.taken) + 1 == 3


def test_a_worker_that_dies_in_a_call_leaves_that_one_unknown_and_no_other(two, carrier, monkeypatch):
    carrier.answers = [lambda: None, Killed()]
    with monkeypatch.context() as patch:
        patch.setattr("alerts.sending.calls.Calls.finish", lambda self, *, now: None)  # it is dead
        with pytest.raises(Killed):
            deliveries.deliver(now=NOW, limit=10)
    assert states() == [("accepted", 1), ("sending", 1)]
    assert not Notice.objects.exists()
    reaping.reap(now=NOW + leases.LEASE + timedelta(minutes=1), limit=10)
    assert [outcome for outcome, _, _ in tries()] == ["accepted", "unknown"]
    assert Notice.objects.count() == 1


def test_an_answer_that_comes_when_the_lease_is_over_is_no_notice(two, carrier):
    """Of two answers only that of the message is lost whose lease was over: it counts as unknown, and is decided."""

    def reaped():
        reaping.reap(now=NOW + leases.LEASE + timedelta(minutes=1), limit=10)

    carrier.answers = [reaped, lambda: None]
    deliveries.deliver(now=NOW, limit=10)
    outcomes = dict(Attempt.objects.values_list("points_told", "outcome"))
    assert outcomes[1_200] == "unknown"
    assert not Notice.objects.filter(entry__account=two[0]).exists()
