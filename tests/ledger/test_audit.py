"""The auditor finds what was broken behind the ledger's back. It is clean on what the acts wrote."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.audit import audit
from ledger.expiry import sweep_all
from ledger.models import Account, Programme
from tests import builders
from tests.builders import NOW, days
from tests.ledger.insiders import found, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db: None) -> Account:
    """Minji's account with an entry of every kind, in a programme with a notice duty of 30 days."""
    account = builders.minji(builders.byeol(count=2, rounding="month"))
    first = builders.grant(account, 100, key="first")
    builders.redeem(account, 30)
    builders.clawback(account, 20, undoes="first")
    with pytest.raises(Exception, match="500 points were asked for"):
        builders.redeem(account, 500)
    builders.tell(account, [builders.lot_of(first).pk], told_on=date(2025, 3, 20), now=NOW + days(10))
    second = builders.grant(account, 40, now=NOW + days(11))
    builders.extend(account, [builders.lot_of(second).pk], date(2025, 12, 31), now=NOW + days(12))
    sweep_all(now=NOW + days(100))  # the first lot goes on 1 June 2025
    builders.clawback(account, 60, now=NOW + days(101))
    builders.grant(account, 50, now=NOW + days(102))
    return account


def kinds(account: Account) -> list[str]:
    return list(account.entries.order_by("seq").values_list("kind", flat=True))


def test_what_the_acts_wrote_is_clean(account):
    assert kinds(account) == [
        "grant",
        "redeem",
        "clawback",
        "decline",
        "notify",
        "grant",
        "extend",
        "expire",
        "clawback",
        "grant",
        "settle",
    ]
    assert list(audit()) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # (what somebody did, the (law, entry) that must be found)
        ("UPDATE ledger_account SET balance = balance + 1", (4, None)),
        ("UPDATE ledger_account SET debt = 5, balance = 0", (4, None)),
        ("UPDATE ledger_account SET head_hash = '\\x00'", (4, None)),
        ("UPDATE ledger_account SET balance = balance + 1", (14, None)),
        ("UPDATE ledger_lot SET remaining = remaining - 1 WHERE open", (3, None)),
        ("UPDATE ledger_lot SET expires_at = expires_at + interval '1 day' WHERE open", (3, None)),
        ("UPDATE ledger_lot SET first_expires_at = first_expires_at + interval '1 day' WHERE open", (13, 10)),
        ("UPDATE ledger_lot SET granted = granted + 1 WHERE seq = 1", (13, 1)),
        ("UPDATE ledger_lot SET gated = false WHERE open", (3, None)),
        ("UPDATE ledger_entry SET actor = 'staff:9' WHERE seq = 2", (13, 2)),
        ("UPDATE ledger_entry SET reason = 'because' WHERE seq = 7", (13, 7)),
        ("UPDATE ledger_entry SET hash = '\\x00' WHERE seq = 11", (13, 11)),
        ("UPDATE ledger_entry SET recorded_at = recorded_at + interval '1 hour' WHERE seq = 3", (13, 3)),
        ("UPDATE ledger_entry SET balance_after = balance_after + 1 WHERE seq = 4", (13, 4)),
        ("UPDATE ledger_entry SET amount = -31 WHERE seq = 2", (3, 2)),
        ("UPDATE ledger_entry SET body_hash = '\\x00' WHERE seq = 1", (13, 1)),
        ("UPDATE ledger_allocation SET delta = -29 WHERE delta = -30", (3, 2)),
        ("UPDATE ledger_extension SET until = until + interval '1 day'", (13, 7)),
        ("UPDATE ledger_notice SET told_on = '2025-05-25'", (15, 8)),
        ("UPDATE ledger_notice SET told_on = '2025-03-19'", (13, 5)),
        ("DELETE FROM ledger_notice", (15, 8)),
        ("UPDATE ledger_entry SET effective_at = effective_at - interval '1 hour' WHERE seq = 8", (9, 8)),
    ],
)
def test_what_somebody_changed_is_found(account, sql, expected):
    tamper(sql)
    assert expected in found()


def test_a_redemption_of_the_wrong_lot_is_found(account):
    builders.grant(account, 10, now=NOW + days(103))
    late = builders.redeem(account, 5, now=NOW + days(104))
    lots = list(account.lots.filter(open=True).order_by("seq").values_list("pk", flat=True))
    tamper(
        f"UPDATE ledger_allocation SET lot_id = {lots[1]} WHERE delta = -5 AND lot_id = {lots[0]};"
        f"UPDATE ledger_lot SET remaining = remaining + 5 WHERE id = {lots[0]};"
        f"UPDATE ledger_lot SET remaining = remaining - 5 WHERE id = {lots[1]};"
    )
    assert (5, late.seq) in found()


def test_points_spent_after_their_date_are_found(minji):
    receipt = builders.grant(minji, 10)
    spent = builders.redeem(minji, 10, now=NOW + days(5))
    lot = builders.lot_of(receipt)
    early = "'2025-03-12 00:00+09'"
    tamper(f"UPDATE ledger_lot SET first_expires_at = {early}, expires_at = {early} WHERE id = {lot.pk}")
    assert (2, spent.seq) in found()


def test_a_clawback_above_its_cap_is_found(minji):
    builders.grant(minji, 10, key="g")
    builders.grant(minji, 10)
    taken = builders.clawback(minji, 15)
    tamper(f"UPDATE ledger_entry SET undoes_seq = 1 WHERE seq = {taken.seq}")
    assert (7, taken.seq) in found()


def test_an_entry_that_is_missing_is_found(minji):
    builders.grant(minji, 10)
    builders.redeem(minji, 1)
    last = builders.redeem(minji, 2)
    tamper("DELETE FROM ledger_allocation WHERE delta = -1; DELETE FROM ledger_entry WHERE seq = 2")
    assert (13, last.seq) in found()


def test_only_the_programme_that_was_asked_for_is_audited(account):
    other: Programme = builders.moa("other")
    builders.grant(builders.jun(other), 5)
    tamper(f"UPDATE ledger_account SET balance = 6 WHERE programme_id = {other.pk}")
    assert list(audit(programme_id=account.programme_id)) == []
    assert {finding.law for finding in audit(programme_id=other.pk)} == {4, 14}
