"""The run itself: processes are started, killed with -9, cut off from the database, and started again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from django.db import connection, connections

from devstack.processes import die_with_parent
from hammer.stage import Stage, add_a_policy
from hammer.worker import Worker

STOPPING = 15.0  # seconds a process may take to finish its last act once the time is over
# A forked process needs no second to load everything: many more of them can be killed in the same time.
FORKING = multiprocessing.get_context("fork")
ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What asks the run to end waits until the end of the block."""
    told: list[int] = []
    before = {signum: signal.signal(signum, lambda signum, frame: told.append(signum)) for signum in ENDING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        if told:
            signal.raise_signal(told[0])


@dataclass(slots=True)
class Run:
    """One run. `tag` tells its connections from those of others; `troubles` are ends that must not happen."""

    stage: Stage
    folder: Path
    tag: str
    processes: int
    most: int  # acts that one process and its followers may ask for
    killed: int = 0
    cut_off: int = 0
    troubles: list[str] = field(default_factory=list)
    _running: dict[int, BaseProcess] = field(default_factory=dict)

    def go(self) -> None:
        """Until the time is over. Afterwards no process of the run is left, and none of its connections."""
        rng = Random(self.stage.seed)
        clock, pause = self.stage.clock, 1.5 / self.processes
        next_strike, has_new_policy = rng.uniform(0, pause), False
        connections.close_all()  # a connection must never be used on both sides of a fork
        with self._no_survivors():
            while not clock.is_over:
                self._start_missing()
                if clock.passed >= next_strike:
                    self._strike(rng)
                    next_strike = clock.passed + rng.uniform(0.2 * pause, 1.8 * pause)
                if clock.passed > clock.seconds / 2 and not has_new_policy:
                    has_new_policy = True
                    add_a_policy(self.stage)
                    connections.close_all()
                time.sleep(0.02)
            self._let_finish()
        self._until_disconnected()

    def _start_missing(self) -> None:
        """Whoever was killed is followed by another; whoever has asked for enough is not."""
        for number in range(self.processes):
            one = self._running.get(number)
            if one is None or one.exitcode == -signal.SIGKILL:
                one = FORKING.Process(target=_work, args=(self, number), daemon=True)
                with uninterrupted():  # what was forked is known, and can be killed
                    one.start()
                    self._running[number] = one

    def _strike(self, rng: Random) -> None:
        alive = [number for number, one in self._running.items() if one.exitcode is None]
        if not alive:
            return
        number = rng.choice(alive)
        if rng.random() < 0.5:
            self._running[number].kill()
            self._running[number].join()
            self.killed += 1
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = %s""",
                [self.name_of(number)],
            )
            self.cut_off += cursor.fetchone()[0]
        connections.close_all()

    def name_of(self, number: int) -> str:
        """What the connections of this process are called."""
        return f"hammer {self.tag} {number}"

    def _let_finish(self) -> None:
        deadline = time.monotonic() + STOPPING
        for number, one in self._running.items():
            one.join(max(0.0, deadline - time.monotonic()))
            if one.exitcode is None:
                self.troubles.append(f"process {number} did not come to an end")
            elif one.exitcode not in (0, -signal.SIGKILL):
                self.troubles.append(f"process {number} ended with {one.exitcode}")

    @contextmanager
    def _no_survivors(self) -> Iterator[None]:
        try:
            yield
        finally:
            with uninterrupted():
                for one in self._running.values():
                    if one.exitcode is None:
                        one.kill()
                        one.join()

    def _until_disconnected(self) -> None:
        """What a killed process had asked for last is still being done: nothing is counted before that has ended."""
        deadline = time.monotonic() + STOPPING
        while time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    """SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name LIKE %s""",
                    [f"hammer {self.tag} %"],
                )
                if not cursor.fetchone()[0]:
                    return
            time.sleep(0.05)
        self.troubles.append("connections of killed processes are still open")


def _work(run: Run, number: int) -> None:
    """The life of one process; it takes the whole run as it was at the fork."""
    die_with_parent(signal.SIGKILL)
    for signum in ENDING:
        signal.signal(signum, signal.SIG_DFL)
    connection.settings_dict["OPTIONS"] = {
        **connection.settings_dict["OPTIONS"],
        "application_name": run.name_of(number),
    }
    try:
        Worker(f"p{number}", run.stage, run.folder).run(most=run.most)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # nothing of what the parent had open is tidied up here
