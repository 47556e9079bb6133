from datetime import date, timedelta

import pytest

from alerts.addresses import consents, contacts
from alerts.duty.untold import extend_untold
from alerts.models import ReminderRule, Suppression
from alerts.sending import deliveries
from ledger.actors import Actor
from ledger.models import Entry, Extension
from ledger.policies import last_day
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan, planned
from tests.builders import SEOUL

APRIL = date(2026, 4, 30)


def extend(now):
    return extend_untold(now=now, limit=100)


def last_days(account):
    return [last_day(lot.expires_at, SEOUL) for lot in account.lots.order_by("pk")]


def test_while_there_is_time_to_tell_nothing_moves(minji):
    assert extend(before(30)).orders == 0
    assert last_days(minji) == [LAST_DAY]


def test_once_it_is_too_late_the_date_moves_so_that_there_is_the_full_notice_again(minji):
    builders.grant(minji, 300, now=builders.NOW + timedelta(days=1))  # goes on the same day
    assert extend(before(29)).orders == 1
    # 2 March + 30 days of duty + 3 of slack = 4 April, rounded up to the end of the month as the policy says.
    assert last_days(minji) == [date(2026, 4, 30)] * 2
    entry = Entry.objects.get(kind="extend")
    first_lot = minji.lots.order_by("pk").first()
    assert (entry.actor, entry.key) == ("alerts", f"untold:{first_lot.pk}:2026-03-31:2026-03-02")
    assert entry.reason == "nobody was told in time"


def test_it_moves_once_and_the_new_date_gets_its_reminders_at_once(minji):
    for _ in range(3):
        extend(before(29))
    assert Extension.objects.count() == 1
    plan(before(29))  # 59 days before 30 April
    assert planned() == [("minji", date(2026, 4, 30), 60)]


def test_points_long_past_their_date_are_found_too(minji):
    assert extend(before(-40)).orders == 1
    assert last_days(minji) == [date(2026, 6, 30)]  # 10 May + 33 days, to the end of the month


def test_points_that_were_told_of_in_time_stay(minji):
    builders.tell(minji, [minji.lots.get().pk], told_on=LAST_DAY - timedelta(days=60), now=before(60))
    assert extend(before(29)).orders == 0


def nobody_knows_the_address(account):
    contacts.refuse(contact=account.member.contacts.get(), now=before(60))


def there_is_no_rule(account):
    ReminderRule.objects.all().delete()


def the_rules_come_too_late_for_the_duty(account):
    ReminderRule.objects.filter(offset_days__gt=3).delete()


def the_member_wants_no_messages(account):
    consents.say(
        member=account.member,
        channel="email",
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=before(60),
    )


def the_address_is_suppressed(account):
    Suppression.objects.create(channel="email", address="minji@example.com", why="complaint", at=before(60))


def the_points_are_worth_no_message(account):
    ReminderRule.objects.update(least_points=1_201)


@pytest.mark.parametrize(
    "because",
    [
        nobody_knows_the_address,
        the_member_wants_no_messages,
        the_address_is_suppressed,
        there_is_no_rule,
        the_rules_come_too_late_for_the_duty,
        the_points_are_worth_no_message,
    ],
)
def test_points_of_which_nobody_can_be_told_stay_held_without_further_extensions(minji, because):
    because(minji)
    assert extend(before(29)).orders == 0
    assert extend(before(-400)).orders == 0
    assert last_days(minji) == [LAST_DAY]
    assert minji.lots.get().gated


def test_they_move_as_soon_as_somebody_can_be_told(byeol):
    jun = builders.jun(byeol)
    builders.grant(jun, 10)
    assert extend(before(29)).orders == 0
    alert_builders.email(jun, "jun@example.com")
    assert extend(before(28)).orders == 1


def test_points_without_a_duty_never_move(db):
    account = alert_builders.minji(alert_builders.moa(60))
    builders.grant(account, 100)
    assert extend(before(1)).orders == 0


def test_a_pass_is_bounded_and_the_next_goes_on(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    assert [extend_untold(now=before(29), limit=1).orders for _ in range(3)] == [1, 1, 0]


def moved_once(account):
    """Nobody was told in time, the date moved to 30 April, and nobody was told of that either."""
    assert extend(before(29)).orders == 1
    assert account.lots.get().moved_untold
    return before(29, APRIL)


def test_once_not_for_ever(minji):
    late = moved_once(minji)
    for days in (0, 1, 100):
        assert extend(late + timedelta(days=days)).orders == 0
    assert last_days(minji) == [APRIL]
    assert minji.lots.get().gated


def test_once_more_when_a_message_of_the_programme_got_through_since(minji, byeol, sink):
    late = moved_once(minji)
    alert_builders.member(byeol, "jun", 10, now=late - timedelta(days=320), expires_at=late + timedelta(days=40))
    plan(late - timedelta(days=1))
    assert extend(late).orders == 0
    deliveries.deliver(now=late, limit=10)
    assert "jun@example.com" in sink.addresses()
    assert extend(late).orders == 1
    assert last_days(minji) == [date(2026, 5, 31)]
    assert extend(late).orders == 0
    assert [lot.moved_untold for lot in minji.lots.all()] == [True]


def test_a_message_of_another_programme_is_no_sign(minji, sink):
    late = moved_once(minji)
    other = alert_builders.byeol(60, code="other")
    alert_builders.member(other, "jun", 10, now=late - timedelta(days=320), expires_at=late + timedelta(days=40))
    plan(late)
    deliveries.deliver(now=late, limit=10)
    assert sink.addresses() == ["jun@example.com"]
    assert extend(late).orders == 0


def test_a_message_that_got_through_before_the_move_is_no_sign(minji, byeol, sink):
    alert_builders.member(byeol, "jun", 10, expires_at=before(29) + timedelta(days=40))
    an_hour_before = before(29) - timedelta(hours=1)
    plan(an_hour_before)
    deliveries.deliver(now=an_hour_before, limit=10)
    assert sink.addresses() == ["jun@example.com"]
    assert extend(moved_once(minji)).orders == 0


def test_once_more_when_an_address_was_verified_since(minji):
    late = moved_once(minji)
    contacts.refuse(contact=minji.member.contacts.get(), now=late)
    assert extend(late).orders == 0
    alert_builders.email(minji, "new@example.com", now=late)
    assert extend(late).orders == 1
    assert last_days(minji) == [date(2026, 5, 31)]


def test_where_the_policy_asks_for_more_channels_than_the_member_has_nothing_moves(db):
    account = alert_builders.minji(alert_builders.byeol(notice_channels=2))
    builders.grant(account, 1_200)
    assert extend(before(29)).orders == 0
    assert account.lots.get().gated


def test_one_channel_of_two_leaves_the_gate_shut(db, sink):
    account = alert_builders.minji(alert_builders.byeol(notice_channels=2))
    builders.grant(account, 1_200)
    plan(before(60))
    deliveries.deliver(now=before(60), limit=10)
    assert Entry.objects.filter(account=account, kind="notify").exists()
    assert account.lots.get().gated


def test_for_an_account_that_is_closed_nothing_moves(minji):
    builders.close(minji, now=before(70))
    assert extend(before(29)).orders == 0
