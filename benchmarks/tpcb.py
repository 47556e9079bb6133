"""What single acts are measured against: TPC-B, the transaction that pgbench brings along."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from benchmarks import databases
from benchmarks.crowd import SEATS
from devstack.binaries import postgres_install, postgres_version

SCALE, JOBS = 10, 2


@dataclass(frozen=True, slots=True)
class Tpcb:
    """What pgbench said: transactions in all, and per second without the time to connect."""

    transactions: int
    per_second: float


def pgbench(*arguments: str) -> str:
    """Run pgbench on its database of this server; what it printed."""
    at = databases.server()
    program = postgres_install(postgres_version()) / "bin" / "pgbench"
    argv = [str(program), "-h", at["host"], "-U", at["user"], *arguments, databases.TPCB]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr.strip()}")
    return done.stdout


def prepare() -> None:
    databases.create(databases.TPCB)
    pgbench("-i", "-q", "-s", str(SCALE))


def run(seconds: float) -> Tpcb:
    """One round of TPC-B. Its tables were vacuumed once; doing so in every round would be no part of a transaction."""
    length = str(max(1, round(seconds)))
    return read_pgbench(
        pgbench("-n", "-M", "prepared", "-s", str(SCALE), "-c", str(SEATS), "-j", str(JOBS), "-T", length)
    )


def read_pgbench(printed: str) -> Tpcb:
    """Raises ValueError when it is not what pgbench prints."""
    transactions = re.search(r"^number of transactions actually processed: (\d+)", printed, re.MULTILINE)
    per_second = re.search(r"^tps = ([\d.]+) \(without initial connection time\)", printed, re.MULTILINE)
    if transactions is None or per_second is None:
        raise ValueError(f"pgbench printed something else: {printed!r}")
    return Tpcb(int(transactions[1]), float(per_second[1]))
