"""How a book reads on: the open lots behind its first page, as they are written and as they have become. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ledger.allocation import LotState, Slice, is_spendable
from ledger.drafts import Move
from ledger.kinds import Kind
from tests.ledger.test_book import NOON, SHOP, a_book, day, lot


class Rest:
    """The lots behind the first page as they are written, `size` to a page, and how often somebody read them."""

    def __init__(self, *lots: LotState, size: int = 100) -> None:
        self.lots = list(lots)
        self.size = size
        self.is_over = False
        self.reads = 0
        self.asked: list[tuple] = []  # what else was asked

    def page(self) -> list[LotState]:
        first = self.size * self.reads
        self.reads += 1
        found = self.lots[first : first + self.size]
        self.is_over = len(found) < self.size
        return [replace(lot) for lot in found]

    def of_family(self, seq: int) -> list[LotState]:
        self.asked.append(("family", seq))
        return [replace(lot) for lot in self.lots if lot.family_seq == seq]

    def spendable(self, at: datetime, *, but: Sequence[int]) -> int:
        self.asked.append(("spendable", at, sorted(but)))
        return sum(lot.remaining for lot in self.lots if lot.id not in but and is_spendable(lot, at))


def test_the_rest_is_read_only_when_somebody_looks_behind_the_first_page():
    first, second = lot(1, 5, day(1)), lot(2, 5, day(2))
    rest = Rest(lot(3, 5, day(3)), lot(4, 5))
    book = a_book([first, second], rest=rest)
    looking = book.lots()
    assert [next(looking), next(looking)] == [first, second]
    assert rest.reads == 0
    assert [found.seq for found in looking] == [3, 4]
    assert rest.reads == 1
    assert [found.seq for found in book.lots()] == [1, 2, 3, 4]
    assert rest.reads == 1


def test_pages_are_read_one_by_one_as_somebody_looks_behind_the_last():
    rest = Rest(*(lot(n, 5, day(n)) for n in range(2, 7)), size=2)
    book = a_book([lot(1, 5, day(1))], rest=rest)
    looking = book.lots()
    seen = [(next(looking).seq, rest.reads) for _ in range(6)]
    assert seen == [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)]
    assert list(looking) == []
    assert [found.seq for found in book.lots()] == [1, 2, 3, 4, 5, 6]
    assert rest.reads == 3


def test_a_last_page_that_is_full_is_followed_by_one_with_nothing_in_it():
    rest = Rest(lot(2, 5, day(2)), lot(3, 5, day(3)), size=2)
    book = a_book([lot(1, 5, day(1))], rest=rest)
    assert [found.seq for found in book.lots()] == [1, 2, 3]
    assert [found.seq for found in book.lots()] == [1, 2, 3]
    assert rest.reads == 2


def test_a_page_of_which_all_was_met_before_is_followed_by_the_next():
    rest = Rest(*(lot(n, 5, day(n)) for n in range(2, 5)), size=2)
    book = a_book([lot(1, 5, day(1))], rest=rest)
    second, third = book.same(lot(2, 5, day(2))), book.same(lot(3, 5, day(3)))
    book.write(Kind.REDEEM, SHOP, take=[Slice(second, 5), Slice(third, 5)])
    assert [found.seq for found in book.lots()] == [1, 4]


def test_how_far_was_read_is_where_the_last_lot_of_a_page_is_written_and_not_where_it_has_moved():
    rest = Rest(lot(2, 5, day(2)), lot(3, 5, day(3)), lot(4, 5, day(5)), size=2)
    book = a_book([lot(1, 5, day(1))], rest=rest)
    third = book.same(lot(3, 5, day(3)))
    book.write(Kind.EXTEND, SHOP, moves=[Move(third, day(3), day(7))], reason="why")
    assert [found.seq for found in book.lots()] == [1, 2, 4, 3]


def test_a_lot_that_was_not_read_yet_and_moves_to_the_front_is_taken_in_its_new_place_once():
    rest = Rest(lot(2, 5, day(4)), lot(3, 5, day(9)), lot(4, 5, day(9)))
    book = a_book([lot(1, 5, day(3))], rest=rest)
    third = book.same(lot(3, 5, day(9)))
    book.write(Kind.EXTEND, SHOP, moves=[Move(third, day(9), day(1))], reason="why", undoes_seq=7)
    looking = book.lots()
    assert next(looking) is third
    assert rest.reads == 0
    assert [found.seq for found in looking] == [1, 2, 4]


def test_a_family_is_looked_up_behind_what_was_read_and_no_page_is_read_for_it():
    own, behind = lot(2, 5, day(2)), lot(7, 5, day(8), family_seq=2)
    rest = Rest(lot(3, 5, day(3)), behind, lot(4, 5), size=1)
    book = a_book([lot(1, 5, day(1)), own], rest=rest)
    assert [found.seq for found in book.family(2)] == [2, 7]
    assert (rest.reads, rest.asked) == (0, [("family", 2)])
    assert book.family(2)[0] is own
    others = book.others(2)
    assert [(next(others).seq, rest.reads) for _ in range(3)] == [(1, 0), (3, 1), (4, 3)]
    assert [found.seq for found in book.lots()] == [1, 2, 3, 7, 4]


def test_of_a_family_only_live_lots_are_found_with_what_has_become_of_them_on_the_page():
    ended, spent = lot(3, 5, day(-1), family_seq=2), lot(4, 5, day(9), family_seq=2)
    book = a_book([ended, lot(2, 5, day(2))], rest=Rest(spent, lot(5, 5, day(10), family_seq=2)))
    met = book.same(replace(spent))
    book.write(Kind.REDEEM, SHOP, take=[Slice(met, 5)])
    assert [(found.seq, found.remaining) for found in book.family(2)] == [(2, 5), (5, 5)]


def test_without_a_family_nothing_is_looked_up_and_all_are_others():
    rest = Rest(lot(2, 5, day(2)))
    book = a_book([lot(1, 5, day(1))], rest=rest)
    assert book.family(None) == []
    assert [found.seq for found in book.others(None)] == [1, 2]
    assert rest.asked == []


def test_what_can_be_spent_is_summed_up_without_reading_a_page():
    gated = lot(2, 7, day(-1), gated=True, notice_days=30)
    ended, here, behind = lot(1, 90, day(-1)), lot(3, 5, day(4)), lot(5, 20, day(6))
    promised = replace(lot(4, 400, day(5)), spendable_at=day(1))
    rest = Rest(behind, promised, lot(6, 3))
    book = a_book([ended, gated, here], rest=rest)
    assert book.spendable() == 7 + 5 + 20 + 3
    assert (rest.reads, rest.asked) == (0, [("spendable", NOON, [1001, 1002, 1003])])


def test_what_can_be_spent_counts_what_has_become_of_lots_on_the_page():
    first, second = lot(1, 10, day(1)), lot(2, 10, day(2))
    rest = Rest(lot(3, 10, day(3)), lot(4, 10, day(4)))
    book = a_book([first, second], rest=rest)
    third = book.same(lot(3, 10, day(3)))
    book.write(Kind.REDEEM, SHOP, take=[Slice(first, 10), Slice(second, 4), Slice(third, 1)])
    new = lot(51, 0, day(9), id=None)
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    assert book.spendable() == 6 + 9 + 10 + 7
    assert rest.asked == [("spendable", NOON, [1001, 1002, 1003])]
    assert list(book.lots())[-1].seq == 51
    assert book.spendable() == 32
    assert len(rest.asked) == 1  # all were read


def test_a_new_lot_before_the_end_of_the_first_page_takes_its_place_without_a_read():
    rest = Rest(lot(4, 5, day(9)))
    book = a_book([lot(1, 5, day(1)), lot(2, 5, day(3))], rest=rest)
    new = lot(51, 0, day(2), id=None)
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    looking = book.lots()
    assert [next(looking).seq for _ in range(3)] == [1, 51, 2]
    assert rest.reads == 0
    assert [found.seq for found in looking] == [4]


def test_a_new_lot_behind_what_was_read_comes_after_older_lots_that_were_not_read_yet():
    rest = Rest(lot(3, 5, day(5)), lot(4, 5, day(9)))
    book = a_book([lot(1, 5, day(1)), lot(2, 5, day(3))], rest=rest)
    new = lot(51, 0, day(7), id=None)
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    looking = book.lots()
    assert [next(looking).seq, next(looking).seq] == [1, 2]
    assert rest.reads == 0
    assert [found.seq for found in looking] == [3, 51, 4]
    assert rest.reads == 1


def test_a_lot_that_moved_behind_what_was_read_does_not_jump_the_queue():
    first, second = lot(1, 5, day(1)), lot(2, 5, day(3))
    rest = Rest(lot(3, 5, day(5)), lot(4, 5, day(9)))
    book = a_book([first, second], rest=rest)
    book.write(Kind.EXTEND, SHOP, moves=[Move(second, day(3), day(7))], reason="why")
    assert [found.seq for found in book.lots()] == [1, 3, 2, 4]
    assert rest.reads == 1


def test_the_rest_is_read_when_the_whole_first_page_moved_behind_it():
    first, second = lot(1, 5, day(1)), lot(2, 5, day(3))
    rest = Rest(lot(3, 5, day(5)), lot(4, 5))
    book = a_book([first, second], rest=rest)
    book.write(Kind.EXTEND, SHOP, moves=[Move(first, day(1), day(8)), Move(second, day(3), day(7))], reason="why")
    assert [found.seq for found in book.lots()] == [3, 2, 1, 4]


def test_the_rest_is_read_when_the_first_page_is_used_up():
    first = lot(1, 5, day(1))
    rest = Rest(lot(2, 5, day(2)))
    book = a_book([first], rest=rest)
    book.write(Kind.REDEEM, SHOP, take=[Slice(first, 5)])
    assert [found.seq for found in book.lots()] == [2]


def test_one_lot_is_one_state_on_a_page_whether_it_was_met_first_or_read_later():
    rest = Rest(lot(2, 5, day(2)), lot(3, 5, day(3)))
    first = lot(1, 5, day(1))
    book = a_book([first], rest=rest)
    assert book.same(lot(1, 5, day(1))) is first
    met = book.same(lot(2, 5, day(2)))
    empty = book.same(lot(9, 0, day(9)))
    assert [own for own in book.lots() if own.seq == 2] == [met]
    assert book.same(lot(9, 0, day(9))) is empty
    assert book.named({(1, 0), (2, 0), (9, 0), (8, 0)}) == [first, met, empty]
