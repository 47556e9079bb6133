from __future__ import annotations

import pytest

from ledger.errors import KeyReused
from ledger.kinds import Kind
from ledger.notes import note_order
from ledger.posting import act
from tests.builders import NOW, SHOP, days, grant
from tests.looking import entries, nothing_changes, row_of

pytestmark = pytest.mark.django_db


def noted(account, *, now=NOW, **more):
    return act(note_order(account_id=account.pk, now=now, key="order:1", by=SHOP, reason="too small", **more))


def test_a_note_takes_a_number_and_moves_nothing(minji):
    grant(minji, 10)
    receipt = noted(minji)
    assert (receipt.kind, receipt.seq, receipt.points, receipt.balance) == (Kind.NOTE, 2, 0, 10)
    assert row_of(minji) == (10, 0, 2)


def test_a_note_writes_what_the_clock_did_first(minji):
    grant(minji, 10, expires_at=NOW + days(1))
    noted(minji, now=NOW + days(1))
    assert entries(minji) == [("grant", 10), ("expire", -10), ("note", 0)]


def test_the_content_of_a_feeds_row_is_what_the_key_stands_for(minji):
    noted(minji, content={"row": "1"})
    with nothing_changes(), pytest.raises(KeyReused):
        noted(minji, content={"row": "2"})
