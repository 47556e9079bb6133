"""`manage.py dispatcher`: the clock without Redis."""

from __future__ import annotations

import gc
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand

from alerts.dispatching import Due, run


class Command(BaseCommand):
    help = (
        "Run the ticks of the clock in this process, without Celery and Redis. Any number of these may run, beside "
        "workers too. SIGTERM or Ctrl-C: the tick that runs is finished, and no other is begun."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="every tick once, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        asked: list[int] = []  # signals; a lock would be in the way of a handler that interrupts its owner

        def end(number: int, frame: FrameType | None) -> None:
            asked.append(number)

        previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        ticks = clock()
        if not options["once"]:
            gc.freeze()  # what is loaded by now stays: no garbage collection need look at it again
        try:
            run(ticks, stopped=lambda: bool(asked), once=options["once"])
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def clock() -> list[Due]:
    """The table of `config/celery.py`, as Celery has read it."""
    current_app.loader.import_default_modules()
    schedule = current_app.conf.beat_schedule
    return [Due(name, current_app.tasks[tick["task"]], tick["schedule"]) for name, tick in schedule.items()]
