"""A day's plan far above the usual waits for a person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from alerts.errors import BadInput
from alerts.models import PlanHold, Reminder, TellingRules
from alerts.planning import blast, reminders
from ledger.actors import Actor
from tests import alert_builders
from tests.alert_builders import before, plan
from tests.builders import NOW

pytestmark = pytest.mark.django_db

BY = Actor("staff", "3")
DAY = date(2025, 3, 10)


def test_a_thousand_never_wait_and_one_more_does_until_a_person_lets_it_go(moa):
    assert blast.may_plan(programme=moa, planned_today=1_000, day=DAY, now=NOW)
    assert not PlanHold.objects.exists()
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    assert not blast.may_plan(programme=moa, planned_today=1_002, day=DAY, now=NOW)
    hold = PlanHold.objects.get()
    assert (hold.planned, hold.usual, hold.let_go) == (1_001, 0, None)
    blast.decide(hold=hold, let_go=True, by=BY, why="asked the shop", now=NOW)
    assert blast.may_plan(programme=moa, planned_today=9_999, day=DAY, now=NOW)
    with pytest.raises(BadInput, match="decided already"):
        blast.decide(hold=hold, let_go=False, by=BY, why="asked the shop", now=NOW)
    hold = PlanHold.objects.get()
    assert (hold.decided_by, hold.why) == ("staff:3", "asked the shop")


def test_a_plan_that_was_refused_stays_refused(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    blast.decide(hold=PlanHold.objects.get(), let_go=False, by=BY, why="asked the shop", now=NOW)
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)


def test_the_usual_is_the_median_of_the_days_that_had_any_in_the_last_28(byeol):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    plan(before(60))
    day = before(60).astimezone(byeol.tz).date()
    usual = [blast.usual(byeol, day + timedelta(days=later)) for later in (0, 1, 28, 29)]
    assert usual == [0.0, 3.0, 3.0, 0.0]


def test_nothing_is_planned_while_the_plan_is_held(byeol):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    TellingRules.objects.create(programme=byeol, blast_least=2)
    plan(before(60))
    hold = PlanHold.objects.get()
    assert (hold.planned, Reminder.objects.count()) == (3, 0)
    plan(before(60))
    assert Reminder.objects.count() == 0
    blast.decide(hold=hold, let_go=True, by=BY, why="asked the shop", now=before(60))
    plan(before(60))
    assert Reminder.objects.count() == 3


def test_what_is_held_or_refused_stays_so_also_for_the_few_that_never_wait_on_other_days(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    assert not blast.may_plan(programme=moa, planned_today=1, day=DAY, now=NOW)
    blast.decide(hold=PlanHold.objects.get(), let_go=False, by=BY, why="asked the shop", now=NOW)
    assert not blast.may_plan(programme=moa, planned_today=1, day=DAY, now=NOW)
    assert blast.may_plan(programme=moa, planned_today=1, day=DAY + timedelta(days=1), now=NOW)
    assert PlanHold.objects.count() == 1


def statements_of(act) -> list[str]:
    """What an act asked the database, but for the marks of transactions, by the table that each begins with."""
    with CaptureQueriesContext(connection) as asked:
        act()
    found = [one["sql"].strip() for one in asked if "SAVEPOINT" not in one["sql"]]
    return [
        "insert"
        if sql.startswith("INSERT INTO alerts_reminder")
        else "count"
        if sql.startswith("SELECT count")
        else sql
        for sql in found
    ]


@pytest.mark.parametrize("let_go", [None, False])
def test_while_a_plan_is_held_or_refused_a_run_writes_and_counts_nothing(byeol, let_go):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    TellingRules.objects.create(programme=byeol, blast_least=2)
    plan(before(60))
    if let_go is False:
        blast.decide(hold=PlanHold.objects.get(), let_go=False, by=BY, why="asked the shop", now=before(60))
    programmes, hold = statements_of(lambda: reminders.plan(now=before(60), limit=2))
    assert '"ledger_programme"' in programmes
    assert hold.startswith('SELECT "alerts_planhold"')
    assert (Reminder.objects.count(), PlanHold.objects.count()) == (0, 1)


def test_a_plan_that_was_let_go_is_written_without_a_count(byeol):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    TellingRules.objects.create(programme=byeol, blast_least=2)
    assert "count" in statements_of(lambda: reminders.plan(now=before(60), limit=2))
    assert (PlanHold.objects.get().planned, Reminder.objects.count()) == (3, 0)
    blast.decide(hold=PlanHold.objects.get(), let_go=True, by=BY, why="asked the shop", now=before(60))
    asked = statements_of(lambda: reminders.plan(now=before(60), limit=2))
    assert (asked.count("insert"), asked.count("count"), Reminder.objects.count()) == (1, 0, 2)
    assert not [sql for sql in asked if "count(" in sql.lower()]


def test_the_next_day_is_looked_at_anew_after_one_that_was_let_go(byeol):
    for number in range(3):
        alert_builders.member(byeol, f"m{number}", 100)
    TellingRules.objects.create(programme=byeol, blast_least=2)
    plan(before(60))
    blast.decide(hold=PlanHold.objects.get(), let_go=True, by=BY, why="asked the shop", now=before(60))
    plan(before(59))
    assert [hold.day for hold in PlanHold.objects.order_by("day")] == [before(60).date(), before(59).date()]
    assert Reminder.objects.count() == 0


def test_the_reason_stays_at_the_hold_without_addresses(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    why = " Sora (sora@example.com, 010-1234-5678)\n knows "
    blast.decide(hold=PlanHold.objects.get(), let_go=True, by=BY, why=why, now=NOW)
    assert PlanHold.objects.get().why == "Sora (…, …) knows"


@pytest.mark.parametrize("why", [" ", "x" * 201])
def test_without_a_reason_nothing_is_decided(moa, why):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    with pytest.raises(BadInput) as refusal:
        blast.decide(hold=PlanHold.objects.get(), let_go=True, by=BY, why=why, now=NOW)
    assert refusal.value.field == "why"
    hold = PlanHold.objects.get()
    assert (hold.let_go, hold.decided_at, hold.why) == (None, None, "")


def test_the_database_keeps_a_decision_as_it_was(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    blast.decide(hold=PlanHold.objects.get(), let_go=True, by=BY, why="asked the shop", now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanHold.objects.update(why="nobody asked")
    assert PlanHold.objects.get().why == "asked the shop"


def test_the_newest_decisions_come_first_and_are_few(moa):
    for later in range(blast.NEWEST_DECIDED + 2):
        assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY + timedelta(days=later), now=NOW)
    assert blast.decided_lately() == []
    for hold in PlanHold.objects.order_by("day")[1:]:
        blast.decide(hold=hold, let_go=False, by=BY, why="wrong", now=NOW + timedelta(hours=hold.day.day))
    assert [hold.day.day for hold in blast.decided_lately()] == [16, 15, 14, 13, 12]
