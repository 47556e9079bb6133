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

WORKERS = BEATS = 2
POOL = 3  # processes of each worker
STARTING = 1.5  # seconds a worker needs from its first child to its first task
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
    _with_a_pool_since: dict[int, float] = field(default_factory=dict)

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
        """Whether every worker has its pool."""
        workers = [child for name, child in self._running.items() if name.startswith("worker")]
        return len(workers) == WORKERS and all(children_of(worker.process.pid) for worker in workers)

    def _note_the_end(self, child: Child) -> None:
        """Raises DidNotStart when they do nothing but end."""
        self.ended += 1
        if self.ended > MOST_ENDS:
            raise DidNotStart(child.obituary())
        self._again_at = time.monotonic() + 1
        self._left.append(child)
        self._with_a_pool_since.pop(child.process.pid, None)

    def kill_child(self, rng: Random) -> None:
        """SIGKILL to one process of a pool."""
        pool = [pid for worker in self._workers_at_work() for pid in children_of(worker.process.pid)]
        if pool:
            with suppress(ProcessLookupError):
                os.kill(rng.choice(pool), signal.SIGKILL)
                self.killed_children += 1

    def _workers_at_work(self) -> list[Child]:
        """Those that have had a pool for a while: Celery gives up a worker whose first child does not come up, and
        then only workers would be seen that start."""
        now = time.monotonic()
        found = []
        for name, child in self._running.items():
            if not name.startswith("worker") or child.ended or not children_of(child.process.pid):
                continue
            if now - self._with_a_pool_since.setdefault(child.process.pid, now) >= STARTING:
                found.append(child)
        return found

    def kill_worker(self, rng: Random) -> None:
        """SIGKILL to the main process of a worker, and another in its place at once."""
        name = f"worker-{rng.randrange(WORKERS)}"
        worker = self._running.pop(name)
        worker.process.kill()
        worker.process.wait()
        self.killed_workers += 1
        self._with_a_pool_since.pop(worker.process.pid, None)
        self._left.append(worker)
        self.start_missing()

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
