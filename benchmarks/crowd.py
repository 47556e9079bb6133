"""Eight processes with a connection each, which do the same job at the same time: the clients of the service.

Processes rather than threads: Python's lock would let one thread of a process run at a time, and with two of them
on a processor the database answers one while the other thinks. Knows no ledger: the peers' own environments use it too.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any

from django.db import connections

SEATS = 8
HEAD_START = 0.05  # seconds between the call and the common start


class CrowdFailed(Exception):
    """A member of the crowd could not do its job."""


@dataclass
class Seat:
    """A member's place: which of how many, and whether it is asked to end an open-ended job."""

    number: int
    of: int
    stop: Event

    def share(self, things: range) -> range:
        """This seat's own part of the things, which no other seat touches."""
        return things[self.number :: self.of]

    def until(self, start: float, seconds: float) -> Iterator[int]:
        """Counts acts up from the common start until the time is over; the act under way is finished."""
        time.sleep(max(0.0, start - time.monotonic()))
        number = 0
        while time.monotonic() < start + seconds:
            yield number
            number += 1


@dataclass(frozen=True, slots=True)
class Done:
    """Acts that one seat has done, and the seconds that they took it."""

    acts: int
    seconds: float

    @classmethod
    def since(cls, start: float, acts: int) -> Done:
        return cls(acts, time.monotonic() - start)


def rate(everybody: list[Done]) -> float:
    """Acts per second of all seats together."""
    return sum(done.acts / done.seconds for done in everybody)


class Crowd:
    """Use as a context manager. Django's connections are closed when it is entered: two processes cannot share one."""

    def __init__(self, size: int = SEATS) -> None:
        self.size = size
        self._context = multiprocessing.get_context("fork")
        self._stop = self._context.Event()
        self._members: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Crowd:
        connections.close_all()
        sys.stdout.flush()
        for number in range(self.size):
            ours, theirs = self._context.Pipe()
            seat = Seat(number, self.size, self._stop)
            process = self._context.Process(target=_work, args=(seat, theirs), daemon=True)
            process.start()
            theirs.close()
            self._members.append((process, ours))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        for process, pipe in self._members:
            with suppress(OSError):
                pipe.send(None)
            process.join(5)
            if process.is_alive():
                process.kill()
        self._members.clear()

    def for_seconds(self, job: Callable[..., Any], seconds: float, **more: Any) -> list[Any]:
        """Let everybody do the job from a common start on; what each of them returns. Raises CrowdFailed."""
        self.begin(job, start=time.monotonic() + HEAD_START, seconds=seconds, **more)
        return self.end()

    def begin(self, job: Callable[..., Any], **more: Any) -> None:
        """Let everybody begin with job(seat, **more), a function at the top of a module."""
        self._stop.clear()
        for _, pipe in self._members:
            pipe.send((job, more))

    def end(self, *, stop: bool = False) -> list[Any]:
        """What each of them returns, in the order of seats; `stop` asks open-ended jobs to end. Raises CrowdFailed."""
        if stop:
            self._stop.set()
        answers = []
        for process, pipe in self._members:
            try:
                answers.append(pipe.recv())
            except EOFError:
                process.join(5)
                raise CrowdFailed(f"a client process ended with exit code {process.exitcode}") from None
        for _, text in answers:
            if text is not None:
                raise CrowdFailed(text) from None
        return [outcome for outcome, _ in answers]


def _work(seat: Seat, pipe: Connection) -> None:
    """What a member's process does: one job after the other, until nobody asks any more."""
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            asked = None
        if asked is None:
            os._exit(0)  # nothing of the parent's may be cleared up here
        job, more = asked
        try:
            answer: tuple[Any, str | None] = (job(seat, **more), None)
        except Exception:
            answer = (None, traceback.format_exc(limit=-4))
        pipe.send(answer)
