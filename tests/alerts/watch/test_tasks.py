"""Every run of a scheduled task is noted, the ledger's too."""

from __future__ import annotations

import pytest
from celery import shared_task

from alerts import tasks
from alerts.models import Tick
from alerts.watch.tasks import NotedTask
from config.celery import CLOCK, app
from ledger.tasks import sweep

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("task", "name"), [(tasks.fan_out, "fan-out"), (sweep, "sweep")])
def test_a_run_is_noted_under_its_name_in_the_clock(task, name):
    task()
    tick = Tick.objects.get()
    assert tick.name == name
    assert tick.ended_at is not None
    assert tick.ended_at >= tick.began_at


def test_a_run_that_fails_has_not_ended(monkeypatch):
    monkeypatch.setattr("alerts.tasks.reminders.plan", None)
    with pytest.raises(TypeError):
        tasks.plan()
    assert Tick.objects.values_list("name", "ended_at").get() == ("plan", None)


def test_a_task_that_nothing_schedules_leaves_no_note():
    @shared_task(name="tests.unscheduled")
    def unscheduled() -> str:
        return "done"

    assert unscheduled() == "done"
    assert not Tick.objects.exists()


def test_all_tasks_of_the_clock_are_of_this_class():
    app.loader.import_default_modules()
    assert all(isinstance(app.tasks[task], NotedTask) for task, _ in CLOCK.values())
