"""The purchase goes back while its points are being spent: who comes first changes who pays, never the sum."""

from __future__ import annotations

from functools import partial

import pytest

from ledger.errors import InsufficientPoints
from ledger.receipts import Receipt
from tests import builders
from tests.builders import clawback, grant, redeem
from tests.looking import entries, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import behind_a_writer, in_this_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100, key="order:1")
    return account


def test_a_clawback_behind_a_redemption_takes_what_is_left_and_the_rest_is_owed(minji):
    redeemed, clawed_back = in_this_order(
        minji, partial(redeem, minji, 60), partial(clawback, minji, 100, undoes="order:1")
    )
    assert isinstance(redeemed, Receipt)
    assert isinstance(clawed_back, Receipt)
    assert (clawed_back.points, clawed_back.debt_added) == (100, 60)
    assert row_of(minji) == (0, 60, 3)
    assert adds_up(minji)


def test_a_redemption_behind_a_clawback_is_declined(minji):
    clawed_back, declined = in_this_order(
        minji, partial(clawback, minji, 100, undoes="order:1"), partial(redeem, minji, 60)
    )
    assert isinstance(clawed_back, Receipt)
    assert isinstance(declined, InsufficientPoints)
    assert declined.receipt.available == 0
    assert entries(minji) == [("grant", 100), ("clawback", -100), ("decline", 0)]
    assert row_of(minji) == (0, 0, 3)
    assert adds_up(minji)


def test_clawbacks_of_one_grant_at_once_stay_within_its_cap(minji):
    grant(minji, 500)
    calls = [partial(clawback, minji, 70, undoes="order:1", key=f"return:{n}") for n in range(4)]
    answers = behind_a_writer(minji, calls)
    assert sorted(found.points for found in answers if isinstance(found, Receipt)) == [0, 0, 30, 70]
    assert row_of(minji)[0] == 500
    assert adds_up(minji)
