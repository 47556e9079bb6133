"""Starting, stopping, and ending what a dead supervisor has left."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from devstack.processes import Processes, born, end_leftovers
from tests.devstack.conftest import all_gone
from tests.started import started

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def _wait_for_text(path) -> None:
    deadline = time.monotonic() + 60
    while not path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_processes_are_ended_backwards_and_the_record_goes_with_them(place):
    processes = Processes(place / "record")
    log = place / "log"
    for name in ("first", "second"):
        script = (
            "import signal, sys, time\n"
            f"signal.signal(15, lambda *_: (open('log', 'a').write('{name} '), sys.exit()))\n"
            f"open('{name}', 'w').write('up'); time.sleep(60)"
        )
        processes.start(name, [sys.executable, "-c", script], log=place / f"{name}.log", cwd=place, grace=60)
        (place / name).touch()
        _wait_for_text(place / name)
    processes.stop()
    assert log.read_text() == "second first "
    assert not (place / "record").exists()


def test_one_that_does_not_heed_the_signal_is_killed_after_its_grace(place):
    processes = Processes(None)
    child = processes.start("stubborn", STUBBORN, log=place / "log", grace=0.1)
    _wait_for_text(place / "log")
    processes.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_the_obituary_names_the_process_its_end_and_the_last_lines_of_its_log(place):
    processes = Processes(None)
    child = processes.start(
        "Oracle", [sys.executable, "-c", "print('last words'); raise SystemExit(3)"], log=place / "log"
    )
    child.process.wait()
    assert processes.first_ended() is child
    assert child.obituary() == f"Oracle: exit code 3; the end of {place / 'log'}:\nlast words"


def test_a_log_is_for_its_owner_only(place):
    Processes(None).start("quick", ["true"], log=place / "log").process.wait()
    assert (place / "log").stat().st_mode & 0o077 == 0


def test_left_over_processes_of_a_record_are_ended(place):
    left = subprocess.Popen(SLEEP, start_new_session=True, stdout=subprocess.DEVNULL)
    entry = {"pid": left.pid, "born": born(left.pid), "stop": signal.SIGTERM}
    (place / "record").write_text(json.dumps(entry) + "\n" + '{"pid": 1, "bo')
    end_leftovers(place / "record")
    assert left.wait(60) == -signal.SIGTERM
    assert not (place / "record").exists()


def test_an_innocent_process_with_the_number_of_a_dead_one_is_left_alone(place):
    innocent = subprocess.Popen(SLEEP, start_new_session=True, stdout=subprocess.DEVNULL)
    (place / "record").write_text(json.dumps({"pid": innocent.pid, "born": "another time", "stop": signal.SIGTERM}))
    end_leftovers(place / "record")
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_the_dead_were_never_born():
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert born(gone.pid) is None
    assert born(os.getpid()) == born(os.getpid()) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel tells children of their parent's death")
def test_a_killed_supervisor_takes_its_processes_along(place):
    script = (
        "import os, sys, time; from pathlib import Path; from devstack.processes import Processes\n"
        f"child = Processes(None).start('child', {SLEEP!r}, log=Path(sys.argv[1]))\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    with started([sys.executable, "-c", script, place / "log"]) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        _wait_for_text(place / "log")
        supervisor.kill()
    assert all_gone([pid])
