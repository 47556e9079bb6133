"""Two people, one wallet: whatever comes at the same moment, no point is spent twice (law 10)."""

from __future__ import annotations

from functools import partial

import pytest

from ledger.errors import InsufficientPoints
from ledger.models import Account, Entry
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, days, grant, redeem
from tests.chains import recomputed
from tests.looking import entries, remainders, row_of
from tests.races.together import behind_a_writer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def minji():
    return builders.minji(builders.moa())


def adds_up(account: Account) -> bool:
    """The account's cached numbers are those of its entries and lots, without a gap, and the chain recomputes."""
    row = Account.objects.get(pk=account.pk)
    rows = list(Entry.objects.filter(account=account).order_by("seq"))
    assert [entry.seq for entry in rows] == list(range(1, row.seq + 1))
    assert sum(entry.amount for entry in rows) == row.balance - row.debt
    assert sum(remainders(account).values()) == row.balance == rows[-1].balance_after
    assert [hash_ for _, hash_ in recomputed(account)] == [bytes(entry.hash) for entry in rows]
    assert bytes(row.head_hash) == bytes(rows[-1].hash)
    return True


@pytest.mark.parametrize("number", [2, 8])
def test_of_redemptions_of_the_last_points_exactly_one_wins_and_the_others_are_on_record(minji, number):
    grant(minji, 100)
    answers = behind_a_writer(minji, [partial(redeem, minji, 100) for _ in range(number)])
    (won,) = (found for found in answers if isinstance(found, Receipt))
    lost = [found.receipt for found in answers if isinstance(found, InsufficientPoints)]
    assert (won.points, won.balance) == (100, 0)
    assert [(receipt.asked, receipt.available) for receipt in lost] == [(100, 0)] * (number - 1)
    assert entries(minji) == [("grant", 100), ("redeem", -100), *[("decline", 0)] * (number - 1)]
    assert row_of(minji) == (0, 0, 1 + number)
    assert adds_up(minji)


def test_eight_redemptions_of_points_for_three_let_three_through(minji):
    grant(minji, 60, expires_at=NOW + days(5))
    grant(minji, 60)
    answers = behind_a_writer(minji, [partial(redeem, minji, 40) for _ in range(8)])
    assert sorted(type(found).__name__ for found in answers) == ["InsufficientPoints"] * 5 + ["Receipt"] * 3
    assert row_of(minji) == (0, 0, 10)
    assert remainders(minji) == {1: 0, 2: 0}
    assert adds_up(minji)
