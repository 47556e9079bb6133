"""`python -m chaos.run`: a small run of each kind from the first process to the last line, and options refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos import run as runs
from chaos.kinds import KINDS
from devstack.signals import Signals

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = 60
LAST_LINE = f"sent={MEMBERS} lost=0 doubled=0 unaccounted=0"
STRIKES = re.compile(
    r"killed (\d+) children and (\d+) workers; broker flushed (\d+), paused (\d+), stopped \d+ times; "
    r"database restarted (\d+) times; "
)
TAKEN = re.compile(r"(\d+) messages were taken in the storm, (\d+) after it")


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a run, whose homes and logs go into this folder; the tests' servers are not its own."""
    return os.environ | {"TMPDIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"}


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "chaos.run", *options]
    return subprocess.Popen(
        argv, cwd=ROOT, env=surroundings(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def processes_of(folder: Path) -> list[int]:
    """Those whose temporary files go into this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"\0TMPDIR={folder}".encode() in b"\0" + entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_small_run_accounts_for_every_message(tmp_path, kind):
    run = start(tmp_path, str(MEMBERS), f"--kind={kind}", "--seed=5")
    try:
        said, complained = run.communicate(timeout=270)
    finally:
        run.kill()
        run.wait()
    assert (run.returncode, complained) == (0, ""), said + complained
    assert said.splitlines()[-1] == LAST_LINE
    (strikes,) = STRIKES.findall(said)
    assert min(map(int, strikes)) >= 1, said
    ((in_the_storm, after_it),) = TAKEN.findall(said)
    assert int(in_the_storm) >= 1, said  # else it would strike at nothing
    assert int(in_the_storm) + int(after_it) == MEMBERS
    assert list(tmp_path.iterdir()) == []  # neither homes nor logs are left
    assert processes_of(tmp_path) == []


def test_a_run_that_is_told_to_end_leaves_no_process_and_no_folder(tmp_path):
    run = start(tmp_path, "200", "--seed=5")
    try:
        assert run.stdout is not None
        until_line(run, " 0 s: ")  # the storm has begun
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=180)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == 128 + signal.SIGTERM
    deadline = time.monotonic() + 60
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def until_line(run: subprocess.Popen[str], part: str) -> None:
    assert run.stdout is not None
    for line in run.stdout:
        if part in line:
            return
    raise AssertionError(f"it never said {part!r}")


@pytest.mark.parametrize(
    ("options", "named"),
    [(["0"], "N"), (["abc"], "N"), ([""], "N"), (["100001"], "N"), (["٣"], "N"), (["--seed=x"], "--seed"),
     (["--seed=1000000001"], "--seed"), (["--kind=pigeon"], "--kind")],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(capsys, options, named):
    with pytest.raises(SystemExit) as refused:
        runs.main(options)
    assert refused.value.code == 2
    assert f"{named}:" in capsys.readouterr().err


@pytest.fixture
def signals(monkeypatch) -> Signals:
    """None that is set up for this process: the tests' own stay as they are."""
    monkeypatch.setattr("devstack.signals.signal.signal", lambda signum, handler: None)
    return Signals()


def summed(monkeypatch, capsys, signals: Signals, *ends: tuple[int, str]) -> tuple[int, str]:
    """The exit code and the last line of runs that ended so."""
    coming = iter(ends)
    monkeypatch.setattr(runs, "KINDS", dict.fromkeys(f"kind{n}" for n in range(len(ends))))
    monkeypatch.setattr(runs, "_in_its_own_process", lambda *args: next(coming))
    code = runs._all(40, 5, signals)
    said = capsys.readouterr().out.splitlines()
    return code, said[-1] if said else ""


CLEAN = "sent=40 lost=0 doubled=0 unaccounted=0"


def test_clean_runs_are_clean_together(monkeypatch, capsys, signals):
    assert summed(monkeypatch, capsys, signals, (0, CLEAN), (0, CLEAN)) == (0, CLEAN)


def test_what_is_wrong_in_any_run_is_wrong(monkeypatch, capsys, signals):
    one, two = "sent=38 lost=2 doubled=0 unaccounted=1", "sent=40 lost=1 doubled=3 unaccounted=0"
    together = summed(monkeypatch, capsys, signals, (1, one), (0, CLEAN), (1, two))
    assert together == (1, "sent=38 lost=3 doubled=3 unaccounted=1")


def test_a_run_with_findings_is_not_clean_though_its_numbers_are(monkeypatch, capsys, signals):
    assert summed(monkeypatch, capsys, signals, (1, CLEAN), (0, CLEAN)) == (1, CLEAN)


def test_a_run_without_a_verdict_ends_it_all(monkeypatch, capsys, signals):
    assert summed(monkeypatch, capsys, signals, (1, "PostgreSQL 18: exit code 1"), (0, CLEAN)) == (1, "")
