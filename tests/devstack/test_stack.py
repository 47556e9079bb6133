"""The embedded servers: they start anywhere, leave nothing, and come back after a crash."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.errors import AlreadyRunning
from devstack.home import Home
from devstack.processes import born
from devstack.stack import Stack, missing
from tests.devstack.conftest import all_gone, recorded
from tests.started import started

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

HOLD = """
import sys, time
from pathlib import Path
from devstack.home import Home
from devstack.stack import Stack
stack = Stack(Home(Path(sys.argv[1])), durable=True)
stack.start_postgres(); stack.start_valkey()
print(stack.environment({})["DATABASE_URL"], flush=True)
time.sleep(60)
"""


# A query that looks at nothing but itself: its process does not notice that server and client are gone.
ENDLESS = """
import sys, psycopg
psycopg.connect(sys.argv[1]).execute("SELECT count(*) FROM generate_series(1, 30000000000)")
"""


@pytest.fixture
def home(place, monkeypatch):
    for name in ("POINTKEEP_PG", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    yield place / "home"
    remains = Home(place / "home")
    remains.remove()
    remains.close()


def _start(home) -> Stack:
    stack = Stack(Home(home), durable=False)
    for name in missing({}):
        stack.start(name)
    return stack


def _ask(stack: Stack, sql: str) -> Any:
    with psycopg.connect(stack.environment({})["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def _data(held: Home) -> Path:
    """Where the data lie: for root in another place, when 'nobody' may not enter the home."""
    [found] = [*held.folder.glob("postgres-??"), *held.outside.glob("postgres-??")]
    return found


def _endless(connection: psycopg.Connection) -> int | None:
    connection.rollback()
    row = connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%generate_series(1%' AND pid <> pg_backend_pid()"
    )
    found = row.fetchone()
    return found[0] if found else None


def test_a_stack_serves_on_sockets_and_leaves_no_process_behind(home, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Seoul")
    monkeypatch.setenv("PGPORT", "1")
    with _start(home) as stack:
        environ = stack.environment(os.environ)
        assert "PGPORT" not in environ
        asked = (
            "SELECT current_setting('listen_addresses'), current_setting('timezone'), current_setting('log_timezone')"
        )
        monkeypatch.delenv("PGPORT")
        assert _ask(stack, asked) == ("", "UTC", "UTC")
        with redis.Redis.from_url(environ["REDIS_URL"], retry=Retry(NoBackoff(), 0)) as client:
            assert client.ping()
        pids = recorded(home)
        with pytest.raises(AlreadyRunning):
            Home(home)
    assert len(pids) == 2
    assert all_gone(pids)
    assert not stack.home.sockets.exists()


def test_the_data_stay_and_the_next_start_finds_them(home):
    with _start(home) as stack:
        _ask(stack, "CREATE TABLE kept AS SELECT 42 AS answer")
    with _start(home) as stack:
        assert _ask(stack, "SELECT answer FROM kept") == (42,)


def test_after_a_kill_of_the_supervisor_the_next_start_works(home):
    with started([sys.executable, "-c", HOLD, home]) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline()
        pids = recorded(home)
        supervisor.kill()
    with _start(home) as stack:
        assert all_gone(pids)
        assert _ask(stack, "SELECT 1") == (1,)


def test_after_a_kill_of_everything_an_innocent_process_may_have_the_postmasters_number(home):
    with started([sys.executable, "-c", HOLD, home]) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline()
        pids = recorded(home)
        for pid in (*pids, supervisor.pid):
            os.kill(pid, signal.SIGKILL)
    assert all_gone(pids)
    held = Home(home)
    pid_file = _data(held) / "postmaster.pid"
    held.close()
    lines = pid_file.read_text().splitlines()
    with started(["sleep", "60"]) as innocent:
        pid_file.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with _start(home) as stack:
            assert _ask(stack, "SELECT 1") == (1,)
        assert innocent.poll() is None


def test_a_connection_that_outlives_its_killed_server_is_ended_before_the_next_one_starts(home):
    with _start(home) as stack:
        postmaster = recorded(home)[0]
        url = stack.environment({})["DATABASE_URL"]
        with psycopg.connect(url) as connection, started([sys.executable, "-c", ENDLESS, url]):
            backend = connection.info.backend_pid
            deadline = time.monotonic() + 30
            while not (running := _endless(connection)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.kill(postmaster, signal.SIGKILL)
            connection.close()
        assert running != backend
        assert born(running)
    with _start(home) as stack:
        assert not born(running)
        assert _ask(stack, "SELECT 1") == (1,)


def test_an_initialisation_that_was_cut_off_is_begun_again(home):
    held = Home(home)
    (home / "postgres-18.part").mkdir()
    (home / "postgres-18.part" / "PG_VERSION").write_text("18")
    held.close()
    with _start(home) as stack:
        assert _ask(stack, "SELECT 1") == (1,)


def test_version_16_starts_as_well_and_has_data_of_its_own(home, monkeypatch):
    monkeypatch.setenv("POINTKEEP_PG", "16")
    with Stack(Home(home), durable=False) as stack:
        stack.start_postgres()
        assert _ask(stack, "SHOW server_version")[0].startswith("16.")


def test_only_what_is_not_named_is_missing():
    assert missing({}) == ["DATABASE_URL", "REDIS_URL"]
    assert missing({"DATABASE_URL": "x", "REDIS_URL": ""}) == ["REDIS_URL"]
    assert missing({"DATABASE_URL": "x", "REDIS_URL": "y"}) == []
    assert missing({"DATABASE_URL": "x", "REDIS_URL": "y"}, own=True) == ["DATABASE_URL", "REDIS_URL"]
