"""Providers' reports: in any order, any number of times, before and after what they are about is written down."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from django.db import connection

from alerts.addresses import contacts, suppressions, traces
from alerts.channels import Accepted
from alerts.duty.untold import extend_untold
from alerts.errors import Unknown
from alerts.models import Consent, Contact, Delivery, ProviderEvent, Suppression, TellingRules
from alerts.sending import deliveries, receipts
from ledger import expiry
from ledger.models import Entry, Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, by_channels, on_channels, plan, states, the_delivery
from tests.alerts.carrier import can

SENT_AT = before(60)
LATER = SENT_AT + timedelta(minutes=1)


def report(kind, delivery=None, *, key=None, our_key=None, provider_id="", at=LATER):
    """A report as the webhook's view stores it: about this delivery by our key, if not otherwise said."""
    our_key = our_key if our_key is not None else str((delivery or the_delivery()).pk)
    return ProviderEvent.objects.create(
        transport="carrier",
        event_key=key or uuid4().hex,
        kind=kind,
        provider_id=provider_id,
        our_key=our_key,
        occurred_at=at,
        received_at=at,
        raw="{}",
    )


def match(now=LATER):
    return receipts.match(now=now, limit=100)


def kinds(account):
    return list(Entry.objects.filter(account=account).order_by("seq").values_list("kind", flat=True))


@pytest.fixture
def due(minji, byeol, carrier):
    """An SMS to Minji is due; an e-mail could follow it."""
    alert_builders.phone(minji)
    by_channels(byeol, "sms", "email")
    plan(SENT_AT)
    return minji


@pytest.fixture
def accepted(due):
    """The SMS was accepted, and the ledger knows."""
    deliveries.deliver(now=SENT_AT, limit=10)
    assert Notice.objects.count() == 1
    assert not due.lots.get().gated
    return due


def test_a_report_of_delivery_is_noted_once_with_its_time(accepted):
    event = report("delivered")
    assert match() == 1
    delivery = the_delivery()
    assert (delivery.status, delivery.delivered_at) == ("delivered", LATER)
    event.refresh_from_db()
    assert (event.delivery_id, event.matched_at) == (delivery.pk, LATER)
    assert match() == 0
    assert Notice.objects.count() == 1


def test_a_report_is_matched_by_the_providers_number_too(accepted):
    assert the_delivery().provider_id == "no-1"
    report("delivered", our_key="", provider_id="no-1")
    assert match() == 1
    assert the_delivery().status == "delivered"


@pytest.mark.parametrize("our_key", ["", "no key of ours", "00000000-0000-0000-0000-000000000000"])
def test_a_report_about_nothing_of_ours_waits_a_day_and_holds_up_no_other(accepted, our_key):
    stray = report("delivered", our_key=our_key, provider_id="another", at=SENT_AT)
    report("delivered")
    assert receipts.match(now=LATER, limit=1) == 1
    assert the_delivery().status == "delivered"
    stray.refresh_from_db()
    assert stray.matched_at is None
    assert match(SENT_AT + receipts.NOBODYS_AFTER) == 1
    stray.refresh_from_db()
    assert stray.delivery_id is None
    assert stray.matched_at == SENT_AT + receipts.NOBODYS_AFTER


def test_the_same_number_at_another_provider_is_another_message(accepted):
    Delivery.objects.update(transport="another")
    report("undelivered", our_key="", provider_id="no-1")
    assert match() == 0
    assert the_delivery().status == "accepted"


def test_what_came_back_loses_its_notice_and_the_next_channel_follows(accepted, carrier):
    report("undelivered")
    match()
    assert on_channels() == [("sms", "undelivered", ""), ("email", "pending", "")]
    assert kinds(accepted) == ["grant", "notify", "notify"]
    assert accepted.lots.get().gated
    came_back = Delivery.objects.get(channel="sms")
    assert (came_back.undelivered_at, came_back.withdrawn_at) == (LATER, LATER)
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels()[1] == ("email", "accepted", "")
    assert not accepted.lots.get().gated


def test_what_came_back_and_has_no_other_channel_gets_a_new_date_once_it_is_too_late(accepted, byeol):
    by_channels(byeol, "sms")
    report("undelivered")
    match()
    assert on_channels() == [("sms", "undelivered", "")]
    assert extend_untold(now=before(29), limit=10).orders == 1
    assert accepted.lots.get().expires_at > before(-1)


def test_what_came_back_after_the_points_went_changes_nothing_for_them(accepted):
    expiry.sweep_all(now=before(-1))
    assert kinds(accepted) == ["grant", "notify", "expire"]
    report("undelivered", at=before(-2))
    match(before(-2))
    assert kinds(accepted)[:3] == ["grant", "notify", "expire"]
    assert accepted.lots.get().remaining == 0
    assert Delivery.objects.get(channel="sms").withdrawn_at is not None


@pytest.mark.parametrize("order", list(permutations(["delivered", "undelivered", "delivered", "other"])))
def test_reports_in_any_order_and_any_number_end_the_same(accepted, order):
    for n, kind in enumerate(order):
        report(kind, Delivery.objects.get(channel="sms"), key=f"{n}")
        match()
    assert on_channels() == [("sms", "undelivered", ""), ("email", "pending", "")]
    assert kinds(accepted) == ["grant", "notify", "notify"]
    assert not ProviderEvent.objects.filter(matched_at=None).exists()


def test_reports_twice_over_follow_with_one_message(accepted):
    for _ in range(3):
        report("undelivered", Delivery.objects.get(channel="sms"))
        match()
    assert [channel for channel, _, _ in on_channels()] == ["sms", "email"]


def test_a_bounce_is_the_end_of_the_address(accepted):
    report("bounced")
    match()
    suppression = Suppression.objects.get()
    assert (suppression.channel, suppression.address, suppression.why) == ("sms", "+821012345678", "hard_bounce")
    assert on_channels() == [("sms", "undelivered", ""), ("email", "pending", "")]


def rewritten(number="+821099998888"):
    """Staff correct Minji's number after the message went to the old one."""
    contact = Contact.objects.get(channel="sms")
    contact.address = number
    contacts.rewrite(contact=contact, now=LATER)
    return contact


@pytest.mark.parametrize(("kind", "why"), [("bounced", "hard_bounce"), ("complained", "complaint")])
def test_what_is_reported_ends_the_address_it_went_to_and_not_the_one_entered_since(accepted, kind, why):
    contact = rewritten()
    report(kind)
    match()
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.why) == (traces.marked("+821012345678"), why)
    assert (suppression.channel, suppression.note) == ("sms", "carrier")
    assert contacts.usable(accepted.member_id, "sms") == contact
    rewritten("+821012345678")
    assert Suppression.objects.get().address == "+821012345678"
    assert contacts.usable(accepted.member_id, "sms") is None


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_so_it_does_when_the_address_was_erased(accepted, kind):
    contacts.erase(contact=Contact.objects.get(channel="sms"))
    report(kind)
    match()
    assert Suppression.objects.get().address == traces.marked("+821012345678")
    alert_builders.phone(accepted)
    assert Suppression.objects.get().address == "+821012345678"
    assert contacts.usable(accepted.member_id, "sms") is None


def test_so_it_does_when_the_address_was_erased_and_entered_anew(accepted):
    contacts.erase(contact=Contact.objects.get(channel="sms"))
    alert_builders.phone(accepted)
    report("bounced")
    match()
    assert Suppression.objects.get().address == "+821012345678"
    assert contacts.usable(accepted.member_id, "sms") is None


@pytest.mark.parametrize(("kind", "why"), [("bounced", "hard_bounce"), ("complained", "complaint")])
def test_an_address_that_two_share_ends_for_both_though_the_first_has_erased_it(accepted, byeol, kind, why):
    jun = builders.jun(byeol)
    alert_builders.phone(jun)
    contacts.erase(contact=Contact.objects.get(member=accepted.member, channel="sms"))
    report(kind)
    match()
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.why) == ("+821012345678", why)
    assert contacts.usable(jun.member_id, "sms") is None
    assert suppressions.is_unwanted("+821012345678") is (kind == "complained")


def test_of_an_address_without_a_trace_the_member_alone_is_found(accepted, byeol):
    """The version before this one entered it while this one was rolled out."""
    Contact.objects.update(address_trace="")
    report("complained")
    match()
    assert Suppression.objects.get().address == "+821012345678"
    assert contacts.usable(accepted.member_id, "sms") is None


def test_of_a_message_from_before_traces_were_kept_the_contacts_address_is_ended(accepted):
    Delivery.objects.update(address_trace="")
    report("complained")
    match()
    assert Suppression.objects.get().address == "+821012345678"


def test_nothing_is_known_of_such_a_message_when_its_contact_was_erased(accepted):
    Delivery.objects.update(address_trace="")
    contacts.erase(contact=Contact.objects.get(channel="sms"))
    report("complained")
    match()
    assert not Suppression.objects.exists()


def test_a_complaint_is_the_end_of_the_address_and_the_message_has_arrived(accepted):
    report("complained")
    match()
    assert Suppression.objects.get().why == "complaint"
    assert on_channels() == [("sms", "accepted", "")]
    assert Notice.objects.count() == 1


def test_who_unsubscribes_at_the_provider_has_said_no_on_that_channel(accepted):
    report("unsubscribed")
    match()
    said = Consent.objects.get()
    assert (said.member, said.channel, said.purpose, said.given) == (accepted.member, "sms", "notice", False)
    assert (said.at, said.actor) == (LATER, "alerts")
    assert on_channels() == [("sms", "accepted", "")]


def test_where_only_delivery_counts_the_notice_is_of_the_day_of_delivery(due, byeol):
    TellingRules.objects.create(programme=byeol, counts_when="delivered")
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=LATER, limit=10)
    assert not Notice.objects.exists()
    assert due.lots.get().gated
    tomorrow = SENT_AT + timedelta(days=1)
    report("delivered", at=tomorrow)
    match(tomorrow)
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=59)
    assert not due.lots.get().gated


def test_a_providers_clock_that_is_wrong_is_held_between_acceptance_and_now(accepted):
    report("delivered", at=SENT_AT - timedelta(days=9))
    match()
    delivery = the_delivery()
    assert delivery.delivered_at == delivery.accepted_at


# --- Before what they are about is written down


def test_a_report_that_comes_before_the_answer_is_matched_afterwards(due, carrier):
    def early() -> None:
        report("delivered", our_key="", provider_id="no-1")
        assert match() == 0

    carrier.answers = [early]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert the_delivery().status == "accepted"
    assert match() == 1
    assert the_delivery().status == "delivered"


def test_a_report_while_a_worker_is_at_it_is_left_until_it_is_done(due, carrier):
    def early() -> None:
        report("undelivered")
        assert match() == 0
        assert the_delivery().status == "sending"

    carrier.answers = [early]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert the_delivery().status == "accepted"
    match()
    assert on_channels() == [("sms", "undelivered", ""), ("email", "pending", "")]
    assert due.lots.get().gated


@pytest.mark.parametrize(("kind", "gated"), [("delivered", False), ("undelivered", True)])
def test_a_report_of_what_nobody_knew_settles_it(due, carrier, kind, gated):
    carrier.answers = [Unknown(), Accepted()]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert the_delivery().status == "unknown"
    report(kind)
    match()
    assert Delivery.objects.get(channel="sms").status == kind
    assert due.lots.get().gated is gated
    assert len(carrier.calls) == 1


def test_what_was_to_be_sent_again_is_not_when_a_report_shows_that_it_arrived(due, carrier):
    carrier.can = carrier.can.__class__(timedelta(seconds=5), send_again_after_unknown=True)
    carrier.answers = [Unknown(), Accepted()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=LATER, limit=10)
    assert the_delivery().status == "pending"
    report("delivered")
    match()
    deliveries.deliver(now=LATER, limit=10)
    assert states() == [(60, "delivered", "")]
    assert len(carrier.calls) == 1
    assert Notice.objects.count() == 1


def test_a_report_of_what_was_never_sent_changes_nothing(due, carrier):
    report("undelivered")
    assert match() == 1
    assert on_channels() == [("sms", "pending", "")]
    builders.redeem(due, 1_200, now=SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    assert on_channels() == [("sms", "skipped", "redeemed")]


class Killed(BaseException):
    """What ends a worker as SIGKILL does: nothing of ours catches it."""


@pytest.mark.parametrize("kind", ["delivered", "undelivered"])
@pytest.mark.parametrize("capable", [{"send_again_after_unknown": True}, {"can_look_up": True}, {}])
def test_what_was_reported_while_a_dead_worker_held_it_is_read_before_it_is_decided(due, byeol, carrier, capable, kind):
    by_channels(byeol, "sms")
    carrier.can = can(**capable)
    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliveries.deliver(now=SENT_AT, limit=10)
    report(kind)
    assert match() == 0
    later = SENT_AT + timedelta(minutes=6)
    deliveries.reap(now=later, limit=10)
    carrier.answers = []
    deliveries.deliver(now=later, limit=10)
    assert on_channels() == [("sms", kind, "")]
    assert (len(carrier.calls), carrier.looks) == (1, [])
    assert Notice.objects.count() == (kind == "delivered")


def test_what_waits_for_a_person_does_so_no_more_when_it_is_reported_to_have_come_back(due, byeol, carrier):
    by_channels(byeol, "sms")
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    deliveries.reap(now=LATER, limit=10)
    assert on_channels() == [("sms", "unknown", "person")]
    report("undelivered")
    match()
    assert on_channels() == [("sms", "undelivered", "")]


# --- A report that cannot be matched


@pytest.fixture
def broken(accepted, monkeypatch):
    """Three reports of delivery: the two older ones cannot be matched, whatever is wrong with them."""
    events = [report("delivered", at=SENT_AT + timedelta(seconds=n)) for n in range(3)]
    real = receipts._apply

    def apply(event, *terms):
        if event.pk != events[2].pk:
            raise RuntimeError("something is wrong with it")
        real(event, *terms)

    monkeypatch.setattr(receipts, "_apply", apply)
    return events, lambda: monkeypatch.setattr(receipts, "_apply", real)


def unmatched():
    return list(ProviderEvent.objects.filter(matched_at=None).order_by("pk"))


def test_a_report_that_cannot_be_matched_holds_up_no_other_and_is_logged(broken, caplog):
    events, _ = broken
    assert match() == 1
    assert the_delivery().status == "delivered"
    assert unmatched() == events[:2]
    assert {event.failed_at for event in unmatched()} == {LATER}
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        f"event {event.pk} could not be matched" for event in events[:2]
    ]


def test_reports_that_fail_again_and_again_do_not_use_up_the_limit(broken):
    _, mend = broken
    assert [receipts.match(now=LATER, limit=1) for _ in range(4)] == [0, 0, 1, 0]
    mend()
    assert match(LATER + receipts.FAILED_FOR - timedelta(seconds=1)) == 0
    assert match(LATER + receipts.FAILED_FOR) == 2
    assert unmatched() == []


def test_no_report_is_begun_when_the_time_of_the_tick_is_used_up(accepted, monkeypatch):
    report("delivered")
    monkeypatch.setattr(receipts, "BUDGET", timedelta(0))
    assert match() == 0
    assert the_delivery().status == "accepted"
    assert unmatched()[0].failed_at is None


@pytest.mark.parametrize(
    ("statement", "terms", "index"),
    [
        ("_TO_MATCH", {"key": receipts.A_KEY, "nobodys": SENT_AT, "fresh": True}, "delivery_provider"),
        ("_TO_MATCH", {"key": receipts.A_KEY, "nobodys": SENT_AT, "fresh": True}, "event_to_match"),
        ("_OF_UNKNOWN", {"now": LATER}, "event_of_unmatched_key"),
        ("_OF_UNKNOWN", {"now": LATER}, "delivery_unknown"),
    ],
)
def test_no_match_reads_a_whole_table(db, statement, terms, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of tables that are nearly empty it would be cheaper
        cursor.execute(f"EXPLAIN {getattr(receipts, statement)}", terms | {"again": SENT_AT, "limit": 100})
        plan_of = "\n".join(line for (line,) in cursor.fetchall())
    assert f" {index} " in plan_of, plan_of
    assert "Seq Scan on alerts_delivery" not in plan_of, plan_of
    assert "Seq Scan on alerts_providerevent" not in plan_of, plan_of


# --- Workers that die, and notices that come at the same moment


def test_a_notice_that_was_about_to_be_recorded_is_withdrawn_all_the_same(due, monkeypatch):
    """A worker has the answer and is about to record; a report says that it came back; then the worker records."""
    from alerts.sending import notice

    real, late = notice.record, []
    with monkeypatch.context() as patch:
        patch.setattr(notice, "record", lambda delivery, *, now: late.append(delivery))
        deliveries.deliver(now=SENT_AT, limit=10)
    report("undelivered")
    match()
    assert not Notice.objects.exists()
    assert real(late[0], now=LATER)
    assert not due.lots.get().gated
    deliveries.reap(now=LATER, limit=10)
    assert due.lots.get().gated
    assert kinds(due) == ["grant", "notify", "notify"]


def test_the_same_though_the_worker_died_before_it_could_say_so(due, monkeypatch):
    from alerts.sending import notice

    real, late = notice.record, []
    with monkeypatch.context() as patch:
        patch.setattr(notice, "record", lambda delivery, *, now: late.append(delivery))
        deliveries.deliver(now=SENT_AT, limit=10)
    report("undelivered")
    match()
    real(late[0], now=LATER)
    Delivery.objects.update(noticed_at=None)
    deliveries.reap(now=LATER + timedelta(minutes=1), limit=10)
    assert due.lots.get().gated
    assert Delivery.objects.get(channel="sms").withdrawn_at is not None


def test_a_withdrawal_whose_worker_died_is_done_by_the_reap(accepted, monkeypatch):
    from alerts.sending import notice

    report("undelivered")
    with monkeypatch.context() as patch:
        patch.setattr(notice, "withdraw", lambda delivery, *, now: False)
        match()
    assert not accepted.lots.get().gated
    for _ in range(2):
        deliveries.reap(now=LATER, limit=10)
    assert accepted.lots.get().gated
    assert kinds(accepted) == ["grant", "notify", "notify"]
