"""What is about to be written, and which parts of it the hash covers. Pure."""

from __future__ import annotations

from ledger import chain
from ledger.allocation import Slice
from ledger.drafts import BY_CLOCK, Closing, HoldState, Move, Told
from ledger.kinds import Kind
from ledger.receipts import Restored
from tests.ledger.test_book import NOON, SHOP, a_book, day, lot


def test_a_hold_has_as_many_points_as_its_slices():
    assert HoldState(1, "k", NOON, [Slice(lot(1), 3), Slice(lot(2), 4)]).points == 7
    assert HoldState(1, "k", NOON, []).points == 0


def test_only_what_gives_points_back_says_until_when():
    first = lot(1, 10, day(5))
    book = a_book([first])
    taken = book.write(Kind.REDEEM, SHOP, take=[Slice(first, 6)])
    back = book.write(Kind.REFUND, BY_CLOCK, give=[Slice(first, 2)], undoes_seq=51)
    assert (taken.restored, [part.until for part in taken.allocations]) == ([], [None])
    assert back.restored == [Restored(2, day(5))]


def test_the_parts_are_what_the_entry_did_in_the_order_the_hash_has_them():
    new, told = lot(51, 0, day(40), id=None, gated=True, notice_days=30), lot(1, 5, day(40), gated=True, notice_days=30)
    book = a_book([told])
    grant = book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    held = book.write(Kind.HOLD, BY_CLOCK, take=[Slice(new, 2)], held=HoldState(52, "h", day(3), [Slice(new, 2)]))
    moved = book.write(Kind.POSTPONE, BY_CLOCK, moves=[Move(new, day(40), day(50), day(1), day(2))], reason="why")
    notice = Told(day(40), day(39).date(), NOON.date(), "email", "d:1", [told])
    said = book.write(Kind.NOTIFY, BY_CLOCK, told=notice)
    closing = book.write(Kind.CLOSE, BY_CLOCK, closing=Closing(55, day(14), 10))
    back = book.write(Kind.RELEASE, BY_CLOCK, give=[Slice(new, 2)], undoes_seq=52)
    assert list(held.parts()) == [chain.allocation_part(51, 0, -2, None), chain.hold_part(day(3))]
    assert list(moved.parts()) == [chain.move_part(51, 0, day(40), day(50), day(1), day(2))]
    named = [(1, 0)]
    assert list(said.parts()) == [chain.notice_part(day(40), day(39).date(), NOON.date(), "email", "d:1", named, "")]
    assert list(closing.parts()) == [chain.closure_part(day(14), 10)]
    assert list(back.parts()) == [chain.allocation_part(51, 0, 2, day(50))]
    assert list(back.parts(version=1)) == [("allocation", 51, 0, 2)]
    assert [part[0] for part in map(tuple, grant.parts())] == ["lot", "allocation"]
