from datetime import timedelta

import pytest

from alerts import contacts
from alerts.models import ReminderRule
from alerts.models.delivery import Status, Why
from alerts.recheck import Go, Stop, look
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, plan, the_delivery


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
    assert look(delivery, now=before(33)) == Stop(Status.SUPERSEDED, Why.NEARER)


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
