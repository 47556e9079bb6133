"""Finding and killing processes: with a worker that is a shell with a child."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from chaos import line as lines
from chaos.line import READY, Line, children_of, is_group_left
from devstack.errors import DidNotStart
from devstack.processes import Processes

# A main process with one child; the child outlives it, as a pool outlives its worker, but not for ever.
STARTS = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
MAIN = f"{STARTS}print('{READY}', flush=True); child.wait()"


class SmallLine(Line):
    def commands(self) -> dict[str, list[str]]:
        return {f"worker-{n}": [sys.executable, "-c", MAIN] for n in range(lines.WORKERS)}


class StartingLine(Line):
    """Workers that have a pool and do not take tasks yet."""

    def commands(self) -> dict[str, list[str]]:
        return {f"worker-{n}": [sys.executable, "-c", f"{STARTS}child.wait()"] for n in range(lines.WORKERS)}


def until(done) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def line(tmp_path):
    line = SmallLine(Processes(None), os.environ, tmp_path)
    line.start_missing()
    until(lambda: line.is_up)
    yield line
    line.stop()


def test_the_children_of_a_process_are_found(line):
    for child in line._running.values():
        (pid,) = children_of(child.process.pid)
        assert Path(f"/proc/{pid}").exists()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert children_of(gone.pid) == []


def test_a_child_is_killed_and_nobody_else(line):
    before = {pid for child in line._running.values() for pid in children_of(child.process.pid)}
    assert line.kill_child(Random(1))
    until(lambda: sum(child.ended for child in line._running.values()) == 1)
    assert line.killed_children == 1
    assert sum(_runs(pid) for pid in before) == lines.WORKERS - 1
    assert len(line._at_work()) == lines.WORKERS - 1


def test_a_worker_is_killed_without_its_pool_and_another_starts_at_once(line):
    before = dict(line._running)
    assert line.kill_worker(Random(1))
    (name,) = (name for name, child in line._running.items() if child is not before[name])
    assert before[name].process.returncode == -9
    assert is_group_left(before[name].process.pid)  # its child goes on
    assert not line._running[name].ended
    assert (line.killed_workers, line.ended) == (1, 0)
    until(lambda: line.is_up)


def test_of_workers_that_only_start_nobody_is_killed(tmp_path):
    line = StartingLine(Processes(None), os.environ, tmp_path)
    line.start_missing()
    until(lambda: all(children_of(child.process.pid) for child in line._running.values()))
    assert not line.kill_child(Random(1))
    assert not line.kill_worker(Random(1))
    assert (line.is_up, line.killed_children, line.killed_workers) == (False, 0, 0)
    assert not any(child.ended for child in line._running.values())
    line.stop()


def test_nothing_is_left_when_it_stops(line):
    line.kill_worker(Random(1))
    groups = [child.process.pid for child in [*line._running.values(), *line._left]]
    assert len(groups) == lines.WORKERS + 1
    line.stop()
    until(lambda: not any(is_group_left(pid) for pid in groups))
    assert line.processes.children == []


def test_a_process_that_does_nothing_but_end_is_told(tmp_path, monkeypatch):
    class Broken(Line):
        def commands(self) -> dict[str, list[str]]:
            return {"beat-0": [sys.executable, "-c", "raise SystemExit('no broker')"]}

    monkeypatch.setattr(lines, "MOST_ENDS", 0)
    line = Broken(Processes(None), os.environ, tmp_path)
    line.start_missing()
    until(lambda: line._running["beat-0"].ended)
    with pytest.raises(DidNotStart, match="no broker"):
        line.start_missing()
    line.stop()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
