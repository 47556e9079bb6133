"""Verdicts: what a run of the audit said is kept, and the next one tells only what moved since."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import Account, AccountVerdict, Mode, Verdict
from ledger.verdicts import Run, audit_some
from tests import builders
from tests.builders import NOW, days
from tests.ledger.insiders import found, rechain, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def jun(minji) -> Account:
    """Minji and Jun, with two entries each."""
    jun = builders.jun(minji.programme)
    for account in (minji, jun):
        builders.grant(account, 10)
        builders.redeem(account, 1)
    return jun


def run(mode: Mode = Mode.MOVED, **more) -> tuple[list[str], Verdict]:
    """What a run finds, and the verdict that is kept of it."""
    going = Run(mode, NOW, **more)
    said = [str(finding) for finding in going.findings()]
    return said, going.keep(ended_at=NOW + days(1))


def test_a_run_is_kept_as_a_verdict(jun):
    said, verdict = run(Mode.FULL)
    assert said == []
    assert (verdict.mode, verdict.accounts, verdict.told, verdict.entries, verdict.findings) == ("full", 2, 2, 4, 0)
    assert (verdict.started_at, verdict.ended_at, verdict.interrupted) == (NOW, NOW + days(1), False)
    assert (verdict.programme, verdict.account, verdict.by_law, verdict.first) == (None, None, {}, "")


def test_findings_are_counted_by_law_and_the_first_are_kept(jun):
    tamper(f"UPDATE ledger_account SET balance = 3 WHERE id = {jun.pk}")
    said, verdict = run()
    assert verdict.findings == len(said) == 2
    assert verdict.by_law == {"4": 1, "14": 1}
    assert verdict.first == "\n".join(said)


def test_a_verdict_stays(jun):
    run()
    for statement in ("UPDATE ledger_verdict SET findings = 0", "DELETE FROM ledger_verdict"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_who_has_not_moved_is_not_told_again(minji, jun):
    assert run()[1].told == 2
    assert run()[1].told == 0
    builders.grant(jun, 5)
    said, verdict = run()
    assert (said, verdict.accounts, verdict.told, verdict.entries) == ([], 2, 1, 1)
    row = AccountVerdict.objects.get(account=jun)
    assert (row.seq, bytes(row.head_hash)) == (3, bytes(Account.objects.get(pk=jun.pk).head_hash))


def test_it_is_kept_when_an_account_was_last_told_from_its_first_entry(jun):
    run()
    builders.grant(jun, 5)
    later = Run(Mode.MOVED, NOW + days(1))
    assert list(later.findings()) == []
    row = AccountVerdict.objects.get(account=jun)
    assert (row.told_at, row.seen_at) == (NOW, NOW + days(1))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_lot SET expires_at = expires_at + interval '1 day' WHERE account_id = {}",
        "UPDATE ledger_lot SET moved_untold = true WHERE account_id = {}",
        "UPDATE ledger_account SET active_at = NULL WHERE id = {}",
    ],
)
def test_a_kept_number_that_was_changed_is_found_though_nothing_moved(minji, jun, sql):
    run()
    tamper(sql.format(jun.pk))
    said, verdict = run()
    assert [line[:10] for line in said] == [f"law {3 if 'lot' in sql else 4}: acc"]
    assert verdict.told == 1


def cut_off(account: Account) -> None:
    """The last entry, a redemption of 1, was never there: all numbers say so."""
    tamper(f"""
        DELETE FROM ledger_allocation WHERE entry_id IN (SELECT id FROM ledger_entry WHERE account_id = {account.pk}
                                                         AND seq = 2);
        DELETE FROM ledger_entry WHERE account_id = {account.pk} AND seq = 2;
        UPDATE ledger_lot SET remaining = remaining + 1 WHERE account_id = {account.pk};
        UPDATE ledger_account a SET seq = 1, balance = balance + 1, head_hash = e.hash FROM ledger_entry e
         WHERE a.id = {account.pk} AND e.account_id = a.id""")


@pytest.mark.parametrize("mode", list(Mode))
def test_entries_that_were_cut_off_are_found_by_who_remembers_them_until_they_are_back(jun, mode):
    run()
    cut_off(jun)
    assert found() == set()  # by itself, the shorter story adds up
    for _ in range(2):
        said, _verdict = run(mode)
        assert said == [f"law 13: account {jun.pk}: it had 2 entries when it was last told, and has 1"]


def test_a_past_that_was_written_anew_with_its_whole_chain_is_found_by_who_remembers_it(jun):
    run()
    tamper(f"UPDATE ledger_entry SET reference = 'another order' WHERE seq = 1 AND account_id = {jun.pk}")
    rechain(jun)
    assert found() == set()
    said, _ = run()
    assert said == [
        f"law 13: account {jun.pk}, entry 2: it is not the entry that was there when the account was last told"
    ]


def test_an_account_that_is_gone_is_found(jun):
    run()
    AccountVerdict.objects.create(account_id=7_000_000, findings=0, told_at=NOW, seen_at=NOW)
    assert run()[0] == ["law 13: account 7000000: it was there when it was last told, and is gone"]


def test_a_bounded_run_takes_who_moved_first_and_then_the_others_in_turn(minji, jun):
    assert run(most=1)[1].told == 1
    assert AccountVerdict.objects.get().account_id == minji.pk
    assert run(most=1)[1].told == 1
    builders.grant(jun, 5)
    assert run(most=1)[1].told == 1
    assert AccountVerdict.objects.get(account=jun).seq == 3
    said, verdict = run(most=5)
    assert (said, verdict.accounts, verdict.told) == ([], 2, 0)


def test_who_has_findings_does_not_hold_up_who_moved(minji, jun):
    tamper(f"UPDATE ledger_account SET active_at = NULL WHERE id = {minji.pk}")
    assert len(run(most=1)[0]) == 1
    assert run(most=1)[0] == []
    builders.grant(jun, 5)
    assert run(most=1)[0] == []
    assert len(run(most=2)[0]) == 1


def test_only_one_programme_or_one_account_is_gone_through(minji, jun):
    other = builders.minji(builders.moa("other"))
    builders.grant(other, 5)
    assert run(programme=other.programme)[1].accounts == 1
    verdict = run(Mode.FULL, account=jun)[1]
    assert (verdict.account_id, verdict.accounts, verdict.told) == (jun.pk, 1, 1)


def test_the_clock_logs_findings_as_errors_that_name_nobody(jun, caplog):
    assert audit_some(now=NOW, most=10, clock=lambda: NOW).findings == 0
    assert caplog.records == []
    tamper(f"UPDATE ledger_account SET active_at = NULL WHERE id = {jun.pk}")
    assert audit_some(now=NOW, most=10, clock=lambda: NOW).findings == 1
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith(f"audit: law 4: account {jun.pk}: active_at is None")
    assert "jun" not in record.getMessage()
