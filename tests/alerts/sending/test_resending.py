"""A person sends again what was given up, or leaves it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from alerts.addresses import consents
from alerts.errors import BadInput, NotSent, Rejected
from alerts.models import Delivery, ProviderEvent, ReminderRule
from alerts.sending import deliveries, resending
from ledger.actors import Actor
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, on_channels, plan

SENT_AT = before(60)
LATER = SENT_AT + timedelta(hours=3)
BY = Actor("staff", "3")
GIVEN_UP = ("email", "dead", "exhausted")


@pytest.fixture
def dead(minji, byeol, carrier, monkeypatch) -> Delivery:
    """An e-mail to Minji's only address that was given up after its one call."""
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    return given_up(carrier)


def given_up(carrier) -> Delivery:
    plan(SENT_AT)
    carrier.answers = [NotSent()]
    deliveries.deliver(now=SENT_AT, limit=1)
    carrier.answers = []
    assert on_channels()[0] == GIVEN_UP
    return Delivery.objects.get(status="dead")


def send_again(row: Delivery, *, now=LATER, why="the server was mended") -> Delivery:
    return resending.send_again(delivery=row, by=BY, why=why, now=now)


def refused(row: Delivery, **more) -> tuple[str | None, str]:
    """What it says of which field; and nothing was written."""
    then = list(Delivery.objects.order_by("pk").values())
    with pytest.raises(BadInput) as refusal:
        send_again(row, **more)
    assert list(Delivery.objects.order_by("pk").values()) == then
    assert not ProviderEvent.objects.filter(our_key=str(row.pk)).exists()
    return refusal.value.field, refusal.value.detail


def test_it_goes_once_more_to_the_address_that_was_tried(dead, minji, carrier):
    again = send_again(dead)
    assert (again.channel, again.resend_no, again.status, again.anew) == ("email", 1, "pending", True)
    assert again.next_attempt_at == LATER
    assert on_channels() == [GIVEN_UP, ("email", "pending", "")]
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [GIVEN_UP, ("email", "accepted", "")]
    assert [message.to for message in carrier.taken] == ["minji@example.com"]
    assert carrier.taken[0].key == again.pk
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)
    assert {one.programme_id for one in Delivery.objects.all()} == {minji.programme_id}  # in one queue


def test_who_did_it_and_why_stays_beside_the_one_that_was_given_up(dead):
    send_again(dead, why=" the server was mended ")
    event = ProviderEvent.objects.get()
    assert (event.transport, event.delivery_id, event.occurred_at) == ("by hand", dead.pk, LATER)
    assert json.loads(event.raw) == {"decision": "sent_again", "by": "staff:3", "why": "the server was mended"}


def test_it_is_sent_again_once_and_what_followed_once_more_when_that_is_given_up(dead, carrier):
    again = send_again(dead)
    assert refused(again)[1].startswith("Only what was given up or refused can be sent again")
    with pytest.raises(BadInput, match="Another message followed"):
        send_again(dead)
    carrier.answers = [NotSent()]
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [GIVEN_UP, GIVEN_UP]  # its only address was tried once more, and no third one was made
    carrier.answers = []
    third = send_again(Delivery.objects.get(pk=again.pk), now=LATER + timedelta(hours=1))
    assert third.resend_no == 2


def test_after_one_that_was_sent_again_the_other_address_has_its_turn(dead, minji, carrier):
    alert_builders.email(minji, "second@example.com")
    send_again(dead)
    carrier.answers = [NotSent()]
    deliveries.deliver(now=LATER, limit=1)
    carrier.answers = []
    assert sorted(on_channels()) == [GIVEN_UP, GIVEN_UP, ("email", "pending", "")]
    deliveries.deliver(now=LATER + timedelta(minutes=1), limit=10)
    assert [message.to for message in carrier.calls] == [
        *("minji@example.com", "minji@example.com", "second@example.com")
    ]


def test_each_address_that_was_tried_before_is_tried_once_more(minji, carrier, monkeypatch):
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    alert_builders.email(minji, "second@example.com")
    plan(SENT_AT)
    carrier.answers = [NotSent()]
    for later in (0, 1):
        deliveries.deliver(now=SENT_AT + timedelta(minutes=later), limit=10)
    assert on_channels() == [GIVEN_UP, GIVEN_UP]
    send_again(Delivery.objects.get(resend_no=1))
    deliveries.deliver(now=LATER, limit=10)
    deliveries.deliver(now=LATER + timedelta(minutes=1), limit=10)
    assert on_channels() == [GIVEN_UP] * 4  # and no fifth: each was tried once in this round, too
    assert [message.to for message in carrier.calls] == ["minji@example.com", "second@example.com"] * 2


def test_what_was_refused_for_good_without_a_follower_can_be_sent_again(minji, carrier):
    plan(SENT_AT)
    carrier.answers = [Rejected()]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert on_channels() == [("email", "failed", "refused")]
    carrier.answers = []
    send_again(Delivery.objects.get())
    deliveries.deliver(now=LATER, limit=10)
    assert on_channels() == [("email", "failed", "refused"), ("email", "accepted", "")]


def test_beside_one_that_followed_on_another_channel_it_is_not_sent_again(minji, byeol, carrier, monkeypatch):
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "email", "sms")
    dead = given_up(carrier)
    assert on_channels() == [GIVEN_UP, ("sms", "pending", "")]
    said = ("delivery", "Another message of this reminder is on its way, or was taken.")
    assert refused(dead) == said
    deliveries.deliver(now=SENT_AT + timedelta(minutes=1), limit=10)
    assert on_channels() == [GIVEN_UP, ("sms", "accepted", "")]
    assert refused(dead) == said
    alert_builders.by_channels(byeol, "email", "sms", at_once=2)
    assert send_again(dead).resend_no == 1


def nothing(reason: str) -> tuple[str, str]:
    return "delivery", f"Nothing would be sent: {reason}."


def test_it_is_refused_when_the_date_is_over_or_the_points_are_gone(dead, minji):
    assert refused(dead, now=EXPIRES_AT) == nothing("too late to tell: the date will be moved")
    builders.redeem(minji, 1_200, now=LATER)
    assert refused(dead) == nothing("the points are gone")


def test_where_no_duty_keeps_the_points_it_is_refused_when_they_have_expired(db, carrier, monkeypatch):
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    builders.grant(alert_builders.minji(alert_builders.moa(60)), 1_200)
    assert refused(given_up(carrier), now=EXPIRES_AT) == nothing("the points expired before")


def test_it_is_refused_beside_a_nearer_reminder(dead):
    plan(before(33))
    assert refused(dead, now=before(33)) == nothing("a nearer reminder is due")


def test_it_is_refused_where_nobody_can_be_told(dead, minji):
    consents.say(
        member=minji.member,
        channel="email",
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=SENT_AT,
    )
    assert refused(dead) == nothing("the member wants no such messages")


def test_it_is_refused_when_its_rule_is_gone(dead):
    ReminderRule.objects.filter(offset_days=60).delete()
    assert refused(dead) == nothing("the reminder rule was removed")


@pytest.mark.parametrize("why", [" ", "x" * 201])
def test_it_needs_a_reason(dead, why):
    assert refused(dead, why=why) == ("why", "Say why, in at most 200 letters.")
    with pytest.raises(BadInput, match="Say why"):
        resending.leave(delivery=dead, by=BY, why=why, now=LATER)


@pytest.mark.parametrize("status", ["pending", "accepted"])
def test_one_that_waits_or_was_taken_is_not_sent_again(minji, carrier, status):
    plan(SENT_AT)
    if status == "accepted":
        deliveries.deliver(now=SENT_AT, limit=10)
    row = Delivery.objects.get(status=status)
    assert not resending.may_be_sent_again(row)
    assert refused(row)[0] == "delivery"


def test_it_may_be_sent_again_until_something_follows_on_its_channel(dead):
    assert resending.may_be_sent_again(dead)
    send_again(dead)
    assert not resending.may_be_sent_again(dead)


def test_what_is_left_stays_given_up_by_a_person_once(dead):
    row = resending.leave(delivery=dead, by=BY, why="she telephoned", now=LATER)
    assert (row.status, row.why) == ("dead", "stopped")
    assert json.loads(ProviderEvent.objects.get().raw) == {
        "decision": "left",
        "by": "staff:3",
        "why": "she telephoned",
    }
    with pytest.raises(BadInput, match="somebody has dealt with it"):
        resending.leave(delivery=dead, by=BY, why="again", now=LATER)
    assert ProviderEvent.objects.count() == 1
    assert Delivery.objects.count() == 1
