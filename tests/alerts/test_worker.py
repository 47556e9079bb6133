"""The line on real Celery worker processes over a real Redis, with a real mail server.

The producer stands in for beat: it sends the clock's tasks by name, much faster than the clock.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from alerts.models import Attempt, Delivery
from alerts.rules import programme_rules
from config.celery import CLOCK
from ledger.models import Account, Notice
from tests import alert_builders, builders

MEMBERS = 12
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("worker")]


class Line:
    """Worker processes on the test database, and a producer that wakes them."""

    def __init__(self, smtp_port: int, log: Path) -> None:
        self.log = log
        self.prefix = f"test-{uuid.uuid4().hex[:8]}:"
        self.environment = {
            **os.environ,
            "DATABASE_URL": _database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.alerts.worker_settings",
            "REDIS_PREFIX": self.prefix,
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()
        self._producer = threading.Thread(target=self._produce, daemon=True)

    def start_worker(self, processes: int = 2) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", f"--concurrency={processes}"]
        command += ["--loglevel=WARNING", "--without-mingle", "--without-gossip", "--without-heartbeat"]
        with self.log.open("ab") as out:
            worker = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=out, stderr=out, start_new_session=True
            )
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL the worker with its children: nobody gets to clean up."""
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def start_clock(self) -> None:
        self._producer.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._producer.ident:
            self._producer.join(10)
        for worker in self.workers:
            self.kill(worker)

    def _produce(self) -> None:
        app = Celery(broker=settings.CELERY_BROKER_URL)
        app.conf.broker_transport_options = {
            **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
            "global_keyprefix": self.prefix,
        }
        while not self._stopped.wait(0.25):
            for task, _ in CLOCK.values():
                app.send_task(task, expires=2, ignore_result=True)
        app.close()


def _database_url() -> str:
    """DATABASE_URL with the name of the test database."""
    parts = urlsplit(settings.DATABASE_URL)
    return parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


@pytest.fixture
def line(transactional_db, sink, tmp_path) -> Iterator[Line]:
    """Stopped before the flush, which would wait for the workers' transactions."""
    line = Line(sink.port, tmp_path / "worker.log")
    yield line
    line.stop()


@pytest.fixture
def members() -> list[Account]:
    """Twelve members with points that go in fifty days."""
    programme = builders.byeol()
    programme_rules.remind(programme=programme, offset_days=60)
    now = timezone.now()
    return [
        alert_builders.member(programme, f"member-{n:02}", 100 + n, now=now, expires_at=now + timedelta(days=50))
        for n in range(MEMBERS)
    ]


def eventually(line: Line, done: Callable[[], bool], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, line.log.read_text()[-4_000:]
        time.sleep(0.1)


def all_noticed() -> bool:
    return Notice.objects.count() == MEMBERS and not Delivery.objects.filter(noticed_at=None).exists()


def test_workers_tell_every_member_once(line, sink, members):
    line.start_worker()
    line.start_clock()
    eventually(line, all_noticed)
    time.sleep(1)  # several more rounds of the clock
    assert sink.addresses() == [f"member-{n:02}@example.com" for n in range(MEMBERS)]
    assert all(f"{100 + n}P" in mail["Subject"] for n, mail in enumerate(sorted(sink.mails, key=lambda m: m["To"])))
    assert Attempt.objects.count() == MEMBERS
    assert not any(account.lots.get().gated for account in members)


def test_a_worker_killed_in_the_middle_is_finished_by_another_and_nothing_is_told_twice(line, sink, members):
    """The mail server holds the sixth message before it accepts it; there the worker is killed."""
    sink.hold_after = 5
    first = line.start_worker(processes=1)  # so that no other message is on its way at that moment
    line.start_clock()
    assert sink.holding.wait(120), line.log.read_text()[-4_000:]
    line.kill(first)
    sink.hold_after = None
    assert len(sink.mails) == 5

    line.start_worker()
    eventually(line, all_noticed)  # as soon as the dead one's lease has run out
    assert sink.addresses() == [f"member-{n:02}@example.com" for n in range(MEMBERS)]
    assert len({mail["Message-ID"] for mail in sink.mails}) == MEMBERS
    outcomes = Attempt.objects.order_by("outcome").values_list("outcome", flat=True)
    assert list(outcomes) == ["accepted"] * MEMBERS + ["unknown"]
