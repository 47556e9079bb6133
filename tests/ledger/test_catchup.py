"""What the clock has already done to an account. Pure."""

from __future__ import annotations

from datetime import timedelta

from ledger.allocation import Slice
from ledger.catchup import ENDED, LAPSED, catch_up
from ledger.drafts import Closing, HoldState
from ledger.kinds import Kind
from tests.ledger.test_book import NOON, a_book, day, lot
from tests.ledger.test_book_pages import Rest


def drafted(book) -> list[tuple]:
    return [
        (draft.kind, draft.effective_at, [(lot.seq, delta) for lot, delta, _ in draft.allocations])
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


def with_hold(book, seq: int, lapses_at, *slices: Slice):
    """An open hold that was written before, of points that are no longer in their lots."""
    book.holds[seq] = HoldState(seq, f"hold:{seq}", lapses_at, slices, id=seq)
    book.lapses_at = min(hold.lapses_at for hold in book.holds.values())
    return book.holds[seq]


def test_a_hold_lapses_at_its_instant_and_not_before():
    first = lot(1, 5, day(90))
    book = a_book([first])
    held = with_hold(book, 9, NOON + timedelta(microseconds=1), Slice(first, 4))
    assert catch_up(book) == 0
    book.begin(NOON + timedelta(microseconds=1))
    assert catch_up(book) == 1
    assert drafted(book) == [(Kind.RELEASE, NOON + timedelta(microseconds=1), [(1, 4)])]
    draft = book.drafts[0]
    assert (draft.amount, draft.undoes_seq, draft.reason) == (4, 9, LAPSED)
    assert (draft.key, draft.actor) == (None, "system:clock")
    assert (held.open, book.holds, book.lapses_at, book.ended) == (False, {}, None, [held])
    assert first.remaining == 9


def test_the_floor_of_a_lapsed_hold_is_counted_from_its_lapse_and_not_from_when_somebody_looked():
    """The lot goes 31 days after the lapse, a day after what the floor asks for: its points go back to it."""
    first = lot(1, 0, day(21))
    book = a_book()
    with_hold(book, 9, day(-10), Slice(first, 4))
    assert catch_up(book) == 1
    assert (first.remaining, book.drafts[0].made) == (4, [])


def test_events_come_in_the_order_of_their_instants_whatever_they_are():
    ends, later = lot(1, 10, day(-5)), lot(2, 10, day(-1))
    book = a_book([ends, later])
    with_hold(book, 9, day(-3), Slice(ends, 4))  # what it held is over: a lot of its own, until 27 days from now
    book.closing, book.closes_at = Closing(8, day(-2), 20, id=8), day(-2)
    assert catch_up(book) == 3
    assert drafted(book) == [
        (Kind.EXPIRE, day(-5), [(1, -10)]),
        (Kind.RELEASE, day(-3), [(52, 4)]),
        (Kind.FORFEIT, day(-2), [(2, -10), (52, -4)]),
    ]
    assert {draft.recorded_at for draft in book.drafts} == {NOON}
    assert (book.drafts[1].made[0].expires_at, book.drafts[1].made[0].spendable_at) == (day(27), day(-3))
    assert (book.balance, book.closed, book.holds) == (0, True, {})


def test_at_one_instant_lots_end_before_holds_lapse_before_the_account_closes():
    ends, never = lot(1, 10, day(-1)), lot(2, 7)
    book = a_book([ends, never])
    with_hold(book, 9, day(-1), Slice(never, 3))
    book.closing, book.closes_at = Closing(8, day(-1), 17, id=8), day(-1)
    catch_up(book)
    assert [(kind, slices) for kind, _, slices in drafted(book)] == [
        (Kind.EXPIRE, [(1, -10)]),
        (Kind.RELEASE, [(2, 3)]),
        (Kind.FORFEIT, [(2, -10)]),
    ]


def test_a_closure_releases_holds_that_would_lapse_later_and_takes_gated_and_promised_points_too():
    gated = lot(1, 10, day(-9), gated=True, notice_days=30)
    promised = lot(2, 5, day(90))
    promised.spendable_at = day(30)
    book = a_book([gated, promised])
    held = with_hold(book, 9, day(9), Slice(gated, 2))
    book.closing = closing = Closing(8, NOON, 15, id=8)
    book.closes_at = NOON
    assert catch_up(book) == 2
    kinds = [(kind, at) for kind, at, _ in drafted(book)]
    assert kinds == [(Kind.RELEASE, NOON), (Kind.FORFEIT, NOON)]
    assert (book.drafts[0].reason, book.drafts[1].amount) == (ENDED, -17)
    assert (book.balance, book.lapses_at, book.closes_at, book.ended) == (0, None, NOON, [held, closing])


def test_an_account_with_nothing_left_is_closed_by_a_note():
    book = a_book(debt=5)
    book.closing, book.closes_at = Closing(8, day(-1), 0, id=8), day(-1)
    assert catch_up(book) == 1
    assert drafted(book) == [(Kind.NOTE, day(-1), [])]
    assert (book.drafts[0].reason, book.closed, book.debt) == ("closed with nothing left", True, 5)
    book.begin(day(50))
    assert catch_up(book) == 0


def test_points_of_lapsed_holds_pay_debt_each_at_its_lapse_and_the_rest_can_expire():
    first = lot(1, 0, day(90))
    book = a_book(debt=5)
    with_hold(book, 9, day(-2), Slice(first, 3))
    with_hold(book, 10, day(-2), Slice(first, 4))
    assert catch_up(book) == 4
    assert drafted(book) == [
        (Kind.RELEASE, day(-2), [(1, 3)]),
        (Kind.SETTLE, day(-2), [(1, -3)]),
        (Kind.RELEASE, day(-2), [(1, 4)]),
        (Kind.SETTLE, day(-2), [(1, -2)]),
    ]
    assert (book.balance, book.debt, first.remaining) == (2, 0, 2)


def test_what_came_back_by_a_lapse_long_ago_has_itself_ended_since():
    first = lot(1, 0, day(-99))
    book = a_book()
    with_hold(book, 9, day(-50), Slice(first, 3))
    assert catch_up(book) == 2
    assert drafted(book) == [(Kind.RELEASE, day(-50), [(51, 3)]), (Kind.EXPIRE, day(-20), [(51, -3)])]
