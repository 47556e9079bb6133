"""Calls that hand over several messages: each is recorded for itself, and who spoils a call spoils no other message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.channels import Accepted, Channels
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Attempt, Contact, Delivery, Transport
from alerts.models.contact import Channel
from alerts.sending import deliveries, leases, reaping, unknowns
from ledger.models import Notice
from tests import alert_builders
from tests.alert_builders import before, plan
from tests.alerts.carrier import can

NOW = before(60)
OVER = NOW + leases.LEASE + timedelta(minutes=1)
MEMBERS = 5


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


@pytest.fixture
def five(byeol, carrier):
    """Five members' reminders are due, and two go in a call."""
    carrier.can = can(at_once=2, can_look_up=True)
    for n in range(MEMBERS):
        alert_builders.member(byeol, f"m-{n}", 100 + n)
    plan(NOW)
    return carrier


def deliver(now=NOW):
    return deliveries.deliver(now=now, limit=100)


def states():
    """(status, calls made) of all, in the order of their points."""
    return list(Delivery.objects.order_by("points_told", "pk").values_list("status", "attempts"))


def outcomes():
    return sorted(Attempt.objects.values_list("outcome", "code"))


def test_as_many_go_in_a_call_as_the_transport_takes(five):
    assert deliver() == MEMBERS
    assert five.together == [2, 2, 1]
    assert sorted(one.to for one in five.taken) == [f"m-{n}@example.com" for n in range(MEMBERS)]
    assert states() == [("accepted", 1)] * MEMBERS
    assert Attempt.objects.count() == Notice.objects.count() == MEMBERS
    numbers = [f"no-{n}" for n in range(1, MEMBERS + 1)]
    assert sorted(Delivery.objects.values_list("provider_id", flat=True)) == numbers
    assert {one.delivery.points_told for one in Attempt.objects.all()} == set(range(100, 100 + MEMBERS))


def test_a_call_costs_one_statement(five, started_statements):
    deliver()
    assert started_statements.count(leases._STEP) == len(five.together) + 1 == 4


def test_before_a_call_all_its_messages_are_announced_and_no_others(five):
    seen = []
    five.answers = [lambda: seen.append(Delivery.objects.filter(status="sending", attempts=1).count())]
    deliver()
    assert seen == [2, 2, 2, 2, 1]


def test_messages_of_two_channels_are_never_in_one_call(byeol, five):
    both = alert_builders.member(byeol, "both", 200)
    alert_builders.phone(both)
    alert_builders.by_channels(byeol, Channel.EMAIL, Channel.SMS, at_once=2)
    plan(NOW)
    deliver()
    assert sorted(five.together) == [1, 2, 2, 2]
    assert [len({"@" in one.to for one in call}) for call in _calls_of(five)] == [1, 1, 1, 1]


def _calls_of(carrier):
    handed = iter(carrier.calls)
    return [[next(handed) for _ in range(size)] for size in carrier.together]


def test_one_that_is_refused_is_refused_alone(five):
    five.answers = [Accepted(), Rejected("no such number", answer="3008", bad_address=True), Accepted()]
    deliver()
    assert sorted(status for status, _ in states()) == ["accepted"] * 4 + ["failed"]
    assert outcomes() == [("accepted", "200")] * 4 + [("rejected", "3008")]
    assert Notice.objects.count() == 4
    assert Contact.objects.usable().count() == 4
    assert not Transport.objects.exists()  # the provider answered


def test_a_call_of_which_nobody_knows_counts_once_and_is_solved_message_by_message(five):
    five.whole = [Unknown("no answer", answer="ReadTimeout")]
    deliver()
    assert sorted(states()) == [("accepted", 1)] * 3 + [("unknown", 1)] * 2
    assert Transport.objects.get().failures == 0  # the calls behind it came through
    five.looked_up = Accepted("4000", provider_id="found")
    unknowns.decide(now=OVER, limit=10)
    assert len(five.looks) == len(set(five.looks)) == 2
    assert {status for status, _ in states()} == {"accepted"}
    assert Notice.objects.count() == MEMBERS
    assert len(five.taken) == 3  # nothing was sent again


def test_failures_are_counted_by_calls_and_not_by_messages(five):
    five.whole = [Unknown(), Unknown(), Unknown()]
    deliver()
    assert Transport.objects.get().failures == 3
    assert states() == [("unknown", 1)] * MEMBERS


def test_who_was_in_a_call_that_was_refused_as_a_whole_is_next_called_for_alone(five):
    five.whole = [NotSent("cannot be read", answer="ValidationError", answered=True)] * 3
    deliver()
    assert states() == [("pending", 1)] * MEMBERS
    assert not Transport.objects.exists()  # the provider is there
    five.together.clear()
    deliver(NOW + timedelta(minutes=5))
    assert five.together == [1] * MEMBERS
    assert states() == [("accepted", 2)] * MEMBERS


def test_what_cannot_be_handed_over_spoils_the_call_of_no_other_programme(five):
    moa = alert_builders.moa(60)
    alert_builders.member(moa, "moa", 50, now=NOW - timedelta(days=60), expires_at=NOW + timedelta(days=50))
    plan(NOW)
    deliver()
    assert sorted(five.together) == [1, 1, 2, 2]


def test_calls_are_made_in_the_order_of_who_is_due_longest(byeol, five):
    """A call that is not full waits for no full one."""
    late = alert_builders.member(byeol, "late", 200)
    alert_builders.phone(late)
    alert_builders.by_channels(byeol, Channel.SMS, Channel.EMAIL)
    plan(NOW)
    Delivery.objects.filter(channel="sms").update(next_attempt_at=NOW - timedelta(hours=1))
    deliver()
    assert ["@" in one.to for one in five.calls] == [False] + [True] * MEMBERS
    assert five.together == [1, 2, 2, 1]


def test_letters_that_nothing_can_store_are_marked_and_lose_no_answer(five):
    half, zero = "words cut in \ud83d", "a \0 b"
    five.answers = [Accepted("2000", half, "no-1"), Rejected(zero, answer="3008"), Accepted("2000", zero, "no-3")]
    deliver()
    assert sorted(status for status, _ in states()) == ["accepted"] * 4 + ["failed"]
    details = set(Attempt.objects.exclude(detail="").values_list("detail", flat=True))
    assert details == {"words cut in \N{REPLACEMENT CHARACTER}", "a \N{REPLACEMENT CHARACTER} b"}


def test_a_provider_that_asks_for_a_rest_gets_it_and_costs_nobody_a_try(five):
    five.whole = [Throttled(answer="429", retry_after=timedelta(minutes=3), of_transport=True)]
    deliver()
    assert five.together == [2]
    assert sorted(states()) == [("pending", 0)] * 3 + [("pending", 1)] * 2
    (open_until,) = Transport.objects.values_list("open_until", flat=True)
    assert open_until
    assert open_until >= NOW + timedelta(minutes=3)
    assert set(Delivery.objects.filter(attempts=1).values_list("next_attempt_at", flat=True)) == {open_until}
    assert Delivery.objects.exclude(token=None).count() == 0


def test_a_balance_that_ends_within_a_call_keeps_what_was_taken(five):
    five.answers = [Accepted(), NotSent("balance", answer="1030", transport_down=True)]
    deliver()
    assert five.together == [2]
    assert sorted(states()) == [("accepted", 1)] + [("pending", 0)] * 3 + [("pending", 1)]
    assert Transport.objects.get().open_until is not None
    assert Notice.objects.count() == 1


def test_answers_that_do_not_fit_the_messages_say_nothing_of_any_of_them(five, monkeypatch):
    monkeypatch.setattr(five, "send_all", lambda self, messages: [Accepted()])
    deliver()
    assert sorted(states()) == [("accepted", 1)] + [("unknown", 1)] * 4  # the last call had one message


def test_a_worker_that_dies_in_a_call_leaves_its_messages_to_be_looked_up_and_no_others(five, monkeypatch):
    five.answers = [Accepted(), Accepted(), Accepted(), Killed()]
    with monkeypatch.context() as patch:
        patch.setattr("alerts.sending.calls.Calls.finish", lambda self, *, now: None)  # it is dead
        with pytest.raises(Killed):
            deliver()
    assert sorted(states()) == [("accepted", 1)] * 2 + [("claimed", 0)] + [("sending", 1)] * 2
    five.answers, five.looked_up = [], Accepted("4000", provider_id="found")
    reaping.reap(now=OVER, limit=10)
    unknowns.decide(now=OVER + timedelta(minutes=1), limit=10)
    deliver(OVER + timedelta(minutes=1))
    assert sorted(states()) == [("accepted", 1)] * 3 + [("accepted", 2)] * 2
    assert Notice.objects.count() == MEMBERS
    assert len(five.looks) == 2


def test_of_a_call_only_what_is_still_ours_is_sent(five, monkeypatch):
    """Somebody else has taken one of the two since the look."""
    begin = leases.begin

    def late(call, **more):
        if len(call) == 2 and not five.together:
            Delivery.objects.filter(pk=call[0].delivery.pk).update(status="pending", token=None, lease_until=None)
        return begin(call, **more)

    monkeypatch.setattr(leases, "begin", late)
    deliveries.deliver(now=NOW, limit=MEMBERS)
    assert five.together == [1, 2, 1]
    assert sorted(states()) == [("accepted", 1)] * 4 + [("pending", 0)]


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_erased_just_before_the_call_holds_up_no_other(five, monkeypatch):
    begin = leases.begin
    erased: list[int] = []

    def erase_one(call, **more):
        if not erased:
            erased.append(call[1].said.contact.pk)
            contacts.erase(contact=Contact.objects.get(pk=erased[0]))
        return begin(call, **more)

    monkeypatch.setattr(leases, "begin", erase_one)
    deliver()
    assert sorted(states()) == [("accepted", 1)] * 4 + [("skipped", 0)]
    assert Notice.objects.count() == 4


def test_when_the_time_is_used_up_after_a_call_the_rest_is_given_back(five, monkeypatch):
    together = deliveries._deliver_together

    def slow(some, turn):
        monkeypatch.setattr(deliveries, "BUDGET", timedelta())
        return together(some, turn)

    monkeypatch.setattr(deliveries, "_deliver_together", slow)
    assert deliver() == 2
    assert sorted(states()) == [("accepted", 1)] * 2 + [("pending", 0)] * 3
    assert not Delivery.objects.exclude(token=None).exists()


def test_a_channel_that_cannot_be_opened_sent_nothing(five, monkeypatch):
    def broken(self, channel):
        raise RuntimeError("no settings")

    monkeypatch.setattr(Channels, "__getitem__", broken)
    deliver()
    assert states() == [("pending", 1)] * MEMBERS
    assert outcomes() == [("not_sent", "RuntimeError")] * MEMBERS


def test_a_transport_that_can_find_nothing_out_takes_one_message_at_a_time():
    with pytest.raises(ValueError, match="several messages"):
        can(at_once=2)
