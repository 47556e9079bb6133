"""Paying debt with the points at hand, soonest first (law 8). Pure."""

from __future__ import annotations

from ledger.kinds import Kind
from ledger.settling import settle
from tests.ledger.test_book import NOON, a_book, day, lot


def test_without_debt_or_without_points_nothing_is_written():
    book = a_book([lot(1, 10)])
    settle(book)
    assert book.drafts == []
    book = a_book(debt=5)
    settle(book)
    assert (book.drafts, book.debt) == ([], 5)


def test_the_soonest_points_pay_and_the_rest_stays():
    soon, late = lot(1, 10, day(5)), lot(2, 10, day(9))
    book = a_book([soon, late], debt=13)
    settle(book)
    (draft,) = book.drafts
    assert (draft.kind, draft.amount, draft.debt_delta, draft.effective_at) == (Kind.SETTLE, 0, -13, NOON)
    assert [(part.lot.seq, part.delta) for part in draft.allocations] == [(1, -10), (2, -3)]
    assert (draft.key, draft.body_hash, draft.actor) == (None, None, "system:clock")
    assert (book.balance, book.debt, late.remaining) == (7, 0, 7)


def test_promised_and_gated_points_pay_too_and_all_of_them_if_they_must():
    promised, gated = lot(1, 4), lot(2, 4, day(-9), gated=True, notice_days=30)
    promised.spendable_at = day(30)
    book = a_book([promised, gated], debt=9)
    settle(book, effective_at=day(-1))
    assert [(part.lot.seq, part.delta) for part in book.drafts[0].allocations] == [(2, -4), (1, -4)]
    assert (book.drafts[0].effective_at, book.balance, book.debt) == (day(-1), 0, 1)
