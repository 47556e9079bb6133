"""`manage.py audit`: prints what it finds, keeps a verdict, and says by its exit code whether the books are clean."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.models import Account, Verdict
from ledger.seals import seal
from ledger.verdicts import Run
from tests import builders
from tests.builders import NOW
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


def test_a_seal_that_was_changed_is_found_by_a_run_over_all_programmes(jun, settings, capsys):
    """The seals are of all programmes together: who asks about one of them is told nothing of the line."""
    settings.SEAL_KEY = b"1" * 32
    assert seal(now=NOW)
    call_command("audit")
    tamper("UPDATE ledger_seal SET signature = '\\x00'")
    for full in ((), ("--full",)):
        ends_with(1, *full)
    call_command("audit", "--programme", "moa")
    said = "law 13: seals: seal 1: its signature is not of its content"
    assert capsys.readouterr().out.splitlines() == [
        "0 findings in 2 accounts.",
        *(said, "1 findings in 2 accounts, 0 of them told again."),
        *(said, "1 findings in 2 accounts."),
        "0 findings in 2 accounts, 0 of them told again.",
    ]
    assert list(Verdict.objects.order_by("pk").values_list("by_law", flat=True)) == [{}, {"13": 1}, {"13": 1}, {}]


def test_a_key_that_was_used_twice_is_found(minji, jun, capsys):
    """Law 1. The database refuses it; here its index is gone, as in a restored copy that somebody tidied up."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX entry_key_once")
    other = builders.minji(builders.moa("other"))
    builders.grant(other, 5, key="once")
    tamper(f"UPDATE ledger_entry SET key = 'once' WHERE account_id IN ({minji.pk}, {jun.pk})")
    ends_with(1)
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("law 1:")] == [
        f"law 1: programme: {minji.programme_id}: 2 entries have the key once"
    ]


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
