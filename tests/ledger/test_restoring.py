"""Where points go that come back: law 6, worked out on plain values. The floor is thirty days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.allocation import Slice
from ledger.drafts import Allocated
from ledger.kinds import Kind
from ledger.restoring import give_back, new_lot_of
from tests.ledger.test_book import NOON, ROLLING, SHOP, a_book, day, lot, rules

TICK = timedelta(microseconds=1)


def given_back(lots, points: int = 3, *, by=None, debt: int = 0, at=NOON):
    book = a_book(debt=debt, by=by)
    return give_back(book, Kind.REFUND, SHOP, [Slice(one, points) for one in lots], undoes_seq=9, at=at), book


@pytest.mark.parametrize("expires_at", [None, day(30), day(31), day(999)])
def test_a_lot_with_the_floor_left_takes_its_points_back(expires_at):
    first = lot(1, 0, expires_at)
    draft, book = given_back([first])
    assert draft.allocations == [Allocated(first, 3, expires_at)]
    assert (draft.made, first.remaining, book.balance, draft.undoes_seq) == ([], 3, 3, 9)


@pytest.mark.parametrize(
    ("expires_at", "until"),
    [(day(30) - TICK, day(30)), (NOON, day(30)), (day(-400), day(30))],
)
def test_without_the_floor_left_a_new_lot_has_it(expires_at, until):
    first = lot(1, 0, expires_at, family_seq=77)
    draft, book = given_back([first])
    (new,) = draft.made
    assert (new.seq, new.number, new.family_seq, new.policy_id, new.origin) == (51, 0, 77, 1, "purchase")
    assert (new.granted, new.remaining, new.expires_at, new.spendable_at) == (3, 3, until, NOON)
    assert draft.allocations == [Allocated(new, 3, until)]
    assert list(book.lots()) == [new]
    assert first.remaining == 0


@pytest.mark.parametrize(
    ("terms", "until"),
    [
        ({"restored_floor_days": 1}, 33),  # time to tell: 30 days and 3 of slack
        ({"restored_floor_days": 40}, 40),
        ({"restored_floor_days": 33}, 33),
        ({"restored_floor_days": 1, "notice_slack": 0}, 30),
    ],
)
def test_under_a_notice_duty_there_is_time_to_tell(terms, until):
    strict = replace(ROLLING, notice_days=30, **({"notice_slack": 3} | terms))
    draft, _ = given_back([lot(1, 0, NOON)], by=rules(strict))
    (new,) = draft.made
    assert (new.expires_at, new.gated) == (day(until), True)
    assert (new.notice_days, new.notice_slack) == (30, strict.notice_slack)


def test_a_date_that_is_later_than_the_floor_gives_is_kept():
    """The floor of ten days is not left, and yet the lot goes later than the floor alone: never earlier than it did."""
    strict = replace(ROLLING, restored_floor_days=10, notice_days=5, notice_slack=0)
    draft, _ = given_back([lot(1, 0, day(9))], by=rules(strict))
    assert draft.made[0].expires_at == day(10)
    again, _ = given_back([lot(1, 0, day(10))], by=rules(strict))
    assert again.made == []


def test_each_slice_that_finds_no_lot_gets_its_own_in_the_order_they_come_back():
    over, alive, long_over = lot(3, 0, day(-1)), lot(2, 0, day(90)), lot(1, 0, day(-50))
    draft, book = given_back([over, alive, long_over])
    assert [(new.number, new.family_seq) for new in draft.made] == [(0, 3), (1, 1)]
    given = [(part.lot.seq, part.lot.number, part.delta) for part in draft.allocations]
    assert given == [(51, 0, 3), (2, 0, 3), (51, 1, 3)]
    assert (draft.amount, book.balance) == (9, 9)


def test_what_comes_back_pays_debt_as_of_then():
    book_of = lot(1, 0, day(90))
    draft, book = given_back([book_of], debt=2, at=day(-3))
    settle = book.drafts[1]
    assert (settle.kind, settle.debt_delta, settle.effective_at, settle.recorded_at) == (Kind.SETTLE, -2, day(-3), NOON)
    assert (draft.effective_at, book.balance, book.debt) == (day(-3), 1, 0)


def test_a_new_lot_of_the_family_is_still_empty_and_without_a_date_it_has_no_gate():
    strict = replace(ROLLING, notice_days=30, notice_slack=3)
    new = new_lot_of(lot(1, 0, NOON, family_seq=4), strict, 51, 2, 7, None, NOON)
    assert (new.number, new.family_seq, new.granted, new.remaining) == (2, 4, 7, 0)
    assert (new.expires_at, new.gated, new.notice_days, new.notice_slack) == (None, False, 0, 0)
