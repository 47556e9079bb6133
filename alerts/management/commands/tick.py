"""One round of the clock by hand: `manage.py tick`, or one tick: `manage.py tick deliver`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from alerts import tasks
from ledger.tasks import audit, seal, sweep

# In the order in which they build on one another; the names are those of the clock in `config/celery.py`.
TICKS = {
    "extend": tasks.extend,
    "plan": tasks.plan,
    "fan-out": tasks.fan_out,
    "deliver": tasks.deliver,
    "match": tasks.match,
    "reap": tasks.reap,
    "renew": tasks.renew,
    "waive": tasks.waive,
    "sweep": sweep,
    "audit": audit,
    "seal": seal,
    "forget": tasks.forget,
}


class Command(BaseCommand):
    help = "Run one round of the clock's ticks here and now, without Celery and Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", choices=list(TICKS), help="only this tick; default: all, in order")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        for tick, task in TICKS.items():
            if name in (None, tick):
                task()
                self.stdout.write(tick)
