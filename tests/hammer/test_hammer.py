"""`manage.py hammer`: a small run from the first process to the last line, and options that are refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.models import Entry
from tests import builders

ROOT = Path(__file__).resolve().parents[2]
LAST_LINE = re.compile(r"acts=(\d+) answered=(\d+) lost=0 doubled=0 findings=0")


@pytest.mark.django_db(transaction=True)
def test_a_small_run_loses_nothing_and_ends_by_itself(tmp_path):
    here = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environ = os.environ | {"DATABASE_URL": here, "DJANGO_SETTINGS_MODULE": "config.settings", "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "manage.py", "hammer", "--seconds=2", "--processes=2", "--seed=5"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    *_, strikes, last = run.stdout.splitlines()
    assert re.match(r"killed \d+ processes, cut off \d+ connections; entries: ", strikes)
    found = LAST_LINE.fullmatch(last)
    assert found
    acts, answered = map(int, found.groups())
    assert 0 < answered <= acts
    assert Entry.objects.count() > 0
    assert list(tmp_path.iterdir()) == []  # the journals went when nothing was wrong
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'hammer %'")
        assert cursor.fetchone() == (0,)


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
