"""What the clock has already done to an account. Pure."""

from __future__ import annotations

from datetime import timedelta

from ledger.catchup import catch_up
from ledger.kinds import Kind
from tests.ledger.test_book import NOON, Rest, a_book, day, lot


def drafted(book) -> list[tuple]:
    return [
        (draft.kind, draft.effective_at, [(lot.seq, delta) for lot, delta in draft.allocations])
        for draft in book.drafts
    ]


def test_nothing_is_written_while_nothing_has_ended():
    book = a_book([lot(1, 10, NOON + timedelta(microseconds=1)), lot(2, 10)])
    assert catch_up(book) == 0
    assert book.drafts == []
    assert (book.balance, book.seq) == (20, 50)


def test_a_lot_ends_at_its_instant_and_not_after_it():
    book = a_book([lot(1, 10, NOON)])
    assert catch_up(book) == 1
    assert drafted(book) == [(Kind.EXPIRE, NOON, [(1, -10)])]
    assert book.balance == 0


def test_each_instant_is_one_entry_with_the_exact_remainder_of_each_of_its_lots():
    book = a_book([lot(1, 10, day(-2)), lot(2, 7, day(-1)), lot(3, 5, day(-2)), lot(4, 3, day(1))])
    assert catch_up(book) == 2
    assert drafted(book) == [
        (Kind.EXPIRE, day(-2), [(1, -10), (3, -5)]),
        (Kind.EXPIRE, day(-1), [(2, -7)]),
    ]
    assert [draft.amount for draft in book.drafts] == [-15, -7]
    assert [draft.recorded_at for draft in book.drafts] == [NOON, NOON]
    assert [(draft.key, draft.body_hash, draft.actor) for draft in book.drafts] == [(None, None, "system:clock")] * 2
    assert book.balance == 3


def test_what_is_gated_does_not_end_and_does_not_hold_back_what_is_behind_it():
    gated = lot(1, 10, day(-9), gated=True, notice_days=30)
    book = a_book([gated, lot(2, 7, day(-1))])
    assert catch_up(book) == 1
    assert drafted(book) == [(Kind.EXPIRE, day(-1), [(2, -7)])]
    assert gated.remaining == 10


def test_catching_up_twice_writes_nothing_more():
    book = a_book([lot(1, 10, day(-2))])
    assert catch_up(book) == 1
    assert catch_up(book) == 0
    assert len(book.drafts) == 1


def test_lots_behind_the_first_page_are_caught_up_with_too():
    rest = Rest(lot(2, 7, day(-1)), lot(3, 1, day(1)))
    book = a_book([lot(1, 10, day(-2))], rest=rest)
    book.balance += 8
    assert catch_up(book) == 2
    assert drafted(book) == [(Kind.EXPIRE, day(-2), [(1, -10)]), (Kind.EXPIRE, day(-1), [(2, -7)])]


def test_lots_behind_a_date_that_is_ahead_are_not_read_for_it():
    rest = Rest(lot(2, 7, day(9)))
    book = a_book([lot(1, 10, day(1))], rest=rest)
    assert catch_up(book) == 0
    assert rest.reads == 0


def test_time_is_the_later_of_now_and_the_last_entry():
    book = a_book([lot(1, 10, day(1))], last=day(2))
    assert catch_up(book) == 1
    assert book.drafts[0].effective_at == day(1)
    assert book.drafts[0].recorded_at == day(2)
