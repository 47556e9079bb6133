"""Two tills, one return: whatever comes at the same moment, no more comes back than was redeemed."""

from __future__ import annotations

from functools import partial

import pytest

from ledger.errors import MoreThanRedeemed
from ledger.receipts import Receipt
from tests import builders
from tests.builders import capture, grant, hold, redeem, refund
from tests.looking import entries, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import behind_a_writer, in_this_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100)
    redeem(account, 90, key="order:1")
    return account


def test_of_two_refunds_of_the_whole_one_comes_back(minji):
    answers = behind_a_writer(minji, [partial(refund, minji, 90, "order:1") for _ in range(2)])
    assert sorted(type(found).__name__ for found in answers) == ["MoreThanRedeemed", "Receipt"]
    assert entries(minji) == [("grant", 100), ("redeem", -90), ("refund", 90)]
    assert adds_up(minji)


def test_eight_refunds_in_part_give_back_no_more_than_was_redeemed(minji):
    answers = behind_a_writer(minji, [partial(refund, minji, 40, "order:1") for _ in range(8)])
    assert sorted(type(found).__name__ for found in answers) == ["MoreThanRedeemed"] * 6 + ["Receipt"] * 2
    assert row_of(minji) == (90, 0, 4)
    assert adds_up(minji)


def test_a_refund_behind_another_gives_back_what_that_one_left(minji):
    first, second = in_this_order(minji, *(partial(refund, minji, points, "order:1") for points in (50, 40)))
    assert (type(first), type(second)) == (Receipt, Receipt)
    assert row_of(minji) == (100, 0, 4)
    assert adds_up(minji)


def test_a_refund_behind_another_is_refused_what_is_not_left(minji):
    first, second = in_this_order(minji, *(partial(refund, minji, points, "order:1") for points in (50, 41)))
    assert isinstance(first, Receipt)
    assert isinstance(second, MoreThanRedeemed)
    assert second.detail == "41 points were to be refunded, 40 can be."
    assert row_of(minji) == (60, 0, 3)
    assert adds_up(minji)


def test_refunds_of_a_capture_give_back_no_more_than_was_captured(minji):
    hold(minji, 10)
    capture(minji, 6)
    answers = behind_a_writer(minji, [partial(refund, minji, 4, "capture:hold") for _ in range(4)])
    assert sorted(type(found).__name__ for found in answers) == ["MoreThanRedeemed"] * 3 + ["Receipt"]
    assert row_of(minji)[0] == 8
    assert adds_up(minji)
