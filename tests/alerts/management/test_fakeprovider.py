import signal
import sys
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from tests.started import started


def test_it_listens_until_it_is_stopped():
    command = [sys.executable, "manage.py", "fakeprovider", "--port", "0", "--mode", "503:0.05"]
    with started(command) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        assert said.startswith("listening on http://127.0.0.1:")
        with urlopen(f"{said.removeprefix('listening on ')}/health") as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=90) == 0


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(CommandError, match="--mode"):
        call_command("fakeprovider", mode=["often"])


@pytest.mark.parametrize(
    ("option", "value"), [("--port", "-1"), ("--port", "99999999"), ("--slow", "-1"), ("--mode", "sleepy")]
)
def test_an_option_that_cannot_be_used_is_named(option, value):
    with pytest.raises(CommandError, match=f"^{option}: "):
        call_command("fakeprovider", option, value)
