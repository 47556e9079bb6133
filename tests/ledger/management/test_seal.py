"""`manage.py seal`: makes one, verifies all, prints the public key."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from ledger import sealing
from ledger.models import Seal
from tests.builders import grant

pytestmark = pytest.mark.django_db

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def key(settings):
    settings.SEAL_KEY = KEY
    settings.SEAL_PUBLIC_KEYS = []
    return settings


def run(capsys, *options: str) -> list[str]:
    call_command("seal", *options)
    said: str = capsys.readouterr().out
    return said.splitlines()


def test_a_seal_is_made_and_said(minji, capsys):
    grant(minji, 10)
    said = run(capsys)
    made = Seal.objects.get()
    assert said == [
        "Seal 1 of 1 accounts.",
        f"root {bytes(made.root).hex()}",
        f"note 1:{bytes(made.hash).hex()}",
    ]
    assert run(capsys) == ["Nothing moved since the last seal."]


def test_all_seals_are_verified(minji, capsys):
    assert run(capsys, "--verify") == ["0 findings in 0 seals."]
    grant(minji, 10)
    note = run(capsys)[2].removeprefix("note ")
    last = Seal.objects.get()
    said = [f"0 findings in 1 seals; the newest is seal 1 of {last.sealed_at:%Y-%m-%d %H:%M} UTC."]
    assert run(capsys, "--verify") == said
    assert run(capsys, "--verify", "--noted", note) == said


def test_a_finding_is_said_and_ends_with_1(minji, capsys, key):
    grant(minji, 10)
    run(capsys)
    key.SEAL_KEY = b"another key".ljust(32)
    with pytest.raises(SystemExit) as ended:
        call_command("seal", "--verify")
    assert ended.value.code == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == (
        "law 13: seals: seal 1: it is signed with the key 56475aa75463474c, which SEAL_PUBLIC_KEYS does not know"
    )
    assert last.startswith("1 findings in 1 seals; the newest is seal 1 of ")


def test_a_noted_seal_that_is_not_there_is_a_finding(minji, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("seal", "--verify", "--noted", f"4:{'ab' * 32}")
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        "law 13: seals: seal 4: it was noted elsewhere and is gone",
        "1 findings in 0 seals.",
    ]


def test_the_public_key_is_as_the_settings_want_it(capsys):
    assert run(capsys, "--public-key") == [sealing.as_text(sealing.public_key(KEY))]
    assert run(capsys, "--public-key") == ["A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="]


@pytest.mark.parametrize("options", [[], ["--public-key"]])
def test_without_a_key_it_says_which_setting_is_missing(key, options):
    key.SEAL_KEY = b""
    with pytest.raises(CommandError, match="SEAL_KEY is not set") as refused:
        call_command("seal", *options)
    assert refused.value.returncode == 2


@pytest.mark.parametrize("note", ["4", "4:", "4:ab", "x:" + "ab" * 32, "0:" + "ab" * 32, "ab" * 32])
def test_a_note_is_a_number_and_a_hash(note):
    with pytest.raises(CommandError, match="must be a number and a hash"):
        call_command("seal", "--verify", "--noted", note)


def test_a_note_is_for_verifying():
    with pytest.raises(CommandError, match="--noted: give it together with --verify"):
        call_command("seal", "--noted", f"4:{'ab' * 32}")


def test_one_thing_at_a_time():
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("seal", "--verify", "--public-key")
