"""`manage.py hammer`: a small run from the first process to the last line, and options that are refused."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hammer.management.commands.hammer import Command, said_of
from ledger.kinds import Kind
from ledger.models import Entry
from tests import builders

ROOT = Path(__file__).resolve().parents[2]
LAST_LINE = re.compile(r"acts=(\d+) answered=(\d+) lost=0 doubled=0 findings=0")


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a run on the test's own database, whose journals go into this folder."""
    here = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return os.environ | {"DATABASE_URL": here, "DJANGO_SETTINGS_MODULE": "config.settings", "TMPDIR": str(folder)}


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'hammer %'")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_small_run_loses_nothing_and_ends_by_itself(tmp_path):
    run = subprocess.run(
        [sys.executable, "manage.py", "hammer", "--seconds=4", "--processes=2", "--seed=5"],
        cwd=ROOT,
        env=surroundings(tmp_path),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    _, strikes, entries, *warning, last = run.stdout.splitlines()
    assert re.fullmatch(r"killed \d+ processes, cut off \d+ connections", strikes)
    kinds = {kind: int(count) for kind, count in (one.split("=") for one in entries.removeprefix("entries: ").split())}
    assert list(said_of(kinds)) == [entries, *warning]
    assert (list(kinds), sum(kinds.values())) == (Kind.values, Entry.objects.count())
    found = LAST_LINE.fullmatch(last)
    assert found
    acts, answered = map(int, found.groups())
    assert 0 < answered <= acts
    assert kinds["grant"] > 0
    assert list(tmp_path.iterdir()) == []  # the journals went when nothing was wrong
    assert connections() == 0


def test_kinds_that_never_came_up_are_warned_of():
    assert list(said_of({"grant": 7, "expire": 2})) == ["entries: grant=7 expire=2"]
    assert list(said_of({"grant": 7, "reinstate": 0, "forfeit": 0})) == [
        "entries: grant=7 reinstate=0 forfeit=0",
        "warning: nothing was tried of reinstate, forfeit: a longer run comes by it",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_leaves_no_journal_and_no_process(tmp_path, signum):
    """However often it is told."""
    run = subprocess.Popen(
        [sys.executable, "manage.py", "hammer", "--seconds=60", "--processes=3", "--seed=5"],
        cwd=ROOT,
        env=surroundings(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: len([file for file in tmp_path.glob("hammer-*/*.jsonl") if file.stat().st_size]) == 3)
        for _ in range(20):
            run.send_signal(signum)
            time.sleep(0.001)
        _, said = run.communicate(timeout=120)
    finally:
        run.kill()
        run.wait()
    assert (run.returncode, said) == (128 + signum, "")
    assert list(tmp_path.iterdir()) == []
    until(lambda: connections() == 0)


def until(done) -> None:
    """Return when it is so. Fails when that does not come."""
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def journals(tmp_path, monkeypatch, db) -> Iterator[Path]:
    """The folder in which a command of this process makes its own; what it does with signals ends with the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield tmp_path
    for signum, handler in before.items():
        signal.signal(signum, handler)


def told(signum: int = signal.SIGTERM) -> None:
    os.kill(os.getpid(), signum)


def test_a_second_signal_does_not_stop_the_tidying_up(journals, monkeypatch):
    remove = shutil.rmtree

    def removed_while_told_again(folder: Path) -> None:
        told()
        told(signal.SIGINT)
        remove(folder)

    def hammer(*args: object) -> bool:
        (folder,) = journals.iterdir()
        (folder / "p0.jsonl").write_text("{}")
        told()
        raise AssertionError("the signal should have led out of here")

    monkeypatch.setattr(shutil, "rmtree", removed_while_told_again)
    monkeypatch.setattr(Command, "_hammer", hammer)
    with pytest.raises(SystemExit) as ended:
        call_command("hammer")
    assert ended.value.code == 128 + signal.SIGTERM
    assert list(journals.iterdir()) == []


def test_a_signal_while_a_clean_run_tidies_up_waits_until_that_is_done(journals, monkeypatch):
    remove = shutil.rmtree

    def removed_while_told(folder: Path) -> None:
        told()
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", removed_while_told)
    monkeypatch.setattr(Command, "_hammer", lambda *args: True)
    with pytest.raises(SystemExit) as ended:
        call_command("hammer")
    assert ended.value.code == 128 + signal.SIGTERM
    assert list(journals.iterdir()) == []


def test_a_clean_run_leaves_the_signals_as_they_were(journals, monkeypatch):
    before = [signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)]
    monkeypatch.setattr(Command, "_hammer", lambda *args: True)
    call_command("hammer")
    assert [signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)] == before
    assert list(journals.iterdir()) == []


@pytest.mark.parametrize(
    ("result", "raises"), [(lambda *args: False, SystemExit), (lambda *args: 1 / 0, ZeroDivisionError)]
)
def test_the_journals_of_a_run_in_which_something_is_wrong_are_kept_and_named(
    journals, monkeypatch, capsys, result, raises
):
    monkeypatch.setattr(Command, "_hammer", result)
    with pytest.raises(raises) as ended:
        call_command("hammer")
    (kept,) = journals.iterdir()
    assert capsys.readouterr().err == f"The journals are kept in {kept}.\n"
    assert raises is not SystemExit or ended.value.code == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("seconds", "0"), ("seconds", "abc"), ("seconds", ""), ("seconds", "3601"), ("seconds", "1.5"), ("seconds", "٣"),
     ("processes", "0"), ("processes", "65"), ("processes", "-1"), ("seed", "x"), ("seed", "1000000001")],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(option, value):
    with pytest.raises(CommandError, match=f"^--{option}: must be a whole number from") as refused:
        call_command("hammer", **{option: value})
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_a_database_that_is_in_use_is_left_alone():
    builders.moa()
    with pytest.raises(CommandError, match="the database is in use") as refused:
        call_command("hammer", seconds="1")
    assert refused.value.returncode == 2
    assert Entry.objects.count() == 0
