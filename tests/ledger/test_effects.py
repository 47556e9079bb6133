"""What an entry does to an account's page: holds, closures, and dates. Pure; the rest is in `test_book.py`."""

from __future__ import annotations

from ledger.allocation import Slice
from ledger.drafts import BY_CLOCK, Closing, HoldState, Move
from ledger.effects import NOTHING_LEFT, UNTOLD, is_end_of_an_empty_account
from ledger.kinds import Kind
from ledger.undoing import SpendingFacts
from tests.ledger.test_book import IDLE, NOON, ROLLING, SHOP, a_book, day, lot, rules


def held(book, first, points: int, lapses_at) -> HoldState:
    hold = HoldState(book.next_seq(), f"hold:{book.next_seq()}", lapses_at, [Slice(first, points)])
    book.write(Kind.HOLD, SHOP, take=[Slice(first, points)], held=hold)
    return hold


def test_the_page_keeps_the_open_holds_and_the_soonest_lapse():
    first = lot(1, 10)
    book = a_book([first])
    one, two = held(book, first, 3, day(5)), held(book, first, 4, day(2))
    assert (book.holds, book.lapses_at, first.remaining) == ({51: one, 52: two}, day(2), 3)
    book.write(Kind.CAPTURE, SHOP, asked=4, undoes_seq=52)
    assert (book.holds, book.lapses_at, two.open) == ({51: one}, day(5), False)
    book.write(Kind.RELEASE, BY_CLOCK, give=[Slice(first, 3)], undoes_seq=51)
    assert (book.holds, book.lapses_at, one.open, first.remaining) == ({}, None, False, 6)
    assert book.ended == []  # neither was written before: they are written as they are now


def test_a_capture_is_known_as_what_it_captured_and_leaves_the_rest():
    first, second = lot(1, 10, day(5)), lot(2, 10, day(9))
    book = a_book([first, second])
    slices = [Slice(first, 10), Slice(second, 6)]
    book.write(Kind.HOLD, BY_CLOCK, take=slices, held=HoldState(51, "hold", day(2), slices, id=7))
    book.write(Kind.CAPTURE, SHOP, asked=12, undoes_seq=51)
    assert book.known.by_key["key:1"] == SpendingFacts(52, [Slice(first, 10), Slice(second, 2)])
    assert book.known.left == {51: [Slice(second, 4)]}
    (ended,) = book.ended
    assert (ended.id, ended.open) == (7, False)


def test_a_hold_is_activity_and_what_ends_it_is_none():
    first = lot(1, 10, day(5), policy_id=2, first_expires_at=day(5))
    book = a_book([first], by=rules(ROLLING, IDLE))
    held(book, first, 3, day(2))
    assert (book.active_at, first.expires_at) == (NOON, day(30))
    book.begin(day(1))
    book.write(Kind.CAPTURE, SHOP, asked=3, undoes_seq=51)
    assert (book.active_at, first.expires_at) == (NOON, day(30))


def test_points_that_come_back_to_an_empty_lot_by_inactivity_come_back_to_its_date_now():
    empty, other = lot(1, 5, day(5), policy_id=2, first_expires_at=day(5), notice_days=3), lot(2, 5)
    book = a_book([empty, other], by=rules(ROLLING, IDLE))
    hold = held(book, empty, 5, day(20))
    book.begin(day(4))
    book.write(Kind.REDEEM, SHOP, take=[Slice(other, 1)])
    assert empty.expires_at == day(5)  # as when it was emptied: nobody keeps the date of an empty lot
    book.write(Kind.RELEASE, BY_CLOCK, give=[Slice(empty, 5)], undoes_seq=hold.seq)
    assert (empty.expires_at, empty.gated) == (day(34), True)


def test_a_closure_is_pending_until_it_is_withdrawn_or_takes_effect():
    first = lot(1, 10)
    book = a_book([first])
    closing = Closing(51, day(14), 10)
    book.write(Kind.CLOSE, SHOP, closing=closing)
    assert (book.closing, book.closes_at, book.closed) == (closing, day(14), False)
    book.write(Kind.CLOSE, BY_CLOCK, undoes_seq=51)
    assert (book.closing, book.closes_at, book.closed, closing.open) == (None, None, False, False)
    again = Closing(53, day(15), 10, id=8)
    book.write(Kind.CLOSE, BY_CLOCK, closing=again)
    book.write(Kind.FORFEIT, BY_CLOCK, take=[Slice(first, 10)])
    assert (book.closing, book.closes_at, book.closed, book.ended) == (None, day(15), True, [again])


def test_only_the_clocks_note_ends_an_empty_account():
    book = a_book()
    book.write(Kind.CLOSE, SHOP, closing=Closing(51, day(14), 0))
    mimic = book.write(Kind.NOTE, SHOP, reason=NOTHING_LEFT)  # with a key: somebody's own words
    other = book.write(Kind.NOTE, BY_CLOCK, reason="another")
    assert (is_end_of_an_empty_account(mimic), is_end_of_an_empty_account(other), book.closed) == (False, False, False)
    end = book.write(Kind.NOTE, BY_CLOCK, reason=NOTHING_LEFT)
    assert (is_end_of_an_empty_account(end), book.closed) == (True, True)


def test_a_lot_is_marked_as_moved_untold_until_it_moves_for_another_reason():
    first = lot(1, 10, day(5), gated=True, notice_days=30)
    book = a_book([first])
    book.write(Kind.EXTEND, SHOP, moves=[Move(first, day(5), day(40))], reason="why", reference=UNTOLD)
    assert (first.moved_untold, first.gated, first.expires_at) == (True, True, day(40))
    book.write(Kind.EXTEND, BY_CLOCK, moves=[Move(first, day(40), day(50))], reason="why")
    assert first.moved_untold is False


def test_a_postponed_promise_moves_both_its_times_and_keeps_no_other_lot_where_an_extension_does():
    first = lot(1, 10, day(40), policy_id=2, first_expires_at=day(40))
    first.spendable_at = day(10)
    book = a_book([first], by=rules(ROLLING, IDLE))
    book.write(Kind.POSTPONE, SHOP, moves=[Move(first, day(40), day(60), day(10), day(30))], reason="why")
    assert (first.spendable_at, first.expires_at, book.not_before) == (day(30), day(60), None)
    book.write(Kind.EXTEND, BY_CLOCK, moves=[Move(first, day(60), day(70))], reason="why")
    assert (first.spendable_at, book.not_before) == (day(30), day(70))


def test_a_made_lot_keeps_the_dates_it_was_made_with():
    new = lot(51, 0, day(9), id=None)
    book = a_book()
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.write(Kind.EXTEND, BY_CLOCK, moves=[Move(new, day(9), day(20))], reason="why")
    assert (new.first_spendable_at, new.first_expires_at, new.expires_at) == (day(-100), day(9), day(20))


def test_an_emptied_lot_leaves_the_open_ones_and_is_the_same_when_it_is_met_again():
    first, second = lot(1, 5, day(1)), lot(2, 5, day(1))
    book = a_book([first, second])
    book.write(Kind.REDEEM, SHOP, take=[Slice(second, 5)])
    assert list(book.lots()) == [first]
    assert book.same(lot(2, 0, day(1))) is second
    book.write(Kind.REFUND, BY_CLOCK, give=[Slice(second, 2)], undoes_seq=51)
    book.write(Kind.REFUND, BY_CLOCK, give=[Slice(second, 3)], undoes_seq=51)
    assert list(book.lots()) == [first, second]
