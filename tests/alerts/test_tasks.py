import pytest

from alerts import tasks
from config.celery import CLOCK, app


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {task for task, _ in CLOCK.values()} <= set(app.tasks)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "task", [tasks.plan, tasks.fan_out, tasks.deliver, tasks.match, tasks.reap, tasks.extend, tasks.waive, tasks.forget]
)
def test_each_tick_runs_on_an_empty_database(task):
    assert task() is None
