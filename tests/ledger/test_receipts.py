from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from types import SimpleNamespace
from typing import cast

import pytest

from ledger.kinds import Kind
from ledger.receipts import Line, Restored, receipt_of
from tests.builders import NOW, grant


@pytest.mark.django_db
def test_a_receipt_cannot_be_changed_and_names_no_person(minji):
    receipt = grant(minji, 5)
    with pytest.raises(FrozenInstanceError):
        receipt.points = 6  # type: ignore[misc]
    assert {field.name for field in fields(receipt)} == {
        *("account_id", "seq", "kind", "points", "settled", "debt_added", "asked", "available", "balance", "debt"),
        *("effective_at", "recorded_at", "replayed", "written_off", "restored"),
    }
    assert receipt.kind is Kind.GRANT
    assert receipt.declined is False


ENTRY = {
    "account_id": 7,
    "seq": 3,
    "kind": Kind.GRANT,
    "amount": 0,
    "debt_delta": 0,
    "written_off": 0,
    "asked": None,
    "available": None,
    "balance_after": 70,
    "debt_after": 0,
    "effective_at": NOW,
    "recorded_at": NOW,
    "restored": (),
}


def line(**changes: object) -> Line:
    """An entry as an answer needs it."""
    return cast("Line", SimpleNamespace(**(ENTRY | changes)))


def test_a_capture_says_what_it_captured_what_came_back_and_what_of_that_paid_debt():
    capture = line(kind=Kind.CAPTURE, asked=30, balance_after=0, debt_after=5)
    release = line(seq=4, kind=Kind.RELEASE, amount=20, restored=[Restored(20, None)], balance_after=20, debt_after=5)
    settle = line(seq=5, kind=Kind.SETTLE, debt_delta=-5, balance_after=15, debt_after=0)
    receipt = receipt_of(capture, [release, settle])
    assert (receipt.seq, receipt.kind, receipt.points, receipt.settled) == (3, Kind.CAPTURE, 30, 5)
    assert (receipt.restored, receipt.spendable) == ((Restored(20, None),), 15)
    assert (receipt.balance, receipt.debt, receipt.debt_added) == (15, 0, 0)


def test_an_entry_alone_speaks_for_itself():
    receipt = receipt_of(line(kind=Kind.CLAWBACK, amount=-10, debt_delta=4, written_off=0, debt_after=4), [])
    assert (receipt.points, receipt.debt_added, receipt.settled, receipt.restored, receipt.debt) == (10, 4, 0, (), 4)
    off = receipt_of(line(kind=Kind.CLAWBACK, amount=0, written_off=9), [])
    assert (off.points, off.written_off) == (0, 9)
    decline = receipt_of(line(kind=Kind.DECLINE, asked=5, available=2), [])
    assert (decline.declined, decline.points, decline.asked, decline.available) == (True, 0, 5, 2)
