"""The command line says what is wrong with an installation in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LOG_LEVEL": "LOUD"}, 'A setting is wrong: Environment variable "LOG_LEVEL" invalid'),
        ({"DATABASE_URL": "mysql://x/y"}, "A setting is wrong: DATABASE_URL must name a PostgreSQL server"),
        ({"DATABASE_URL": "postgresql://%2Fnowhere/x"}, "The database does not answer as it should: connection"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(environment, said):
    done = subprocess.run(
        [sys.executable, "manage.py", "audit"],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": "x"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
