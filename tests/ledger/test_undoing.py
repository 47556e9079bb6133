"""What is left to undo of an entry, and which of its points. Pure."""

from __future__ import annotations

import pytest

from ledger.allocation import Slice
from ledger.drafts import BY_CLOCK, Move, Told
from ledger.kinds import Kind
from ledger.undoing import EndedFacts, ExtensionFacts, GrantFacts, NoticeFacts, SpendingFacts, first_points, last_points
from tests.ledger.test_book import NOON, SHOP, a_book, day, lot

A, B, C = lot(1, 10), lot(2, 10), lot(3, 10)
TAKEN = [Slice(A, 5), Slice(B, 7), Slice(C, 3)]


@pytest.mark.parametrize(
    ("points", "first", "last"),
    [
        (0, [], []),
        (1, [(A, 1)], [(C, 1)]),
        (3, [(A, 3)], [(C, 3)]),
        (5, [(A, 5)], [(C, 3), (B, 2)]),
        (10, [(A, 5), (B, 5)], [(C, 3), (B, 7)]),
        (13, [(A, 5), (B, 7), (C, 1)], [(C, 3), (B, 7), (A, 3)]),
        (15, [(A, 5), (B, 7), (C, 3)], [(C, 3), (B, 7), (A, 5)]),
        (99, [(A, 5), (B, 7), (C, 3)], [(C, 3), (B, 7), (A, 5)]),
    ],
)
def test_the_first_points_are_a_prefix_and_the_last_ones_come_from_the_end(points, first, last):
    assert first_points(TAKEN, points) == first
    assert last_points(TAKEN, points) == last


def test_whatever_is_taken_back_in_whatever_parts_what_stays_is_a_prefix():
    for one in range(16):
        for two in range(16 - one):
            stays = first_points(first_points(TAKEN, 15 - one), 15 - one - two)
            assert stays == first_points(TAKEN, 15 - one - two)


def test_a_redemption_is_known_by_its_slices_and_refunds_count():
    first = lot(1, 10)
    book = a_book([first])
    book.write(Kind.REDEEM, SHOP, take=[Slice(first, 6)])
    spent = book.known.by_key["key:1"]
    assert spent == SpendingFacts(51, [Slice(first, 6)])
    assert isinstance(spent, SpendingFacts)
    assert spent.points == 6
    book.write(Kind.REFUND, BY_CLOCK, give=[Slice(first, 2)], undoes_seq=51)
    assert (spent.refunded, book.known.by_seq[51]) == (2, spent)


def test_an_extension_is_known_by_its_moves_and_its_undoing_is_not():
    first = lot(1, 10, day(5))
    book = a_book([first])
    book.write(Kind.EXTEND, SHOP, moves=[Move(first, day(5), day(9))], reason="why")
    done = book.known.by_key["key:1"]
    assert done == ExtensionFacts(51, [Move(first, day(5), day(9))])
    book.write(Kind.EXTEND, BY_CLOCK, moves=[Move(first, day(9), day(5))], undoes_seq=51, reason="why")
    assert set(book.known.by_seq) == {51}


def test_a_notice_is_known_by_its_date_and_its_lots_until_it_is_withdrawn():
    first = lot(1, 10, day(40), gated=True, notice_days=30)
    book = a_book([first])
    told = Told(day(40), day(39).date(), NOON.date(), "email", "delivery:1", [first])
    book.write(Kind.NOTIFY, SHOP, told=told)
    known = book.known.by_key["key:1"]
    assert known == NoticeFacts(51, day(40), day(39).date(), NOON.date(), "email", "", {(1, 0)})
    assert isinstance(known, NoticeFacts)
    assert book.known.notices == {day(40): [known]}
    assert first.gated is False
    book.write(Kind.NOTIFY, BY_CLOCK, undoes_seq=51, reason="why")
    assert (known.withdrawn, first.gated) == (True, True)


def test_expired_and_reinstated_points_of_the_family_count_in_its_grant():
    book = a_book()
    new = lot(51, 0, NOON, id=None, family_seq=51)
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.known.ended[1051] = ended = EndedFacts(new, reinstated_before=False)
    book.write(Kind.EXPIRE, BY_CLOCK, take=[Slice(new, 7)])
    grant = book.known.by_key["key:1"]
    assert isinstance(grant, GrantFacts)
    assert (grant.expired, grant.cap) == (7, 0)
    assert (ended.seq, ended.ended_at, ended.points) == (52, NOON, 7)
    again = lot(53, 0, day(9), id=None, family_seq=51)
    book.write(Kind.REINSTATE, BY_CLOCK, give=[Slice(again, 7)], made=[again], undoes_seq=52)
    assert (grant.reinstated, grant.cap, ended.reinstated_before) == (7, 7, True)
