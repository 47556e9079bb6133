"""Claims, leases and crashes, acted by stopping where a worker would have died; the mail server is a real one."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alerts.addresses import contacts, traces
from alerts.channels.email import EmailChannel
from alerts.errors import Throttled
from alerts.models import Attempt, Delivery, TellingRules
from alerts.models.contact import Channel
from alerts.models.delivery import Status
from alerts.sending import deliveries, leases, recheck
from ledger.models import Notice
from tests import alert_builders
from tests.alert_builders import before, plan, states, the_delivery
from tests.looking import plan_of

SENT_AT = before(60)


def deliver(now=SENT_AT):
    return deliveries.deliver(now=now, limit=100)


def reap(now=SENT_AT):
    return deliveries.reap(now=now, limit=100)


def attempts():
    return list(Attempt.objects.order_by("number").values_list("number", "outcome", "code"))


@pytest.fixture
def due(minji):
    """Minji's reminder, due."""
    plan(SENT_AT)
    return the_delivery()


def test_a_claim_is_one_workers_alone_and_a_dead_workers_claim_comes_back(due, sink):
    claimed = deliveries.claim(now=SENT_AT, limit=10)
    assert [delivery.pk for delivery in claimed] == [due.pk]
    assert deliveries.claim(now=SENT_AT, limit=10) == []
    assert deliver() == 0
    reap(SENT_AT + deliveries.LEASE - timedelta(seconds=1))
    assert states() == [(60, "claimed", "")]
    later = SENT_AT + deliveries.LEASE
    reap(later)
    assert states() == [(60, "pending", "")]
    assert the_delivery().attempts == 0  # a claim is no call
    deliver(later)
    assert len(sink.mails) == 1


def test_who_lost_the_lease_sends_and_changes_nothing(due, sink, monkeypatch):
    """A worker pauses after its claim for longer than its lease; meanwhile another one sent the message."""
    real_look = recheck.look

    def slow_look(delivery, *, known):
        monkeypatch.setattr(deliveries, "look", real_look)
        later = SENT_AT + deliveries.LEASE + timedelta(minutes=1)
        reap(later)
        deliver(later)
        assert states() == [(60, "accepted", "")]
        return real_look(delivery, known=known)

    monkeypatch.setattr(deliveries, "look", slow_look)
    deliver()
    assert len(sink.mails) == 1
    assert attempts() == [(1, "accepted", "250")]
    assert states() == [(60, "accepted", "")]


def test_who_lost_the_lease_does_not_send_what_another_worker_has_just_claimed(due, sink, monkeypatch):
    """As above, but the other worker has not come to sending yet: only the token tells the two apart."""

    def slow_look(delivery, *, known):
        later = SENT_AT + deliveries.LEASE + timedelta(minutes=1)
        reap(later)
        assert len(deliveries.claim(now=later, limit=10)) == 1
        return recheck.look(delivery, known=known)

    monkeypatch.setattr(deliveries, "look", slow_look)
    deliver()
    assert sink.mails == []
    assert states() == [(60, "claimed", "")]
    assert the_delivery().attempts == 0


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


def test_a_worker_that_dies_in_the_call_leaves_an_unknown_outcome_and_the_message_goes_out(due, sink, monkeypatch):
    def die(self, message, hand_over):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EmailChannel, "_hand_over", die)
        with pytest.raises(Killed):
            deliver()
    assert states() == [(60, "sending", "")]
    assert the_delivery().attempts == 1
    later = SENT_AT + deliveries.LEASE + timedelta(minutes=1)
    reap(later)
    assert attempts() == [(1, "unknown", "lease")]
    assert states() == [(60, "pending", "")]  # an e-mail is rather sent twice than not at all
    deliver(later)
    assert states() == [(60, "accepted", "")]
    assert len(sink.mails) == 1


def test_a_late_answer_does_not_overwrite_what_was_decided_meanwhile(due, sink, monkeypatch):
    hand_over = EmailChannel._hand_over

    def slow(*arguments):
        reap(SENT_AT + deliveries.LEASE + timedelta(minutes=1))
        return hand_over(*arguments)

    monkeypatch.setattr(EmailChannel, "_hand_over", slow)
    deliver()
    assert states() == [(60, "pending", "")]
    assert attempts() == [(1, "unknown", "lease")]
    assert not Notice.objects.exists()


def test_a_claim_keeps_its_limit_whatever_the_database_plans(minji, byeol):
    """A plan that runs the inner query again for each row would skip what it has just locked, and take more."""
    for n in range(4):
        alert_builders.member(byeol, f"member-{n}", 10)
    plan(SENT_AT)
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("enable_hashjoin", "enable_mergejoin", "enable_material", "enable_sort", "enable_indexscan"):
            cursor.execute(f"SET LOCAL {way} = off")
        assert len(deliveries.claim(now=SENT_AT, limit=2)) == 2
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["claimed"] * 2 + ["pending"] * 3


def test_messages_of_a_programme_that_is_stopped_wait_and_go_out_when_it_goes_on(due, byeol, sink):
    rules = TellingRules.objects.create(programme=byeol, stopped_at=SENT_AT, stopped_by="staff:3")
    assert deliver() == 0
    assert states() == [(60, "pending", "")]
    TellingRules.objects.filter(pk=rules.pk).update(stopped_at=None)
    assert deliver() == 1
    assert len(sink.mails) == 1


def test_another_programme_goes_on_while_one_is_stopped(due, sink):
    other = alert_builders.byeol(60, code="other")
    alert_builders.member(other, "jun", 10)
    plan(SENT_AT)
    TellingRules.objects.create(programme=due.reminder.programme, stopped_at=SENT_AT)
    assert deliver() == 1
    assert sink.addresses() == ["jun@example.com"]


@pytest.fixture
def three_queues(due):
    """Minji's e-mail; a text message and an e-mail of another programme, whose members come in turn. All are due."""
    other = alert_builders.byeol(60, code="other")
    alert_builders.by_channels(other, Channel.SMS, Channel.EMAIL)
    for n in range(3):
        account = alert_builders.member(other, f"m-{n}", 10)
        if n == 1:
            alert_builders.phone(account)
    plan(SENT_AT)
    return due.programme, other


def queue_of(delivery):
    return delivery.programme.code, delivery.channel, delivery.reminder.account.member.reference


def test_each_queue_has_its_share_and_the_one_where_one_is_due_longest_is_first(three_queues):
    waits = {"m-0": 50, "m-1": 40, "m-2": 45, "minji": 20}
    for reference, minutes in waits.items():
        deliveries_of = Delivery.objects.filter(reminder__account__member__reference=reference)
        assert deliveries_of.update(next_attempt_at=SENT_AT - timedelta(minutes=minutes)) == 1
    first = deliveries.claim(now=SENT_AT, limit=2)
    assert [queue_of(one) for one in first] == [("other", "email", "m-0"), ("other", "sms", "m-1")]
    leases.release(first)
    of_each = deliveries.claim(now=SENT_AT, limit=3)  # and m-2 is due longer than two of them
    assert [queue_of(one)[2] for one in of_each] == ["m-0", "m-1", "minji"]
    leases.release(of_each)
    all_of_them = deliveries.claim(now=SENT_AT, limit=10)
    assert [queue_of(one)[2] for one in all_of_them] == ["m-0", "m-2", "m-1", "minji"]


def test_what_may_not_go_now_is_passed_over_as_one_queue(three_queues):
    """Else a million messages of a programme or a transport that is stopped would be looked at by every claim."""
    stopped, _ = three_queues
    TellingRules.objects.create(programme=stopped, stopped_at=SENT_AT)
    with CaptureQueriesContext(connection) as asked:
        deliveries.claim(now=SENT_AT, limit=10, channels=["email"])
    (claim,) = [query["sql"] for query in asked if "SKIP LOCKED" in query["sql"]]
    plan_of_it = plan_of(claim).splitlines()
    conditions = [line for line in plan_of_it if "Index Cond" in line and "next_attempt_at" in line]
    assert len(conditions) == 2
    for condition in conditions:
        assert re.search(r"\(programme_id = .* AND \(\(?channel\)?(::text)? = .* AND \(next_attempt_at <= ", condition)
    assert len([line for line in plan_of_it if " delivery_due on " in line]) == 2


def test_only_what_goes_by_the_channels_that_are_open_is_claimed(due):
    assert deliveries.claim(now=SENT_AT, limit=10, channels=["sms"]) == []
    assert len(deliveries.claim(now=SENT_AT, limit=10, channels=["sms", "email"])) == 1


def test_a_change_is_refused_when_a_call_was_made_since(due, carrier):
    """The state may be the same again, and yet be about another call."""
    stale = the_delivery()
    carrier.answers = [Throttled()]
    deliver()
    assert (the_delivery().status, the_delivery().attempts) == ("pending", 1)
    assert not leases.move(stale, Status.PENDING, status=Status.CANCELLED)
    assert the_delivery().status == "pending"


def test_a_paused_delivery_is_a_change_of_nobodys(due):
    (claimed,) = deliveries.claim(now=SENT_AT, limit=10)
    leases.release([claimed])
    assert (the_delivery().status, the_delivery().token, the_delivery().lease_until) == ("pending", None, None)
    assert not leases.move(claimed, Status.CLAIMED, status=Status.SKIPPED)


def test_of_the_address_a_hash_is_noted_before_the_call_and_stays_when_the_address_is_erased(due, minji, carrier):
    noted = []
    carrier.answers = [lambda: noted.append(the_delivery().address_trace)]
    deliver()
    contacts.erase(contact=minji.member.contacts.get())
    assert noted == [the_delivery().address_trace] == [traces.trace("minji@example.com")]
    assert the_delivery().contact is None


def test_of_two_calls_in_a_row_each_has_the_hash_of_its_own_address(due, byeol, carrier):
    """The statement that notes the second one also notes what came of the first."""
    alert_builders.member(byeol, "jun", 10)
    plan(SENT_AT)
    assert deliver() == 2
    went = Delivery.objects.values_list("reminder__account__member__reference", "address_trace")
    assert sorted(trace for _, trace in went) == sorted(map(traces.trace, ("minji@example.com", "jun@example.com")))
    assert dict(went)["jun"] == traces.trace("jun@example.com")
