"""Homes in awkward places, and a stand-in for the application: these tests need no tables and no settings."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.processes import born

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = {
    "manage.py": """
import os, sys
if sys.argv[1] == "demo_story":
    print("a word before\\nmember: mina one\\nadmin: boss two")
    print(os.environ["SECRET_KEY"], file=sys.stderr)
if sys.argv[1] == os.environ.get("FAILING_COMMAND"):
    sys.exit("it went wrong")
""",
    "config/__init__.py": "",
    "config/settings.py": "SECRET_KEY = 'stand-in'",
    "config/wsgi.py": """
def application(environ, start_response):
    start_response("200 OK" if environ["PATH_INFO"] == "/health/" else "404 Not Found", [])
    return [b""]
""",
    "config/celery.py": """
import os
from celery import Celery
url = os.environ["REDIS_URL"].replace("unix://", "redis+socket://").replace("?db", "?virtual_host")
app = Celery("stand-in", broker=url)
""",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a space and Korean letters in its name. For root it lies where only root may enter."""
    folder = tmp_path / "포인트 keep"
    folder.mkdir()
    return folder


@pytest.fixture
def environ() -> dict[str, str]:
    """An environment that names no servers and finds this project's packages."""
    named = ("DATABASE_URL", "REDIS_URL", "PORT", "POINTKEEP_PG", "DJANGO_SETTINGS_MODULE")
    return {k: v for k, v in os.environ.items() if k not in named} | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def project(place: Path) -> Path:
    for name, text in STAND_IN.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    return place


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(project: Path, environ: dict[str, str]) -> Iterator[Start]:
    """Starts `python -m MODULE ...` in the stand-in project; whatever still runs afterwards is killed."""
    started: list[subprocess.Popen[str]] = []

    def _start(module: str, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", module, *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(argv, cwd=project, env=environ | more, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield _start
    for process in started:
        process.kill()
        process.communicate()


def recorded(home: Path) -> list[int]:
    """The processes that were started from a home."""
    return [json.loads(line)["pid"] for line in (home / "processes").read_text().splitlines()]


def all_gone(pids: list[int], within: float = 30) -> bool:
    """Whether none of these is left. After a kill -9 that takes a moment."""
    deadline = time.monotonic() + within
    while any(born(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
