"""The processor time of a PostgreSQL server, from /proc: the wheel has no pg_stat_statements."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
# Places in /proc/PID/stat, counted from behind the name of the program.
PARENT, OWN, OF_ENDED_CHILDREN = 1, slice(11, 13), slice(13, 15)


class NoProc(Exception):
    """This system has no /proc, so there is no telling what the database's processor time is."""


def parent_of(pid: int) -> int:
    """The process that started this one: of a backend, the postmaster. Raises NoProc."""
    if not (PROC / "self" / "stat").exists():
        raise NoProc(NoProc.__doc__)
    return int(_fields(pid)[PARENT])


def seconds_used(postmaster: int) -> float:
    """Processor seconds of the whole server so far, of running processes and of those that have ended."""
    own = _fields(postmaster)
    ticks = _sum(own[OWN]) + _sum(own[OF_ENDED_CHILDREN])
    ticks += sum(_sum(fields[OWN]) for fields in _children(postmaster))
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(postmaster: int) -> Iterator[list[str]]:
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended by now, and counts as such next time
            fields = _fields(int(entry.name))
            if int(fields[PARENT]) == postmaster:
                yield fields


def _fields(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _sum(fields: list[str]) -> int:
    return sum(int(field) for field in fields)
