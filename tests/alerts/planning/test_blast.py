"""A day's plan far above the usual waits for a person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from alerts.errors import BadInput
from alerts.models import PlanHold, Reminder, TellingRules
from alerts.planning import blast
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
    blast.decide(hold=hold, let_go=True, by=BY, now=NOW)
    assert blast.may_plan(programme=moa, planned_today=9_999, day=DAY, now=NOW)
    with pytest.raises(BadInput, match="decided already"):
        blast.decide(hold=hold, let_go=False, by=BY, now=NOW)
    assert PlanHold.objects.get().decided_by == "staff:3"


def test_a_plan_that_was_refused_stays_refused(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=DAY, now=NOW)
    blast.decide(hold=PlanHold.objects.get(), let_go=False, by=BY, now=NOW)
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
    blast.decide(hold=hold, let_go=True, by=BY, now=before(60))
    plan(before(60))
    assert Reminder.objects.count() == 3
