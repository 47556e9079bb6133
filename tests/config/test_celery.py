"""The clock: the whole schedule stands in one table."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from config.celery import CLOCK, app


@pytest.mark.parametrize(("name", "tick"), CLOCK.items())
def test_every_tick_wakes_a_task_that_is_there_and_expires_with_its_period(name, tick):
    task, seconds = tick
    module, function = task.rsplit(".", 1)
    assert getattr(import_module(module), function).name == task
    assert app.conf.beat_schedule[name] == {"task": task, "schedule": seconds, "options": {"expires": seconds}}


def test_nothing_else_is_scheduled():
    assert set(app.conf.beat_schedule) == set(CLOCK)


def test_ticks_are_never_rarer_than_once_a_minute():
    """Members are promised times in hours and days; an hour's delay of a whole line of ticks would show."""
    nobody_waits_for = {"audit", "seal", "forget"}
    assert max(seconds for name, (_, seconds) in CLOCK.items() if name not in nobody_waits_for) <= 60


def test_workers_take_one_task_at_a_time_and_keep_no_results():
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_ignore_result is True
    assert app.conf.task_serializer == "json"
    assert app.conf.accept_content == ["json"]


def test_a_worker_leaves_what_it_has_loaded_out_of_garbage_collections():
    script = """
import gc, config.celery
from celery.signals import worker_process_init
before = gc.get_freeze_count()
worker_process_init.send(None)
print(before, gc.get_freeze_count() > 10_000)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0 True\n"


def test_so_does_a_process_of_the_web():
    script = "import gc, config.wsgi; print(gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\n"
