from datetime import time, timedelta

import pytest

from alerts.addresses import consents, contacts
from alerts.models import Contact, ReminderRule, Suppression
from alerts.models.contact import Channel
from alerts.models.delivery import Status, Why
from alerts.sending import recheck
from alerts.sending.known import read
from alerts.sending.recheck import Go, Stop, Wait
from ledger import expiry
from ledger.actors import Actor
from ledger.kinds import Origin
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, plan, the_delivery


def look(delivery, *, now):
    return recheck.look(delivery, known=read([delivery], now=now))


@pytest.fixture
def delivery(minji):
    plan(before(60))
    return the_delivery()


def test_the_number_is_the_one_at_the_time_of_sending(minji, delivery):
    builders.redeem(minji, 200, now=before(60))
    verdict = look(delivery, now=before(59))
    assert isinstance(verdict, Go)
    assert (verdict.telling.points, verdict.telling.last_day, verdict.telling.days_left) == (1_000, LAST_DAY, 59)
    assert verdict.contact == minji.member.contacts.get()
    assert verdict.lots == [minji.lots.get().pk]


@pytest.mark.parametrize("held", [200, 1_200])
def test_points_that_came_back_by_the_clock_count_though_nobody_wrote_it(minji, delivery, held):
    builders.hold(minji, held, now=before(60), lapses_at=before(59))
    for _ in ("never swept", "swept"):
        verdict = look(delivery, now=before(59))
        assert isinstance(verdict, Go)
        assert (verdict.telling.points, verdict.lots) == (1_200, [minji.lots.get().pk])
        expiry.sweep_all(now=before(59))


def test_nothing_is_sent_of_points_that_are_gone(minji, delivery):
    builders.redeem(minji, 1_200, now=before(60))
    assert look(delivery, now=before(59)) == Stop(Status.SKIPPED, Why.REDEEMED)


def test_nothing_is_sent_of_a_date_that_was_moved(minji, delivery):
    lot = minji.lots.get()
    builders.extend(minji, [lot.pk], LAST_DAY + timedelta(days=30), now=before(60))
    assert look(delivery, now=before(59)) == Stop(Status.SUPERSEDED, Why.MOVED)


def test_of_lots_of_which_one_moved_the_others_are_told(minji, delivery):
    other = builders.lot_of(builders.grant(minji, 77, now=builders.NOW + timedelta(days=1)))
    builders.extend(minji, [minji.lots.get(granted=1_200).pk], LAST_DAY + timedelta(days=30), now=before(60))
    verdict = look(delivery, now=before(59))
    assert isinstance(verdict, Go)
    assert (verdict.telling.points, verdict.lots) == (77, [other.pk])


def test_a_nearer_reminder_speaks_instead(minji, delivery):
    plan(before(33))
    assert look(delivery, now=before(33)) == Stop(Status.SUPERSEDED, Why.NEARER)


def test_a_nearer_reminder_that_is_due_is_waited_for_and_not_for_ever(minji, delivery):
    """Its plan may be held, or its channels reach nobody: then this one is better than none."""
    midnight = before(33) - timedelta(hours=12)
    assert midnight.astimezone(builders.SEOUL).time() == time()
    for moment in (midnight, midnight + timedelta(minutes=59)):
        assert look(delivery, now=moment) == Wait(midnight + timedelta(hours=1))
    assert isinstance(look(delivery, now=midnight + timedelta(hours=12)), Go)


def test_without_a_usable_address_nothing_is_sent(minji, delivery):
    contacts.refuse(contact=minji.member.contacts.get(), now=before(60))
    assert look(delivery, now=before(60)) == Stop(Status.SKIPPED, Why.NO_CONTACT)


def test_a_rule_that_was_removed_or_asks_for_more_points_sends_nothing(minji, delivery):
    ReminderRule.objects.filter(offset_days=60).update(least_points=1_201)
    assert look(delivery, now=before(60)) == Stop(Status.SKIPPED, Why.FEW_POINTS)
    ReminderRule.objects.filter(offset_days=60).delete()
    assert look(delivery, now=before(60)) == Stop(Status.SKIPPED, Why.NO_RULE)


@pytest.mark.parametrize("days", [29, 1, -1, -100])
def test_points_that_are_held_and_too_late_to_tell_are_not_told_of_even_past_their_date(minji, delivery, days):
    assert look(delivery, now=before(days)) == Stop(Status.SUPERSEDED, Why.UNTOLD)


def test_past_the_expiry_it_is_too_late(db):
    programme = alert_builders.moa(3)
    account = alert_builders.minji(programme)
    builders.grant(account, 100)
    plan(before(2))
    last_moment = EXPIRES_AT - timedelta(microseconds=1)
    assert isinstance(look(the_delivery(), now=last_moment), Go)
    assert look(the_delivery(), now=EXPIRES_AT) == Stop(Status.TOO_LATE, Why.EXPIRED)


def test_nothing_is_sent_of_a_promise_that_was_postponed(byeol):
    """A postponement moves the last day as an extension does."""
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    lot = builders.lot_of(builders.grant(jun, 40, spendable_at=before(10), expires_at=EXPIRES_AT))
    plan(before(60))
    assert isinstance(look(the_delivery(), now=before(60)), Go)

    builders.postpone(jun, [lot.pk], before(5), now=before(60))
    assert look(the_delivery(), now=before(60)) == Stop(Status.SUPERSEDED, Why.MOVED)


def test_nothing_is_sent_of_points_that_activity_gave_a_later_date(db):
    account = alert_builders.minji(alert_builders.byeol(model="inactivity"))
    builders.grant(account, 1_200)
    plan(before(60))
    delivery = the_delivery()
    assert isinstance(look(delivery, now=before(60)), Go)

    builders.redeem(account, 1, now=before(60))
    assert look(delivery, now=before(60)) == Stop(Status.SUPERSEDED, Why.MOVED)


def test_points_under_inactivity_that_are_used_up_are_gone_not_moved(db):
    account = alert_builders.minji(alert_builders.byeol(model="inactivity"))
    builders.grant(account, 1_200)
    plan(before(60))
    builders.redeem(account, 1_200, now=before(60))
    builders.grant(account, 5, now=before(59))

    assert look(the_delivery(), now=before(59)) == Stop(Status.SKIPPED, Why.REDEEMED)


def test_a_notice_too_early_to_count_is_not_given(db):
    programme = alert_builders.byeol(60, 33, 3)
    builders.policy(programme, effective_from=builders.NOW, notice_days=30, notice_max_days=50)
    account = alert_builders.minji(programme)
    builders.grant(account, 5, expires_at=EXPIRES_AT, now=builders.NOW - timedelta(days=1))  # may be told of earlier
    builders.grant(account, 1_200)
    plan(before(60))
    delivery = the_delivery()
    verdict = look(delivery, now=before(60))
    assert isinstance(verdict, Go)
    assert verdict.telling.points == 5

    builders.redeem(account, 5, now=before(60))
    assert look(delivery, now=before(60)) == Stop(Status.SKIPPED, Why.TOO_EARLY)
    assert isinstance(look(delivery, now=before(50)), Go)


def test_nothing_is_sent_to_an_account_that_is_closed(minji, delivery):
    builders.close(minji, now=before(60))
    delivery = the_delivery()
    instant = delivery.reminder.account.closes_at
    assert instant is not None
    assert isinstance(look(delivery, now=before(59)), Go)  # it can still be kept, and then its points go on their day
    assert look(delivery, now=instant) == Stop(Status.SKIPPED, Why.CLOSED)
    expiry.sweep_all(now=instant)
    assert look(delivery, now=instant) == Stop(Status.SKIPPED, Why.CLOSED)


# --- Who wants it, and when it may come


def no(account, *, channel="email", purpose="notice"):
    consents.say(
        member=account.member,
        channel=channel,
        purpose=purpose,
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=before(60),
    )


def test_who_opted_out_of_the_channel_since_is_not_written_to(minji, delivery):
    no(minji)
    assert look(delivery, now=before(59)) == Stop(Status.SKIPPED, Why.OPTED_OUT)


@pytest.mark.parametrize("other", [{"channel": "sms"}, {"purpose": "advertising"}])
def test_who_opted_out_of_something_else_is_written_to(minji, delivery, other):
    no(minji, **other)
    assert isinstance(look(delivery, now=before(59)), Go)


def test_an_address_that_was_suppressed_since_is_not_written_to(minji, delivery):
    Suppression.objects.create(channel="email", address="minji@example.com", why="complaint", at=before(60))
    assert look(delivery, now=before(59)) == Stop(Status.SKIPPED, Why.SUPPRESSED)


def test_the_last_day_is_that_of_the_place_where_the_member_lives(minji, delivery):
    Contact.objects.update(zone="Europe/London")
    verdict = look(delivery, now=before(60))
    assert isinstance(verdict, Go)
    assert (verdict.telling.last_day, verdict.telling.last_time) == (LAST_DAY, time(16))  # midnight in Seoul


@pytest.fixture
def alimtalk(minji, byeol):
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    alert_builders.by_channels(byeol, "alimtalk")
    plan(before(60))
    return the_delivery()


def test_an_alimtalk_speaks_of_points_from_purchases(alimtalk):
    assert isinstance(look(alimtalk, now=before(60)), Go)


def test_whether_the_provider_may_send_an_alimtalk_as_sms_is_part_of_what_is_to_be_sent(minji, alimtalk, settings):
    for transport, may in (("sandbox", False), ("nhn", False), ("solapi", True)):
        settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": transport}
        verdict = look(alimtalk, now=before(60))
        assert isinstance(verdict, Go)
        assert verdict.falls_back is may
    no(minji, channel="sms")
    verdict = look(alimtalk, now=before(60))
    assert isinstance(verdict, Go)
    assert verdict.falls_back is False


def test_an_alimtalk_that_would_speak_of_other_points_too_is_refused(minji, alimtalk):
    builders.grant(minji, 50, origin=Origin.PROMOTION, now=builders.NOW + timedelta(days=1))
    assert look(alimtalk, now=before(60)) == Stop(Status.SKIPPED, Why.MIXED)


def test_at_night_an_alimtalk_waits_for_the_morning(alimtalk):
    night = before(60) + timedelta(hours=9)
    assert look(alimtalk, now=night) == Wait(before(60) + timedelta(hours=21))
