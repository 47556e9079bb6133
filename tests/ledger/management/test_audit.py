"""`manage.py audit`: prints what it finds, keeps a verdict, and says by its exit code whether the books are clean."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Account, Verdict
from ledger.verdicts import Run
from tests import builders
from tests.ledger.insiders import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def jun(minji) -> Account:
    """Minji and Jun, with an entry each."""
    jun = builders.jun(minji.programme)
    builders.grant(minji, 10)
    builders.grant(jun, 5)
    return jun


def ends_with(code: int, *options: str) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("audit", *options)
    assert ended.value.code == code


def test_a_clean_run_says_how_much_it_looked_at(jun, capsys):
    call_command("audit")
    call_command("audit")
    call_command("audit", "--full", "--programme", "moa")
    call_command("audit", "--account", "jun")
    assert capsys.readouterr().out.splitlines() == [
        "0 findings in 2 accounts.",
        "0 findings in 2 accounts, 0 of them told again.",
        "0 findings in 2 accounts.",
        "0 findings in 1 accounts.",
    ]
    assert list(Verdict.objects.order_by("pk").values_list("mode", "told")) == [
        ("moved", 2), ("moved", 0), ("full", 2), ("full", 1),
    ]  # fmt: skip


def test_findings_are_printed_and_end_with_1(jun, capsys):
    tamper(f"UPDATE ledger_account SET balance = 6 WHERE id = {jun.pk}")
    ends_with(1)
    assert capsys.readouterr().out.splitlines() == [
        f"law 14: programme: {jun.programme_id}: entries sum to 15, accounts to 16",
        f"law 4: account {jun.pk}: balance is 6, the entries say 5",
        "2 findings in 2 accounts.",
    ]
    assert Verdict.objects.get().findings == 2


def test_an_interrupted_full_run_keeps_what_was_done_and_goes_on(minji, jun, capsys, monkeypatch):
    monkeypatch.setattr("ledger.audit.ENTRIES_AT_ONCE", 1)
    told = Run._batch

    def interrupted(run, account_ids):
        if account_ids[0] == jun.pk:
            raise KeyboardInterrupt
        return told(run, account_ids)

    monkeypatch.setattr(Run, "_batch", interrupted)
    ends_with(130, "--full")
    first = Verdict.objects.get()
    assert (first.interrupted, first.accounts, first.reached) == (True, 1, minji.pk)
    monkeypatch.setattr(Run, "_batch", told)
    call_command("audit", "--full", "--resume")
    assert capsys.readouterr().out.splitlines() == [
        "0 findings in 1 accounts; interrupted.",
        "0 findings in 1 accounts.",
    ]
    with pytest.raises(CommandError, match="no full run was interrupted"):
        call_command("audit", "--full", "--resume")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--programme", "nowhere"], "--programme: there is no programme nowhere"),
        (["--account", "nobody"], "--account: there is no member nobody"),
        (["--account", "jun"], "--account: 2 programmes have a member jun: name the --programme"),
        (["--resume"], "--resume: give it together with --full"),
        (["--full", "--resume"], "--resume: no full run was interrupted"),
    ],
)
def test_what_makes_no_sense_is_refused_with_2_and_leaves_no_verdict(jun, options, why):
    builders.jun(builders.moa("other"))
    with pytest.raises(CommandError) as refused:
        call_command("audit", *options)
    assert (str(refused.value), refused.value.returncode) == (why, 2)
    assert not Verdict.objects.exists()
