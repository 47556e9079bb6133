"""What the figures were measured on: the machine and the versions, in words without names or paths."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import databases
from benchmarks.crowd import SEATS
from benchmarks.peers import PEERS


def facts() -> dict[str, str]:
    """Lines of the report, by their names. Asks the server."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    settings = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")
    said = ", ".join(f"{name} {databases.one('postgres', f'SHOW {name}')}" for name in settings)
    ours = ("django", "psycopg")
    system = f"{platform.system()} {platform.release()}"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}",
        "server": f"PostgreSQL {databases.one('postgres', 'SHOW server_version')} ({said})",
        "clients": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ours)
        + f"; {SEATS} processes with a connection each, on the same machine as the server",
        "peers": ", ".join(PEERS.values()) + ", each in an environment of its own, with the same Django and driver",
    }


def _processor() -> str:
    """As the system names it, or its architecture where it does not."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
