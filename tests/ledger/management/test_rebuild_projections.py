"""`manage.py rebuild_projections`: says what differs from the entries, and corrects it unless it is only to check."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Account
from tests import builders
from tests.ledger.insiders import tamper
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db


@pytest.fixture
def jun(minji) -> Account:
    """Jun, whose kept balance is wrong; Minji's is right."""
    jun = builders.jun(minji.programme)
    builders.grant(minji, 10)
    builders.grant(jun, 5)
    tamper(f"UPDATE ledger_account SET balance = 6 WHERE id = {jun.pk}")
    return jun


def run(capsys, *options: str) -> list[str]:
    call_command("rebuild_projections", *options)
    said: str = capsys.readouterr().out
    return said.splitlines()


def test_a_check_prints_what_differs_and_ends_with_1(jun, capsys):
    with nothing_changes(), pytest.raises(SystemExit) as ended:
        call_command("rebuild_projections", "--check")
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        f"account {jun.pk}: balance is 6, the entries say 5",
        "1 differences in 2 accounts.",
    ]


def test_what_differs_is_corrected_and_said(jun, capsys):
    assert run(capsys) == [
        f"corrected: account {jun.pk}: balance is 6, the entries say 5",
        "2 accounts, 0 of them could not be corrected.",
    ]
    assert run(capsys, "--check") == ["0 differences in 2 accounts."]


def test_who_cannot_be_corrected_is_said_and_ends_with_1(jun, capsys):
    tamper(f"UPDATE ledger_entry SET amount = 4 WHERE account_id = {jun.pk}")
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_projections")
    assert ended.value.code == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"account {jun.pk} is not corrected: its facts do not add up (law 3: ")
    assert last == "2 accounts, 1 of them could not be corrected."


def test_it_goes_on_behind_an_account_or_in_one_programme(minji, jun, capsys):
    builders.grant(builders.minji(builders.moa("other")), 5)
    assert run(capsys, "--check", "--after", str(jun.pk)) == ["0 differences in 1 accounts."]
    assert run(capsys, "--check", "--programme", "other") == ["0 differences in 1 accounts."]


def test_a_programme_that_is_not_there_is_refused_with_2(db):
    with pytest.raises(CommandError, match="there is no programme nowhere") as refused:
        call_command("rebuild_projections", "--programme", "nowhere")
    assert refused.value.returncode == 2
