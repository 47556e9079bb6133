"""The demo's supervisor, with a stand-in for the application."""

import os
import signal
import subprocess

import pytest

from devstack.ports import any_free, listen_from
from tests.devstack.conftest import all_gone, recorded


@pytest.fixture
def demo(start, project):
    yield lambda *arguments, **more: start("devstack.demo", "--port", str(any_free()), *arguments, **more)
    start("devstack.reset").communicate(timeout=180)


def _until_up(process: "subprocess.Popen[str]") -> list[str]:
    """The lines up to the inbox's, which is the last one."""
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))
        if line.startswith("inbox:"):
            return lines
    raise AssertionError("\n".join([*lines, *(process.stderr or ())]))


def test_it_comes_up_says_where_refuses_a_second_one_and_stops_at_a_signal(demo, start, project):
    with listen_from(any_free()) as busy:
        process = start("devstack.demo", "--port", str(busy.getsockname()[1]))
        lines = _until_up(process)
    address = next(line for line in lines if line.startswith("READY ")).removeprefix("READY ")
    assert lines[-4:] == [f"READY {address}", "member: mina one", "admin: boss two", f"inbox: {address}inbox/"]
    assert address.startswith("http://127.0.0.1:")
    assert any(line.startswith(f"  port {busy_port(lines)} is busy, taking ") for line in lines)

    assert (project / ".data" / "demo" / "env").exists()

    second = demo()
    assert f"already running at {address}" in second.communicate(timeout=180)[1]
    assert second.returncode == 1
    reset = start("devstack.reset")
    assert "stop it first" in reset.communicate(timeout=180)[1]
    assert reset.returncode == 1

    home = project / ".data" / "demo"
    pids = recorded(home)
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0
    assert all_gone(pids)
    assert not (home / "env").exists()
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600


def busy_port(lines: list[str]) -> str:
    return next(line.split()[1] for line in lines if " is busy" in line)


def test_after_a_kill_of_the_supervisor_the_next_start_cleans_up_and_keeps_the_key(demo, project):
    process = demo()
    _until_up(process)
    home = project / ".data" / "demo"
    pids, key = recorded(home), (home / "secret_key").read_text()
    process.kill()
    process.wait()
    following = demo()
    _until_up(following)
    assert all_gone(pids)
    assert (home / "secret_key").read_text() == key
    following.send_signal(signal.SIGTERM)
    assert following.wait(90) == 0


def test_a_process_that_dies_is_named_and_everything_stops(demo, project):
    process = demo()
    _until_up(process)
    pids = recorded(project / ".data" / "demo")
    os.kill(pids[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=180)
    assert "Stopping, because of PostgreSQL 18: SIGKILL" in out
    assert process.returncode == 1
    assert all_gone(pids)


def test_a_step_that_fails_is_shown_with_what_it_said(demo):
    process = demo(FAILING_COMMAND="migrate")
    _, err = process.communicate(timeout=180)
    assert "manage.py migrate: exit code 1" in err
    assert "it went wrong" in err
    assert process.returncode == 1


def test_named_servers_are_used(demo, project):
    process = demo(FAILING_COMMAND="migrate", DATABASE_URL="postgresql:///mine", REDIS_URL="redis://mine")
    out, _ = process.communicate(timeout=180)
    assert "yours (DATABASE_URL)" in out
    assert "yours (REDIS_URL)" in out
    assert not list((project / ".data" / "demo").glob("postgres-*"))
