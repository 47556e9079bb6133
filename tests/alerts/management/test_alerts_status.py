"""The gauges for people: a verdict on each line, and an exit code for scripts."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from alerts.duty import unreached
from alerts.models import PlanHold
from alerts.planning import blast
from alerts.watch import switches, ticks
from config.celery import CLOCK
from ledger.actors import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def running():
    """Every tick has just begun and ended."""
    for name in CLOCK:
        with ticks.tick(name, now=timezone.now()):
            pass


def status(*options: str) -> tuple[int, str]:
    """The exit code and what was said."""
    out = StringIO()
    try:
        call_command("alerts_status", *options, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def looked_at(said: str) -> list[str]:
    return [" ".join(line.split()) for line in said.splitlines() if line.startswith("look")]


def test_a_line_in_order_is_ok_in_every_line(running):
    code, said = status()
    assert code == 0
    assert looked_at(said) == []
    assert len(said.splitlines()) == sum(len(gauge.samples) for gauge in unreached.all_gauges(now=timezone.now()))
    assert "ok oldest_due_seconds smtp 0 (at most 900)" in [" ".join(line.split()) for line in said.splitlines()]


def test_what_needs_a_look_says_so_with_its_threshold(running):
    switches.stop_transport(name="smtp", by=Actor("staff", "3"), why="bounces", now=timezone.now())
    code, said = status()
    assert code == 1
    assert looked_at(said) == ["look transport_stopped smtp 1 (at most 0)"]


def test_a_clock_that_never_ran_needs_a_look():
    code, said = status()
    assert code == 1
    assert "look tick_ended_seconds plan never (at most 600)" in looked_at(said)
    assert len(looked_at(said)) == 2 * len(CLOCK)


def test_as_json_it_says_the_same_to_programs(running):
    code, said = status("--json")
    assert code == 0
    told = json.loads(said)
    assert told["verdict"] == "ok"
    (smtp,) = [
        line
        for line in told["lines"]
        if line["gauge"] == "oldest_due_seconds" and line["labels"] == {"transport": "smtp"}
    ]
    assert (smtp["value"], smtp["most"], smtp["verdict"]) == (0, 900, "ok")
    assert smtp["means"].startswith("Age of the oldest due delivery")


def test_as_json_never_is_null():
    code, said = status("--json")
    assert code == 1
    told = json.loads(said)
    assert told["verdict"] == "look"
    assert [line["value"] for line in told["lines"] if line["gauge"] == "tick_ended_seconds"] == [None] * len(CLOCK)


def test_the_newest_decisions_about_held_plans_stand_below_with_their_reason(running, moa):
    day = date(2025, 3, 10)
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=day, now=timezone.now())
    hold = PlanHold.objects.get()
    blast.decide(hold=hold, let_go=True, by=Actor("staff", "3"), why="a year's points", now=timezone.now())
    code, said = status()
    assert code == 0
    assert said.splitlines()[-1] == "note  plan of moa for 2025-03-10 was let go by staff:3: a year's points"
    assert json.loads(status("--json")[1])["plans_decided"] == [
        {"programme": "moa", "day": "2025-03-10", "let_go": True, "by": "staff:3", "why": "a year's points"}
    ]
