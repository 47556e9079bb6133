from datetime import date, timedelta

import pytest

from alerts.addresses import consents, contacts
from alerts.models import Contact, Delivery, PlanHold, Reminder, ReminderRule, Suppression, TellingRules
from alerts.planning import blast, reminders
from alerts.planning.due import due_offset
from alerts.rules.programme_rules import offsets
from ledger.actors import Actor
from ledger.models import Lot
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, plan, planned, states


def test_nothing_is_planned_before_its_day(minji):
    assert reminders.plan(now=before(61), limit=100) == 0


def test_a_reminder_is_planned_on_its_day_for_all_lots_that_go_together(minji):
    builders.grant(minji, 300, now=builders.NOW + timedelta(days=1))  # the same month's end
    builders.grant(minji, 50, now=builders.NOW + timedelta(days=40))  # another
    assert reminders.plan(now=before(60), limit=100) == 1
    reminder = Reminder.objects.get()
    assert (reminder.account, reminder.expires_at, reminder.expires_on) == (minji, EXPIRES_AT, LAST_DAY)
    assert (reminder.offset_days, reminder.points_planned) == (60, 1_500)
    assert reminder.due_at == alert_builders.noon(date(2026, 1, 30)) - timedelta(hours=12)


def test_planning_again_plans_nothing(minji):
    reminders.plan(now=before(60), limit=100)
    assert reminders.plan(now=before(60), limit=100) == 0
    assert reminders.plan(now=before(59), limit=100) == 0
    assert Reminder.objects.count() == 1


def tell_now(now):
    """The notice opens the gate, as a delivery would."""
    lot = Lot.objects.select_related("account").get()
    if lot.gated:
        builders.tell(lot.account, [lot.pk], told_on=now.date(), now=now)


def test_each_offset_has_a_reminder_of_its_own_when_its_day_comes(minji):
    for days in (60, 59, 3):
        plan(before(days))
        tell_now(before(days))
    assert [offset for _, _, offset in planned()] == [60, 3]


def test_after_an_outage_only_the_nearest_offset_is_planned(minji):
    tell_now(before(61))
    plan(before(2))
    assert planned() == [("minji", LAST_DAY, 3)]


def test_a_farther_offset_is_never_planned_behind_a_nearer_one(minji):
    tell_now(before(61))
    plan(before(2))
    ReminderRule.objects.filter(offset_days=3).delete()
    plan(before(2))
    assert planned() == [("minji", LAST_DAY, 3)]


def test_nobody_is_planned_for_who_cannot_be_told(byeol):
    jun = builders.jun(byeol)
    builders.grant(jun, 500)
    plan(before(60))
    contacts.put(member=jun.member, address="jun@example.com", language="ko", verified=False, now=builders.NOW)
    plan(before(59))
    assert planned() == []
    alert_builders.email(jun, "jun@example.com")  # a contact that comes late is caught up
    plan(before(58))
    assert planned() == [("jun", LAST_DAY, 60)]
    contacts.refuse(contact=Contact.objects.get(), now=before(40))
    plan(before(33))
    assert planned() == [("jun", LAST_DAY, 60)]


def test_nobody_is_written_to_about_too_few_points(db):
    programme = alert_builders.byeol(60, least_points=100)
    account = alert_builders.minji(programme)
    builders.grant(account, 99)
    plan(before(60))
    assert planned() == []
    builders.grant(account, 1)
    plan(before(60))
    assert planned() == [("minji", LAST_DAY, 60)]


def test_points_that_a_duty_holds_and_that_can_no_longer_be_told_in_time_are_left_alone(minji):
    plan(before(29))  # their date is going to move, so nothing true could be said of it
    assert planned() == []


def test_what_has_expired_is_not_planned(db):
    account = alert_builders.minji(alert_builders.moa(10))
    builders.grant(account, 100)
    plan(EXPIRES_AT)
    assert planned() == []


def test_redeemed_points_are_not_planned_for(minji):
    builders.redeem(minji, 1_200)
    plan(before(60))
    assert planned() == []


def test_a_programme_without_rules_plans_nothing(moa):
    account = alert_builders.minji(moa)
    builders.grant(account, 100)
    plan(before(1))
    assert planned() == []


def test_a_pass_is_bounded_and_the_next_one_goes_on(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    assert reminders.plan(now=before(60), limit=1) == 1
    assert reminders.plan(now=before(60), limit=1) == 1
    assert reminders.plan(now=before(60), limit=1) == 0


def test_a_day_begins_in_the_programmes_zone(db):
    programme = alert_builders.byeol(60, zone="America/New_York")
    account = alert_builders.minji(programme)
    builders.grant(account, 100)
    midnight = alert_builders.noon(date(2026, 1, 30)) + timedelta(hours=2)  # 00:00 in New York
    assert reminders.plan(now=midnight - timedelta(seconds=1), limit=10) == 0
    assert reminders.plan(now=midnight, limit=10) == 1


def test_a_reminder_gets_one_message_however_often_it_is_fanned_out(minji):
    reminders.plan(now=before(60), limit=10)
    assert reminders.fan_out(now=before(60), limit=10) == 1
    assert reminders.fan_out(now=before(60), limit=10) == 0
    assert states() == [(60, "pending", "")]
    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.resend_no, delivery.attempts) == ("email", 0, 0)
    assert delivery.next_attempt_at == before(60)


def test_fanning_out_is_bounded(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    reminders.plan(now=before(60), limit=10)
    assert [reminders.fan_out(now=before(60), limit=1) for _ in range(3)] == [1, 1, 0]


def test_a_reminder_whose_rule_was_removed_gets_no_message(minji):
    reminders.plan(now=before(60), limit=10)
    ReminderRule.objects.filter(offset_days=60).delete()
    assert reminders.fan_out(now=before(60), limit=10) == 1
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("days", [70, 60, 45, 33, 31, 30])
def test_the_statement_and_the_pure_rule_agree(minji, days):
    plan(before(days))
    pure = due_offset(
        offsets(minji.programme_id), today=LAST_DAY - timedelta(days=days), expires_on=LAST_DAY, points=1_200
    )
    assert [offset for _, _, offset in planned()] == ([] if pure is None else [pure])


def test_points_under_inactivity_are_planned_for_by_their_worked_out_date_and_anew_when_activity_moves_it(db):
    account = alert_builders.minji(alert_builders.byeol(model="inactivity"))
    builders.grant(account, 1_200)
    plan(before(60))
    builders.redeem(account, 200, now=before(60))
    april, january = LAST_DAY, date(2027, 1, 31)
    plan(before(60))
    plan(before(60, january))
    assert planned() == [("minji", april, 60), ("minji", january, 60)]


def test_while_a_notice_would_be_too_early_to_count_it_waits_for_its_time(db):
    programme = alert_builders.byeol(60, notice_max_days=45)
    account = alert_builders.minji(programme)
    builders.grant(account, 1_200)
    for days in (60, 46):
        plan(before(days))
    assert planned() == []
    plan(before(45))
    assert planned() == [("minji", LAST_DAY, 60)]


def test_nothing_is_planned_for_an_account_that_is_closed(minji):
    builders.close(minji, now=before(70))
    minji.refresh_from_db()
    assert minji.closes_at < before(50)
    plan(before(50))
    assert planned() == []


def test_for_an_account_that_can_still_be_kept_reminders_go_on(minji):
    builders.close(minji, now=before(65))
    plan(before(60))
    assert planned() == [("minji", LAST_DAY, 60)]


# --- The channels of a rule, and the guard


def fan_out_on(account, *channels, at_once=1):
    alert_builders.by_channels(account.programme, *channels, at_once=at_once)
    plan(before(60))
    return sorted(Delivery.objects.values_list("channel", flat=True))


def test_the_first_channel_that_reaches_the_member_is_used(minji):
    assert fan_out_on(minji, "alimtalk", "email", "sms") == ["email"]


def test_two_at_once_where_the_rule_says_so(minji):
    alert_builders.phone(minji)
    assert fan_out_on(minji, "alimtalk", "sms", "email", at_once=2) == ["email", "sms"]


@pytest.mark.parametrize("standing", ["opted out", "suppressed"])
def test_a_channel_that_the_member_does_not_want_or_that_is_suppressed_is_not_used(minji, standing):
    alert_builders.phone(minji)
    if standing == "opted out":
        consents.say(
            member=minji.member,
            channel="sms",
            purpose="notice",
            given=False,
            source="preferences",
            by=Actor("member", "1"),
            now=before(70),
        )
    else:
        Suppression.objects.create(channel="sms", address="+821012345678", why="complaint", at=before(70))
    assert fan_out_on(minji, "sms", "email") == ["email"]


def test_who_wants_no_messages_at_all_is_not_planned_for(minji):
    consents.say(
        member=minji.member,
        channel="email",
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=before(70),
    )
    plan(before(60))
    assert planned() == []


def test_a_plan_that_the_guard_holds_is_taken_back_and_what_the_guard_noted_stays(minji, byeol):
    TellingRules.objects.create(programme=byeol, blast_least=0)
    assert reminders.plan(now=before(60), limit=100) == 0
    assert planned() == []
    hold = PlanHold.objects.get()
    assert (hold.planned, hold.usual, hold.day, hold.decided_at) == (1, 0, before(60).date(), None)
    blast.decide(hold=hold, let_go=True, by=Actor("staff", "3"), why="asked the shop", now=before(60))
    assert reminders.plan(now=before(60), limit=100) == 1


@pytest.mark.parametrize(("least", "made"), [(4, 2), (3, 0)])
def test_the_guard_counts_all_that_is_due_and_not_only_what_one_run_makes_of_it(minji, byeol, least, made):
    for n in range(3):
        alert_builders.member(byeol, f"member-{n}", 10)
    TellingRules.objects.create(programme=byeol, blast_least=least)
    assert reminders.plan(now=before(60), limit=2) == made
    assert len(planned()) == made
    assert list(PlanHold.objects.values_list("planned", flat=True)) == ([] if made else [4])


def test_the_guard_is_told_what_was_planned_since_the_day_began_in_the_programmes_zone(minji, byeol, monkeypatch):
    for n in range(3):
        alert_builders.member(byeol, f"member-{n}", 10)
    midnight = before(59) - timedelta(hours=12)
    reminders.plan(now=midnight - timedelta(minutes=1), limit=1)
    told = []

    def look(**asked):
        told.append(asked["planned_today"])
        return blast.Look(may_plan=True)

    monkeypatch.setattr("alerts.planning.blast.look", look)
    for minutes in (0, 1):
        reminders.plan(now=midnight + timedelta(minutes=minutes), limit=1)
    assert told == [3, 3]  # the three that are left, then one planned and two left; not the one of the day before
