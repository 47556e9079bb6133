"""A plain loop that runs ticks when they are due: what beat and a worker do, in one process and without a broker."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections

logger = logging.getLogger(__name__)

LONGEST_SLEEP = 0.5  # seconds, so that the end does not wait for the next tick


@dataclass(slots=True)
class Due:
    """A tick, how many seconds lie between two of its runs, and when the next is due, by the steady clock."""

    name: str
    tick: Callable[[], object]
    every: float
    at: float = 0


def run(ticks: Sequence[Due], *, stopped: Callable[[], bool], once: bool = False) -> None:
    """Run each tick when it is due, in the order of the table, until `stopped` says so; `once`: each a single time.

    A tick that fails is logged and runs again at its next time: the database was restarted, perhaps, and every tick
    can be run any number of times. Runs that were missed are not made up for: the next finds what is due.
    """
    while not stopped():
        for due in ticks:
            if stopped():
                break
            if due.at <= time.monotonic():
                _run(due)
                due.at = time.monotonic() + due.every
        if once:
            break
        while not stopped() and (left := min(due.at for due in ticks) - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP))


def _run(due: Due) -> None:
    close_old_connections()
    try:
        due.tick()
    except Exception:
        logger.exception("the tick %s failed; it runs again in %s s", due.name, due.every)
    finally:
        close_old_connections()  # one that broke is not used again
