"""The processes of a run that send reminders: workers, two beats, the web for the providers' reports.

A worker's main process is killed alone. What it leaves in its pool goes on until its task is done, as it would on a
host where nobody else was killed, while another worker starts in its place.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from devstack.errors import DidNotStart
from devstack.processes import Child, Processes

# Enough of them that a process that nobody chose lives for some seconds: one in twelve is killed every 0.3 seconds.
WORKERS, POOL = 3, 4  # POOL processes in each worker
BEATS = 2
READY = "ready for tasks"  # a worker says so in its log, see `celery.py`
MOST_ENDS = 50  # of processes that nobody killed: a beat may give up when the broker is gone, and is started again
CELERY = [sys.executable, "-m", "celery", "-A", "chaos.celery"]


def children_of(pid: int) -> list[int]:
    """The children of a process; none when it is gone."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    if Path("/proc/self").exists():
        return []
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def is_group_left(pid: int) -> bool:
    """Whether any process of this group is there, its remains included."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, 0)
        return True
    return False


@dataclass(slots=True)
class Line:
    """Everything that must run is in `_running`, by name; `start_missing` starts again what ended."""

    processes: Processes
    environ: Mapping[str, str]
    folder: Path  # for the logs
    web_port: int | None = None
    killed_children: int = 0
    killed_workers: int = 0
    ended: int = 0  # processes that ended though nobody killed them, and were started again
    _running: dict[str, Child] = field(default_factory=dict)
    _left: list[Child] = field(default_factory=list)  # killed, with a pool that may still be at work
    _started: int = 0
    _again_at: float = 0.0
    _ready: set[int] = field(default_factory=set)  # workers, by the number of their main process

    def commands(self) -> dict[str, list[str]]:
        worker = [*CELERY, "worker", f"--concurrency={POOL}", "--loglevel=WARNING"]
        worker += ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        beat = [*CELERY, "beat", "--pidfile=", "--loglevel=WARNING"]
        wanted = {f"worker-{n}": [*worker, f"--hostname=chaos{n}@%h"] for n in range(WORKERS)}
        wanted |= {f"beat-{n}": [*beat, "--schedule", str(self.folder / f"beat-{n}.db")] for n in range(BEATS)}
        if self.web_port is not None:
            web = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--workers=1", "--threads=4"]
            wanted["web"] = [*web, f"--bind=127.0.0.1:{self.web_port}", "--no-control-socket"]
        return wanted

    def start_missing(self) -> None:
        """Start what is not running. From the main thread only: see `devstack/processes.py`."""
        self._forget_the_gone()
        for name, command in self.commands().items():
            child = self._running.get(name)
            if child is not None:
                if not child.ended or time.monotonic() < self._again_at:
                    continue
                self._note_the_end(child)
            self._started += 1
            log = self.folder / f"{name}.{self._started}.log"
            self._running[name] = self.processes.start(name, command, log=log, env=self.environ, grace=2)

    @property
    def is_up(self) -> bool:
        """Whether every worker takes tasks."""
        return len(self._at_work()) == WORKERS

    def _note_the_end(self, child: Child) -> None:
        """Raises DidNotStart when they do nothing but end."""
        self.ended += 1
        if self.ended > MOST_ENDS:
            raise DidNotStart(child.obituary())
        self._again_at = time.monotonic() + 1
        self._left.append(child)
        self._ready.discard(child.process.pid)

    def kill_child(self, rng: Random) -> bool:
        """SIGKILL to one process of a pool; False: no worker is at work."""
        pool = [pid for name in self._at_work() for pid in children_of(self._running[name].process.pid)]
        if not pool:
            return False
        with suppress(ProcessLookupError):
            os.kill(rng.choice(pool), signal.SIGKILL)
            self.killed_children += 1
        return True

    def kill_worker(self, rng: Random) -> bool:
        """SIGKILL to the main process of a worker, and another in its place at once; False: none is at work."""
        names = self._at_work()
        if not names:
            return False
        worker = self._running.pop(rng.choice(names))
        worker.process.kill()
        worker.process.wait()
        self.killed_workers += 1
        self._ready.discard(worker.process.pid)
        self._left.append(worker)
        self.start_missing()
        return True

    def _at_work(self) -> list[str]:
        """The workers that take tasks. Celery gives up one whose first processes end before it does: if those were
        killed, only workers that start would ever be seen."""
        workers = {name: child for name, child in self._running.items() if name.startswith("worker")}
        for child in workers.values():
            if child.process.pid not in self._ready and READY in child.output():
                self._ready.add(child.process.pid)
        return [name for name, child in workers.items() if child.process.pid in self._ready and not child.ended]

    def stop(self) -> None:
        """SIGKILL to all of it, whatever it is doing."""
        for child in [*self._running.values(), *self._left]:
            child.stop_signal = signal.SIGKILL
            child.stop()
            self.processes.forget(child)
        self._running.clear()
        self._left.clear()

    def _forget_the_gone(self) -> None:
        """Numbers of groups that are gone are given to others before long: those are not ours to end."""
        for child in [child for child in self._left if not is_group_left(child.process.pid)]:
            self._left.remove(child)
            self.processes.forget(child)
