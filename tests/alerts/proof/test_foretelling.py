"""The dry run says what planning does: the same scenes are foretold, then played."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction

from alerts.addresses import consents, contacts, suppressions
from alerts.duty import waivers
from alerts.errors import BadInput
from alerts.models import Delivery, PlanHold, Reminder, ReminderRule, TellingRules
from alerts.models.contact import Channel
from alerts.planning import reminders
from alerts.proof import foretelling
from alerts.proof.foretelling import Count, Dropped, Message, Out, Stage
from alerts.rules import programme_rules
from alerts.watch import switches
from ledger import accounts
from ledger.actors import Actor
from ledger.models import Programme
from ledger.policies import start_of_day
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before
from tests.builders import SEOUL

STAFF = Actor("staff", "3")


@contextmanager
def read_only():
    """The database refuses to write anything in here."""
    with transaction.atomic():
        inside = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.savepoint_rollback(inside)


def foretold(programme: Programme, *, now: datetime, day: date | None = None):
    with read_only():
        return foretelling.foretell(programme, day=day, now=now)


def messages(programme: Programme, *, now: datetime, day: date | None = None) -> list[Message]:
    with read_only():
        return list(foretelling.messages(programme, day=day, now=now))


def a_day(days: int) -> date:
    """The day that lies so many days before the last."""
    return LAST_DAY - timedelta(days=days)


def opt_out(account, channel: str) -> None:
    consents.say(
        member=account.member,
        channel=channel,
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=before(100),
    )


# --- What is foretold is what is played


def a_scene(seed: int) -> Programme:
    """Members with all sorts of addresses, words, points and dates, and rules of all sorts."""
    chance = random.Random(seed)
    duty = chance.choice([0, 30])
    programme = builders.byeol(notice_days=duty, notice_max_days=chance.choice([0, 0, 45]) if duty else 0)
    for offset in sorted({60, *chance.sample(range(1, 90), 3)}, reverse=True):
        channels = chance.sample(list(Channel), chance.randint(1, 3))
        programme_rules.remind(
            programme=programme,
            offset_days=offset,
            least_points=chance.choice([1, 1, 50]),
            channels=channels,
            at_once=chance.randint(1, len(channels)),
        )
    for n in range(12):
        _a_member(programme, n, chance)
    if chance.random() < 0.7:
        reminders.plan(now=before(chance.choice([80, 70, 60])), limit=chance.choice([3, 1_000]))
        reminders.fan_out(now=before(60), limit=chance.choice([0, 3, 1_000]))
    return programme


def _a_member(programme: Programme, n: int, chance: random.Random) -> None:
    account = accounts.open_account(programme=programme, reference=f"member-{n}")
    if chance.random() < 0.8:
        alert_builders.email(account, f"member-{n}@example.com")
    if chance.random() < 0.5:
        alert_builders.phone(account, f"+8210123456{n:02}")
    if chance.random() < 0.3:
        alert_builders.phone(account, f"+8210123456{n:02}", channel=Channel.ALIMTALK)
    if chance.random() < 0.2:
        opt_out(account, chance.choice(["email", "sms"]))
    if chance.random() < 0.2:
        suppressions.add(channel="email", address=f"member-{n}@example.com", why="complaint", now=before(100))
    for _ in range(chance.randint(1, 3)):
        granted_at = builders.NOW + timedelta(days=chance.choice([0, 1, 20, 40]))
        builders.grant(account, chance.choice([10, 60, 500]), now=granted_at)
    if chance.random() < 0.2:
        builders.redeem(account, 10, now=before(100))
    if chance.random() < 0.1:
        builders.close(account, now=before(chance.choice([100, 61])))


def played(programme: Programme, at: datetime) -> list[tuple]:
    """Plan and fan out for real at that instant: (member, last day, offset, channel, points) of the messages made."""
    reminders.plan(now=at, limit=1_000)
    reminders.fan_out(now=at, limit=1_000)
    made = Delivery.objects.filter(reminder__programme=programme, created_at=at)
    return sorted(
        made.values_list(
            "reminder__account__member__reference",
            "reminder__expires_on",
            "reminder__offset_days",
            "channel",
            "reminder__points_planned",
        )
    )


@pytest.mark.parametrize("seed", range(24))
def test_it_agrees_with_planning_at_that_day(db, seed):
    programme = a_scene(seed)
    now = before(58)
    day = a_day(random.Random(seed).choice([58, 50, 44, 31, 30, 29, 3]))
    today = day == a_day(58)
    at = now if today else start_of_day(day, SEOUL)
    said = messages(programme, day=day, now=now)
    figures = foretold(programme, day=day, now=now)
    there = Reminder.objects.count()
    real = played(programme, at)
    assert (
        sorted(
            (one.member, one.expires_on, one.offset_days, one.channel, one.points)
            for one in said
            if one.stage != Stage.WAITING
        )
        == real
    )
    assert sum(count.messages for count in (*figures.counts, *figures.earlier)) == len(said)
    new = {(one.member, one.expires_on) for one in said if one.stage == Stage.NEW}
    assert len(new) == Reminder.objects.count() - there


@pytest.mark.parametrize("seed", range(12))
def test_what_comes_due_on_the_day_itself_is_what_is_planned_then_if_the_line_runs_day_by_day(db, seed):
    programme = a_scene(seed + 100)
    days = random.Random(seed).choice([50, 45, 44, 31, 20])
    said = messages(programme, day=a_day(days), now=before(58))
    for each in range(58, days, -1):
        played(programme, before(each))
    assert sorted(
        (one.member, one.expires_on, one.offset_days, one.channel, one.points)
        for one in said
        if one.stage == Stage.NEW and one.due_on == a_day(days)
    ) == played(programme, start_of_day(a_day(days), SEOUL))


# --- The figures


def test_the_figures_are_by_channel_and_offset(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    found = foretold(byeol, now=before(60))
    assert (found.day, found.at, found.reminders) == (a_day(60), before(60), 2)
    assert found.counts == [Count(Stage.NEW, "email", 60, messages=2, points=1_210, pass_on=0)]
    assert (found.earlier, found.dropped, found.held, found.stopped) == ([], [], False, False)
    assert [one.member for one in messages(byeol, now=before(60))] == ["minji", "jun"]
    with read_only():
        assert [one.member for one in foretelling.messages(byeol, now=before(60), limit=1)] == ["minji"]


def test_what_would_have_gone_before_is_counted_apart(minji, byeol):
    found = foretold(byeol, day=a_day(59), now=before(70))
    assert (found.reminders, found.counts) == (0, [])
    assert found.earlier == [Count(Stage.NEW, "email", 60, messages=1, points=1_200, pass_on=0)]
    assert foretold(byeol, day=a_day(60), now=before(70)).reminders == 1
    assert foretold(byeol, now=before(59)).reminders == 1  # today it is caught up
    assert foretold(byeol, day=a_day(61), now=before(70)).counts == []


def test_what_was_sent_is_not_counted_again_and_what_is_on_its_way_is(minji, byeol, sink):
    reminders.plan(now=before(60), limit=10)
    found = foretold(byeol, now=before(60))
    assert [(count.stage, count.messages) for count in found.counts] == [(Stage.PLANNED, 1)]
    reminders.fan_out(now=before(60), limit=10)
    found = foretold(byeol, now=before(60))
    assert [(count.stage, count.messages) for count in found.counts] == [(Stage.WAITING, 1)]
    assert found.dropped == [Dropped(Out.PLANNED, dates=1, points=1_200, waived=0)]
    alert_builders.tick(before(60))
    found = foretold(byeol, now=before(60))
    assert (found.counts, found.reminders) == ([], 0)
    assert found.dropped == [Dropped(Out.PLANNED, dates=1, points=1_200, waived=0)]  # a notice is no waiver


def dropped_of(programme: Programme, days: int) -> list[tuple[Out, int]]:
    found = foretold(programme, now=before(days))
    assert found.counts == []
    return [(out.why, out.dates) for out in found.dropped]


def test_it_says_why_nothing_is_sent(db):
    programme = alert_builders.byeol(60, least_points=100, accepts_waivers=True, notice_max_days=50)
    account = builders.minji(programme)
    builders.grant(account, 99)
    assert dropped_of(programme, 61) == []
    assert dropped_of(programme, 60) == [(Out.TOO_EARLY, 1)]
    assert dropped_of(programme, 50) == [(Out.FEW_POINTS, 1)]
    builders.grant(account, 1)
    assert dropped_of(programme, 50) == [(Out.NO_CONTACT, 1)]
    contact = alert_builders.email(account)
    opt_out(account, "email")
    assert dropped_of(programme, 50) == [(Out.OPTED_OUT, 1)]
    contacts.refuse(contact=contact, now=before(70))
    assert dropped_of(programme, 50) == [(Out.NO_CONTACT, 1)]
    assert dropped_of(programme, 29) == [(Out.UNTOLD, 1)]
    builders.close(account, now=before(52))
    account.refresh_from_db()
    assert account.closes_at is not None
    assert [out.why for out in foretold(programme, now=account.closes_at).dropped] == [Out.CLOSED]


def test_whose_notice_was_waived_is_said_beside_the_reason(db):
    programme = alert_builders.byeol(accepts_waivers=True)
    jun = builders.jun(programme)
    builders.grant(jun, 10)
    waivers.record_waivers(now=before(31), limit=10)
    assert foretold(programme, now=before(31)).dropped == [Dropped(Out.NO_CONTACT, dates=1, points=10, waived=1)]


def test_a_waiver_of_one_date_is_none_of_another(db):
    programme = alert_builders.byeol(90, accepts_waivers=True)
    jun = builders.jun(programme)
    builders.grant(jun, 10)
    builders.grant(jun, 7, now=builders.NOW + timedelta(days=31))  # these go a month later
    waivers.record_waivers(now=before(31), limit=10)
    assert foretold(programme, now=before(31)).dropped == [Dropped(Out.NO_CONTACT, dates=2, points=17, waived=1)]


def test_an_alimtalk_of_points_that_were_not_paid_for_passes_on(minji, byeol):
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    alert_builders.by_channels(byeol, "alimtalk", "email")
    assert [one.passes_on for one in messages(byeol, now=before(60))] == [False]
    builders.grant(minji, 5, origin=builders.Origin.PROMOTION)
    assert [one.passes_on for one in messages(byeol, now=before(60))] == [True]
    assert foretold(byeol, now=before(60)).counts == [Count(Stage.NEW, "alimtalk", 60, 1, 1_205, pass_on=1)]


# --- The guard and the switches


def test_it_says_whether_the_guard_would_hold_it_and_holds_nothing(minji, byeol):
    alert_builders.member(byeol, "jun", 10)
    TellingRules.objects.create(programme=byeol, blast_least=1)
    assert foretold(byeol, now=before(60)).held
    assert not PlanHold.objects.exists()
    assert reminders.plan(now=before(60), limit=10) == 0  # and so it does
    PlanHold.objects.update(decided_at=before(60), let_go=True)
    assert not foretold(byeol, now=before(60)).held


def test_the_guard_counts_what_was_planned_that_day_already(minji, byeol):
    TellingRules.objects.create(programme=byeol, blast_least=1)
    reminders.plan(now=before(60), limit=10)
    assert not foretold(byeol, now=before(60)).held
    alert_builders.member(byeol, "jun", 10)
    later = before(60) + timedelta(hours=1)
    assert foretold(byeol, now=later).held
    assert not foretold(byeol, now=before(59)).held


def test_nothing_is_held_where_nothing_is_new(minji, byeol):
    alert_builders.member(byeol, "jun", 10)
    assert reminders.plan(now=before(60), limit=10) == 2
    TellingRules.objects.create(programme=byeol, blast_least=1)
    assert not foretold(byeol, now=before(60)).held


def test_it_says_who_was_stopped(minji, byeol, settings):
    switches.stop_transport(name=settings.TRANSPORTS["email"], by=STAFF, why="an outage", now=before(61))
    found = foretold(byeol, now=before(60))
    assert (found.stopped, found.stopped_channels) == (False, ["email"])
    switches.resume_transport(name=settings.TRANSPORTS["email"], by=STAFF, why="it is over", now=before(61))
    assert foretold(byeol, now=before(60)).stopped_channels == []
    switches.stop_programme(programme=alert_builders.moa(60), by=STAFF, why="a wrong rule", now=before(61))
    assert not foretold(byeol, now=before(60)).stopped
    switches.stop_programme(programme=byeol, by=STAFF, why="a wrong rule", now=before(61))
    assert foretold(byeol, now=before(60)).stopped


# --- Edges


def test_what_goes_at_this_instant_is_gone(minji, byeol):
    assert foretold(byeol, now=EXPIRES_AT - timedelta(microseconds=1)).dropped == [Dropped(Out.UNTOLD, 1, 1_200, 0)]
    found = foretold(byeol, now=EXPIRES_AT)
    assert (found.counts, found.dropped) == ([], [])


def test_rules_of_another_programme_do_not_count(minji, byeol):
    alert_builders.moa(59)
    assert [(one.member, one.offset_days) for one in messages(byeol, now=before(59))] == [("minji", 60)]


def test_the_first_channel_that_reaches_the_member_is_taken_and_no_other(minji, byeol):
    alert_builders.by_channels(byeol, "sms")
    assert (messages(byeol, now=before(60)), dropped_of(byeol, 60)) == ([], [(Out.NO_CONTACT, 1)])
    alert_builders.by_channels(byeol, "sms", "email")
    assert [one.channel for one in messages(byeol, now=before(60))] == ["email"]
    alert_builders.phone(minji)
    assert [one.channel for one in messages(byeol, now=before(60))] == ["sms"]


def test_a_reminder_that_lies_behind_one_that_was_made_is_not_made(minji, byeol):
    reminders.plan(now=before(33), limit=10)
    ReminderRule.objects.filter(offset_days=33).delete()
    assert dropped_of(byeol, 33) == [(Out.PLANNED, 1)]


@pytest.mark.parametrize("day", [a_day(61), date(9001, 1, 1), date(1, 1, 1)])
def test_a_day_that_has_gone_or_never_comes_is_refused(byeol, day):
    for ask in (foretelling.foretell, foretelling.messages):
        with pytest.raises(BadInput) as refused:
            ask(byeol, day=day, now=before(60))
        assert refused.value.field == "day"


def test_a_programme_without_rules_sends_nothing(moa):
    builders.grant(builders.minji(moa), 100)
    found = foretold(moa, now=before(1))
    assert (found.reminders, found.counts, found.dropped) == (0, [], [])
    assert messages(moa, now=before(1)) == []


def test_nothing_of_another_programme_is_in_it(minji):
    moa = alert_builders.moa(60)
    assert (foretold(moa, now=before(60)).counts, messages(moa, now=before(60))) == ([], [])
    reminders.plan(now=before(60), limit=10)
    assert foretold(moa, now=before(60)).counts == []
    reminders.fan_out(now=before(60), limit=10)
    assert foretold(moa, now=before(60)).counts == []


def test_it_reads_the_lots_by_their_date(minji, byeol):
    asked = foretelling._asked(byeol, None, before(60))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {foretelling._FIGURES}", asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using lot_expiring on ledger_lot" in plan or "Bitmap Index Scan on lot_expiring" in plan
    assert "Seq Scan" not in plan
