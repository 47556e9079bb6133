from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from ledger.kinds import Kind
from tests.builders import grant


@pytest.mark.django_db
def test_a_receipt_cannot_be_changed_and_names_no_person(minji):
    receipt = grant(minji, 5)
    with pytest.raises(FrozenInstanceError):
        receipt.points = 6  # type: ignore[misc]
    assert {field.name for field in fields(receipt)} == {
        *("account_id", "seq", "kind", "points", "settled", "debt_added", "asked", "available", "balance", "debt"),
        *("effective_at", "recorded_at", "replayed"),
    }
    assert receipt.kind is Kind.GRANT
    assert receipt.declined is False
