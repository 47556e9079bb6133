"""What a real worker and a real web server write when all goes wrong: their own handlers are not in use.

Their database is named like an address, and is not there: its name is in the words of every exception.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from alerts.addresses import unsubscribing
from devstack.ports import HOST, any_free
from tests.alerts.test_worker import ROOT, Line

ADDRESS = "piseong@private.example"
PERSONAL = re.compile(r"piseong|private\.example", re.IGNORECASE)

pytestmark = pytest.mark.xdist_group("worker")


@pytest.fixture
def line(tmp_path):
    line = Line(9, tmp_path / "log")
    line.environment["DATABASE_URL"] = urlsplit(settings.DATABASE_URL)._replace(path=f"/{ADDRESS}").geturl()
    yield line
    line.stop()


def until(log: Path, done: Callable[[str], object], seconds: float = 120) -> str:
    deadline = time.monotonic() + seconds
    while not done(log.read_text()):
        assert time.monotonic() < deadline, log.read_text()[-4_000:]
        time.sleep(0.1)
    return log.read_text()


def test_a_worker_tells_its_failed_tasks_by_type_and_frames(line):
    line.start_worker(processes=1)
    line.start_clock()
    log = until(line.log, lambda text: re.search(r"Task alerts\.tasks\.deliver\[.*\n.*\n(  File .*\n)+", text))
    assert re.search(r" ERROR celery\.app\.trace Task alerts\.tasks\.deliver\[[0-9a-f-]{36}\] …: …\n", log)
    assert "\ndjango.db.utils.OperationalError\n" in log
    assert re.search(r'  File ".*/alerts/watch/ticks\.py", line \d+, in tick\n', log)
    assert PERSONAL.search(log) is None


TASK_OF_ITS_OWN = f"""
import logging
from config.celery import app
app.log.setup(loglevel="ERROR", redirect_stdouts=True)
from celery.utils.log import get_task_logger
get_task_logger("some.library").warning("not at this level")
get_task_logger("some.library").error("to %s at %d", {ADDRESS!r}, 7)
logging.getLogger("multiprocessing").error("to %s at %d", {ADDRESS!r}, 8)
"""


def test_celery_sets_up_no_handlers_of_its_own_for_tasks_and_its_pool_and_heeds_loglevel(line):
    done = subprocess.run(
        [sys.executable, "-c", TASK_OF_ITS_OWN], cwd=ROOT, env=line.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    lines = [text.split(" ", 2)[2] for text in done.stderr.splitlines()]
    assert lines == ["ERROR some.library to … at 7", "ERROR multiprocessing to … at 8"]


def test_a_web_server_tells_requests_by_route_and_its_access_log_has_no_token(line):
    port, token = any_free(), unsubscribing.token(member_id=1, channel="email", purpose="notice")
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", f"--bind={HOST}:{port}", "--no-control-socket"]
    with line.log.open("ab") as out:
        web = subprocess.Popen([*command, "--access-logfile=-"], cwd=ROOT, env=line.environment, stdout=out, stderr=out)
    try:
        until(line.log, lambda text: "Booting worker" in text)
        browser = HTTPConnection(HOST, port, timeout=30)
        browser.request("GET", f"/unsubscribe/{token}/?to={ADDRESS}", headers={"Referer": f"http://x/?q={ADDRESS}"})
        assert browser.getresponse().status == 500
        with socket.create_connection((HOST, port), timeout=30) as broken:
            broken.sendall(f"GET /unsubscribe/{token}/ {ADDRESS}\r\n\r\n".encode())
            assert broken.recv(12) == b"HTTP/1.1 400"
        log = until(line.log, lambda text: " WARNING gunicorn.error " in text and " INFO gunicorn.access " in text)
    finally:
        web.terminate()
        web.wait(30)
    assert " ERROR django.request 500 GET /unsubscribe/<str:token>/\n" in log
    assert "\ndjango.db.utils.OperationalError\n" in log
    assert re.search(r' INFO gunicorn\.access .*"GET /unsubscribe/…/\?… HTTP/1\.1" 500 ', log)
    assert re.search(r" WARNING gunicorn\.error \(said in gunicorn/glogging\.py, line \d+\)\n", log)
    assert token not in log
    assert PERSONAL.search(log) is None
