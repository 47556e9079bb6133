"""The clock without Redis: real processes, which end when they are asked to and outlive their database connections."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from alerts.management.commands.dispatcher import clock
from alerts.models import Attempt, Delivery
from alerts.rules import programme_rules
from config.celery import CLOCK
from ledger.models import Notice
from tests import alert_builders, builders

MEMBERS = 8
ROOT = Path(__file__).parents[3]


def test_it_runs_the_ticks_of_the_clock():
    assert [(due.name, getattr(due.tick, "name", ""), due.every) for due in clock()] == [
        (name, task, seconds) for name, (task, seconds) in CLOCK.items()
    ]


@pytest.mark.django_db(transaction=True)
def test_once_runs_every_tick_once_and_a_member_is_told(sink):
    members(1)
    call_command("dispatcher", "--once")
    assert sink.addresses() == ["member-0@example.com"]
    assert Notice.objects.count() == 1


def members(number: int) -> None:
    """Members with points that go in fifty days, and are due to be told."""
    programme = builders.byeol()
    programme_rules.remind(programme=programme, offset_days=60)
    now = timezone.now()
    for n in range(number):
        alert_builders.member(programme, f"member-{n}", 100 + n, now=now, expires_at=now + timedelta(days=50))


class Dispatchers:
    """Dispatchers on the test database, without any Redis to be found."""

    def __init__(self, smtp_port: int, log: Path) -> None:
        self.log = log
        url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "dispatcher"], cwd=ROOT, env=self.environment, stdout=out, stderr=out
            )
        self.running.append(process)
        return process

    def wait(self, done: Callable[[], bool], seconds: float = 150) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, self.log.read_text()[-4_000:]
            time.sleep(0.1)


@pytest.fixture
def dispatchers(transactional_db, sink, tmp_path) -> Iterator[Dispatchers]:
    """Ended before the flush, which would wait for their transactions."""
    these = Dispatchers(sink.port, tmp_path / "dispatcher.log")
    yield these
    for process in these.running:
        process.kill()
        process.wait()


def all_told() -> bool:
    return Notice.objects.count() == MEMBERS and not Delivery.objects.filter(noticed_at=None).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("worker")
def test_two_at_once_tell_every_member_once_and_end_cleanly(dispatchers, sink):
    members(MEMBERS)
    first, second = dispatchers.start(), dispatchers.start()
    dispatchers.wait(lambda: all_told() and connected() >= 2)  # the later one, too, heeds signals by then
    assert sink.addresses() == [f"member-{n}@example.com" for n in range(MEMBERS)]
    assert Attempt.objects.count() == MEMBERS
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0, dispatchers.log.read_text()[-4_000:]
    assert "Traceback" not in dispatchers.log.read_text()


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("worker")
def test_a_database_that_drops_every_connection_does_not_end_it(dispatchers, sink):
    process = dispatchers.start()
    dispatchers.wait(lambda: drop_connections() > 0)
    drop_connections()
    members(MEMBERS)
    dispatchers.wait(all_told, 90)
    assert process.poll() is None
    assert sink.addresses() == [f"member-{n}@example.com" for n in range(MEMBERS)]


def connected() -> int:
    """How many others are connected."""
    return of_all_others("count(*)")


def drop_connections() -> int:
    """What a restart of the server does to whoever is connected; how many there were."""
    return of_all_others("count(pg_terminate_backend(pid))")


def of_all_others(what: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {what} FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        (number,) = cursor.fetchone()
    return int(number)
