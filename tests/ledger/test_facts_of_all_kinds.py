"""What the database itself refuses of holds, closures, policies, and expiries without their notices; plain SQL."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from ledger import notices
from ledger.actors import Actor
from ledger.expiry import sweep_all
from ledger.kinds import Waiver
from ledger.models import Account, Closure, Entry, Hold, Lot, Policy
from tests import builders
from tests.builders import NOW, capture, close, days, grant, hold, lot_of, postpone
from tests.ledger.test_facts import check_now, commit, entry_refused, entry_sql, expire_by_hand, refused, sql
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db

KEPT = {
    "hold": {
        "id": "id + 1000",
        "account_id": "account_id + 1",
        "programme_id": "programme_id + 1",
        "seq": "seq + 10",
        "points": "points + 1",
        "lapses_at": "lapses_at + interval '1 day'",
    },
    "closure": {
        "id": "id + 1000",
        "account_id": "account_id + 1",
        "programme_id": "programme_id + 1",
        "seq": "seq + 10",
        "points": "points + 1",
        "closes_at": "closes_at + interval '1 day'",
    },
}


@pytest.fixture
def minji(moa):
    """Minji with 100 points, of which 10 are on hold, and a closure asked for."""
    minji = builders.minji(moa)
    grant(minji, 100, key="order:1")
    hold(minji, 10)
    close(minji)
    check_now()
    return minji


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in KEPT.items() for column in columns]
)
def test_of_a_hold_and_a_closure_only_the_end_is_ever_written(minji, table, column):
    refused(f"UPDATE ledger_{table} SET {column} = {KEPT[table][column]}", f"ledger_{table} keeps its facts")


def test_every_column_of_theirs_is_kept_or_is_whether_they_are_open():
    for model, table in ((Hold, "hold"), (Closure, "closure")):
        assert {field.column for field in model._meta.concrete_fields} - set(KEPT[table]) == {"open"}


@pytest.mark.parametrize("table", ["hold", "closure"])
def test_they_end_once_and_are_not_opened_again_nor_deleted_nor_truncated(minji, table):
    refused(f"UPDATE ledger_{table} SET open = true", "it can only end")
    refused(f"DELETE FROM ledger_{table}", "append-only: DELETE refused")
    with nothing_changes(), transaction.atomic():
        sql(f"ALTER TABLE ledger_{table} ENABLE TRIGGER {table}_no_truncate")
        with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
            sql(f"TRUNCATE ledger_{table}")
        transaction.set_rollback(True)
    with transaction.atomic():
        sql(f"UPDATE ledger_{table} SET open = false")
        refused(f"UPDATE ledger_{table} SET open = true", "it can only end")
        transaction.set_rollback(True)


def test_a_hold_and_a_closure_belong_to_an_entry_of_their_account_and_its_programme(minji):
    other = builders.moa("other")
    add = """INSERT INTO ledger_hold (account_id, programme_id, seq, points, lapses_at, open)
             VALUES (%(account)s, %(programme)s, %(seq)s, %(points)s, '2026-01-01', true)"""
    values = {"account": minji.pk, "programme": minji.programme_id, "seq": 1, "points": 5}
    refused(add, "hold_made_by_an_entry", **(values | {"seq": 90}))
    refused(add, "hold_made_once", **(values | {"seq": 2}))
    refused(add, "hold_of_an_account", **(values | {"programme": other.pk}))
    refused(add, "hold_holds_something", **(values | {"points": 0}))
    add = add.replace("ledger_hold", "ledger_closure").replace("lapses_at", "closes_at").replace("true", "%(open)s")
    values |= {"open": False}
    refused(add, "closure_made_by_an_entry", **(values | {"seq": 90}))
    refused(add, "closure_made_once", **(values | {"seq": 3}))
    refused(add, "closure_of_an_account", **(values | {"programme": other.pk}))
    refused(add, "closure_points_not_negative", **(values | {"points": -1}))
    refused(add, "closure_one_at_a_time", **(values | {"open": True}))


def test_a_closed_account_holds_nothing_and_says_when(minji):
    for change in ("closed = true", "closed = true, balance = 0", "closed = true, balance = 0, lapses_at = NULL"):
        wrong = f"UPDATE ledger_account SET {change}"
        if change.endswith("NULL"):
            wrong += ", closes_at = NULL"
        refused(wrong, "account_closed_holds_nothing")
    with transaction.atomic():
        commit("UPDATE ledger_account SET closed = true, balance = 0, lapses_at = NULL, debt = 7")
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "change", ["count = 1", "effective_from = effective_from + interval '1 day'", "announced_on = now()", "id = id"]
)
def test_a_policy_stays_as_it_is(minji, change):
    refused(f"UPDATE ledger_policy SET {change}", "ledger_policy is append-only: UPDATE refused")
    refused("DELETE FROM ledger_policy", "ledger_policy is append-only: DELETE refused")
    assert Policy.objects.get().count == 12


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ({"written_off": -1}, "entry_clawback_writes_off"),
        ({"written_off": 5}, "entry_clawback_writes_off|entry_kind_is_declared"),
        ({"kind": "redeem", "amount": -5, "written_off": 5, "debt_delta": 5}, "entry_clawback_writes_off"),
        ({"kind": "clawback", "amount": 0, "written_off": 0}, "entry_kind_is_declared_with_its_sign"),
        ({"kind": "clawback", "amount": 4, "written_off": 5, "debt_delta": -4}, "entry_clawback_writes_off"),
    ],
)
def test_only_a_clawback_writes_off_and_never_gives(minji, changes, by):
    entry_refused(minji, by, **changes)


def test_a_clawback_that_nobody_could_pay_is_let_in(minji):
    statement, values = entry_sql(minji, kind="clawback", written_off=5)
    with transaction.atomic():
        commit(statement, **values)
        transaction.set_rollback(True)


def in_byeol(**terms) -> tuple[Account, Lot]:
    minji = builders.minji(builders.byeol(count=2, **terms))
    return minji, lot_of(grant(minji, 100))


def told(account, lot, key: str, *, channel="email", on: date | None = None, waiver: Waiver | None = None) -> None:
    common: dict = {"account": account, "lots": [lot.pk], "expires_at": lot.expires_at, "evidence": "d:1"}
    common |= {"told_on": on or NOW.date(), "now": NOW + days(40), "key": key, "by": Actor("alerts")}
    if waiver:
        notices.waive(waiver=waiver, **common)
    else:
        notices.record(channel=channel, **common)


def expiry_is_let_in(account: Account, lot: Lot) -> bool:
    """Whether the database lets the lot expire whole and at its date, tried and taken back."""
    check_now()
    statement = expire_by_hand(account, lot, points=100, remaining=0, at=lot.expires_at)
    with transaction.atomic():
        try:
            commit(statement)
        except DatabaseError as error:
            return f"expires lot {lot.pk} unannounced" not in str(error)
        finally:
            transaction.set_rollback(True)
    return True


def test_an_expiry_needs_as_many_channels_as_the_policy_asks():
    minji, lot = in_byeol(notice_channels=2)
    told(minji, lot, "1")
    told(minji, lot, "2")
    assert expiry_is_let_in(minji, lot) is False
    told(minji, lot, "3", channel="sms")
    assert expiry_is_let_in(minji, lot) is True


def test_an_expiry_needs_a_notice_that_was_not_too_early():
    minji, lot = in_byeol(notice_max_days=60)
    told(minji, lot, "1", on=date(2025, 3, 31))
    assert expiry_is_let_in(minji, lot) is False
    told(minji, lot, "2", on=date(2025, 4, 1))
    assert expiry_is_let_in(minji, lot) is True


def test_a_waiver_lets_an_expiry_in_only_where_the_policy_accepts_it():
    minji, lot = in_byeol()
    told(minji, lot, "1", waiver=Waiver.OPTED_OUT)
    assert expiry_is_let_in(minji, lot) is False
    other = builders.minji(builders.byeol("mild", count=2, accepts_waivers=True))
    theirs = lot_of(grant(other, 100))
    assert expiry_is_let_in(other, theirs) is False
    told(other, theirs, "2", waiver=Waiver.OPTED_OUT)
    assert expiry_is_let_in(other, theirs) is True


def test_a_waiver_is_no_second_channel():
    minji, lot = in_byeol(notice_channels=2)
    told(minji, lot, "1")
    told(minji, lot, "2", waiver=Waiver.OPTED_OUT)
    assert expiry_is_let_in(minji, lot) is False


def test_a_withdrawn_notice_announces_nothing():
    minji, lot = in_byeol()
    told(minji, lot, "1")
    assert expiry_is_let_in(minji, lot) is True
    notices.withdraw(account=minji, notice="1", now=NOW + days(40), key="b", by=Actor("alerts"), reason="came back")
    assert expiry_is_let_in(minji, lot) is False


def test_a_lot_that_was_postponed_or_held_and_came_back_still_expires_by_the_sweep(moa):
    """The checks look at facts that may be several acts old: they must not stop what is right."""
    minji = builders.minji(builders.byeol("strict", count=2))
    lot = lot_of(grant(minji, 100, spendable_at=NOW + days(1)))
    postpone(minji, [lot.pk], NOW + days(2))
    lot.refresh_from_db()
    told(minji, lot, "1", on=(NOW + days(2)).date())
    at = NOW + days(41)
    hold(minji, 100, now=at, lapses_at=at + days(1))
    capture(minji, 30, now=at)
    assert lot.expires_at is not None
    assert sweep_all(now=lot.expires_at) == 1
    check_now()
    assert Entry.objects.get(kind="expire").amount == -70
