"""Redemptions against the transfers of two published double-entry packages, on the same server.

Each has an environment of its own below .data/peers, with the same Django and driver as ours.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import acts, databases
from benchmarks.crowd import Crowd, rate
from benchmarks.members import programme, with_lots
from benchmarks.peer import READY
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared
from benchmarks.single_acts import LOTS, WARM_UP

FOLDER = Path(".data/peers")
PEERS = {"hordak": "django-hordak==2.0.0", "oscar": "django-oscar-accounts==3.0.1"}
ACCOUNTS = 1_000  # of a peer: opening more takes hordak minutes, and none of them gets faster by it


class PeerFailed(Exception):
    """A peer could not be installed, or stopped."""


def measure(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    size = plan.size("peers")
    rounds = []
    with ExitStack() as stack:
        peers = {name: stack.enter_context(running(name)) for name in PEERS}
        database = stack.enter_context(databases.copy_of_blank("bench_ours"))
        members = with_lots(programme("peers"), copies=size, lots=LOTS, now=datetime.now(UTC))
        databases.settle(database)
        crowd = stack.enter_context(Crowd())
        crowd.for_seconds(acts.redeem, WARM_UP, database=database, members=members)
        for peer in peers.values():
            transfers_per_second(peer, WARM_UP)
        for _ in plan.each(plan.rounds, "peers"):
            theirs = {name: transfers_per_second(peer, plan.seconds) for name, peer in peers.items()}
            ours = rate(crowd.for_seconds(acts.redeem, plan.seconds, database=database, members=members))
            rounds.append((ours, theirs))
            say(f"  redeem {ours:,.0f}/s, " + ", ".join(f"{name} {each:,.0f}/s" for name, each in theirs.items()))
    figures = [compared("peers", size, [(ours, theirs[name]) for ours, theirs in rounds], "/s") for name in PEERS]
    said = ", ".join(f"{PEERS[name]} {each.yardstick:,.0f}/s" for name, each in zip(PEERS, figures, strict=True))
    note = f"{said}, on {ACCOUNTS:,} accounts each"
    return [replace(min(figures, key=lambda figure: figure.ratio), note=note)]


@contextmanager
def running(name: str) -> Iterator[subprocess.Popen[str]]:
    """A peer that is ready to transfer; ended, and its database dropped, at the end. Raises PeerFailed."""
    python = _install(name)
    at = databases.server()
    database = f"bench_peer_{name}"
    databases.create(database)
    argv = [str(python), "-m", "benchmarks.peer", name, at["host"], at["user"], database, str(ACCOUNTS)]
    say(f"peers: {PEERS[name]} migrates its database and opens {ACCOUNTS:,} accounts")
    peer = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if _answer(peer) != READY:
            raise PeerFailed(f"{PEERS[name]} did not get ready")
        yield peer
    finally:
        peer.kill()
        peer.wait()
        databases.drop(database)


def transfers_per_second(peer: subprocess.Popen[str], seconds: float) -> float:
    assert peer.stdin is not None
    peer.stdin.write(f"{seconds}\n")
    peer.stdin.flush()
    return float(_answer(peer))


def _answer(peer: subprocess.Popen[str]) -> str:
    assert peer.stdout is not None
    line = peer.stdout.readline().strip()
    if not line:
        raise PeerFailed(f"a peer ended with exit code {peer.wait()}; what it said stands above")
    return line


def _install(name: str) -> Path:
    """The Python of the peer's environment, made when it is not there or holds something else. Raises PeerFailed."""
    folder = FOLDER / name
    python, marker = folder / "bin" / "python", folder / "holds"
    wanted = [PEERS[name], *(f"{ours}=={version(ours)}" for ours in ("django", "psycopg", "psycopg-binary"))]
    if marker.exists() and marker.read_text() == "\n".join(wanted):
        return python
    say(f"peers: installing {PEERS[name]} into {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    for argv in (
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)],
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *wanted,
        ],
    ):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise PeerFailed(f"{PEERS[name]} could not be installed: {done.stderr.strip()[-500:]}")
    marker.write_text("\n".join(wanted))
    return python
