"""How the clock's tasks are run, in a worker and in the dispatcher: each run is noted under its name in the clock."""

from __future__ import annotations

from typing import Any

from celery import Task
from django.utils import timezone

from alerts.watch.ticks import tick


class NotedTask(Task):
    """The class of all our tasks (`config/celery.py`). A task that is not in the clock's table leaves no note."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names = {entry["task"]: name for name, entry in self.app.conf.beat_schedule.items()}
        if self.name not in names:
            return super().__call__(*args, **kwargs)
        with tick(names[self.name], now=timezone.now()):
            return super().__call__(*args, **kwargs)
