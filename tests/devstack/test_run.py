"""Running a command against servers of its own."""

import signal
import subprocess
import sys

from tests.devstack.conftest import all_gone

SHOW = "import os; print(os.environ['DATABASE_URL']); print(os.environ['REDIS_URL']); raise SystemExit(7)"


def test_the_command_is_told_where_the_servers_are_and_its_exit_code_comes_back(start):
    run = start("devstack.run", "--", sys.executable, "-c", SHOW)
    out, err = run.communicate(timeout=180)
    assert run.returncode == 7, err
    database, redis = out.splitlines()
    assert database.startswith("postgresql://pointkeep@%2Ftmp%2Fpointkeep-")
    assert redis.startswith("unix:///tmp/pointkeep-")


def test_named_servers_are_used_and_nothing_is_started(start):
    run = start(
        "devstack.run", "--", sys.executable, "-c", SHOW, DATABASE_URL="postgresql:///mine", REDIS_URL="redis://mine"
    )
    out, err = run.communicate(timeout=180)
    assert (run.returncode, out, err) == (7, "postgresql:///mine\nredis://mine\n", "")


def test_only_the_server_that_is_not_named_is_started(start):
    run = start("devstack.run", "--", sys.executable, "-c", SHOW, DATABASE_URL="postgresql:///mine")
    out, err = run.communicate(timeout=180)
    assert out.startswith("postgresql:///mine\nunix:///tmp/pointkeep-")
    assert err.startswith("Valkey up in ")


def test_own_servers_replace_the_named_ones(start):
    named = {"DATABASE_URL": "postgresql:///mine", "REDIS_URL": "redis://mine"}
    out, _ = start("devstack.run", "--own", "--", sys.executable, "-c", SHOW, **named).communicate(timeout=180)
    assert "mine" not in out


def test_a_signal_is_passed_on_once_and_everything_is_stopped(start):
    script = (
        "import os, signal, sys, time\n"
        "signal.signal(2, lambda *_: print('heard', flush=True))\n"
        "signal.signal(15, lambda *_: sys.exit(9))\n"
        "print(os.getppid(), flush=True)\n"
        "while True: time.sleep(0.05)"
    )
    run = start("devstack.run", "--", sys.executable, "-c", script)
    assert run.stdout.readline() == f"{run.pid}\n"
    run.send_signal(signal.SIGINT)
    assert run.stdout.readline() == "heard\n"
    run.send_signal(signal.SIGTERM)
    assert run.communicate(timeout=180)[0] == ""
    assert run.returncode == 9


def test_a_command_that_was_killed_gives_128_and_its_signal(start):
    named = {"DATABASE_URL": "x", "REDIS_URL": "y"}
    run = start("devstack.run", "--", "sh", "-c", "kill -9 $$", **named)
    run.communicate(timeout=180)
    assert run.returncode == 137


def test_a_command_that_does_not_exist_is_named(start):
    run = start("devstack.run", "--", "no-such-command", DATABASE_URL="x", REDIS_URL="y")
    assert run.communicate(timeout=180)[1] == "no-such-command: No such file or directory\n"
    assert run.returncode == 127


def test_what_a_command_leaves_in_its_group_is_ended_with_it(start):
    run = start("devstack.run", "--", "sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!", DATABASE_URL="x", REDIS_URL="y")
    out, _ = run.communicate(timeout=180)
    assert all_gone([int(out)])


def test_migrations_come_first_and_their_failure_is_the_result(start):
    named = {"DATABASE_URL": "x", "REDIS_URL": "y"}
    run = start("devstack.run", "--migrate", "--", "echo", "reached", **named)
    assert run.communicate(timeout=180)[0] == "reached\n"
    run = start("devstack.run", "--migrate", "--", "echo", "reached", **named, FAILING_COMMAND="migrate")
    assert run.communicate(timeout=180)[0] == ""
    assert run.returncode == 1


def test_a_home_that_is_named_keeps_its_data(start, project):
    for _ in range(2):
        run = start("devstack.run", "--home", "kept", "--fast", "--", "true")
        _, err = run.communicate(timeout=180)
        assert run.returncode == 0, err
    assert (project / "kept" / "token").exists()
    assert subprocess.run([sys.executable, "-m", "devstack.reset", "--home", project / "kept"]).returncode == 0
    assert not (project / "kept").exists()
