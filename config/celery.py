"""The clock: the whole schedule stands in this one table.

Celery and Redis only wake workers; what is due stands in PostgreSQL. Every tick is bounded, safe to run twice at
once, and expires with its period, so that a worker that was away finds no pile of old wake-ups.
"""

import gc
import logging
import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from django.conf import settings
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pointkeep", task_cls="alerts.watch.tasks:NotedTask")  # when each began and ended is noted
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# name: (task, every so many seconds)
CLOCK = {
    "plan": ("alerts.tasks.plan", 30),  # lots -> reminders
    "fan-out": ("alerts.tasks.fan_out", 15),  # reminders -> deliveries
    # Claim due deliveries, check again, render, send. Where much is due a tick lasts longer than that: then as many
    # workers as are free send side by side.
    "deliver": ("alerts.tasks.deliver", 3),
    "renew": ("alerts.tasks.renew", 60),  # reminders that told nobody, once their member can be told
    "match": ("alerts.tasks.match", 10),  # what providers reported, to the deliveries it is about
    "reap": ("alerts.tasks.reap", 30),  # leases that ran out; unknown outcomes; notices to record or withdraw
    "extend": ("alerts.tasks.extend", 60),  # extension rules; then gated lots of which nobody was told in time
    "waive": ("alerts.tasks.waive", 60),  # points of which nobody need be told
    "forget": ("alerts.tasks.forget", 3_600),  # texts of messages whose time is over
    "sweep": ("ledger.tasks.sweep", 60),  # write off what the clock has ended
    "audit": ("ledger.tasks.audit", 300),  # tell what moved again, and look at the rest in turn
    "seal": ("ledger.tasks.seal", 600),  # sign what the accounts are now, so that nobody rewrites it unseen
}

app.conf.beat_schedule = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, (task, seconds) in CLOCK.items()
}


@worker_process_init.connect
def leave_alone_what_is_loaded(**of_celery: object) -> None:
    """It stays as long as the worker. To look at all of it again in each garbage collection took a fifth of the time
    of a tick that sends."""
    gc.freeze()


@setup_logging.connect
def log_as_everywhere(loglevel: int, **of_celery: object) -> None:
    """Celery's own handlers would print what a task was given, and exceptions in full: with this it sets up none."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    logging.getLogger().setLevel(loglevel)  # --loglevel
