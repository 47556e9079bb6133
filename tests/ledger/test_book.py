"""An account's page while acts are decided. Pure: books and lots are made here as plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger import chain
from ledger.allocation import LotState, Slice, redemption_order
from ledger.book import Book
from ledger.drafts import BY_CLOCK, Move, Signature
from ledger.kinds import Kind
from ledger.undoing import GrantFacts

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
SHOP = Signature("api:shop", "key:1", b"\x01" * 32)


def day(n: int) -> datetime:
    return NOON + timedelta(days=n)


def lot(seq: int, remaining: int = 10, expires_at: datetime | None = None, **more) -> LotState:
    more = {"family_seq": seq, "granted": 100, "id": 1000 + seq} | more
    return LotState(
        seq=seq,
        number=0,
        policy_id=1,
        origin="purchase",
        remaining=remaining,
        spendable_at=day(-100),
        expires_at=expires_at,
        **more,
    )


def a_book(lots=(), *, debt: int = 0, seq: int = 50, last: datetime | None = None, rest=None) -> Book:
    lots = sorted(lots, key=redemption_order)
    book = Book(7, 3, sum(lot.remaining for lot in lots), debt, seq, chain.GENESIS, last)
    book.fill(lots, rest)
    book.begin(NOON)
    return book


class Rest:
    """The lots behind the first page, and whether somebody read them."""

    def __init__(self, *lots: LotState) -> None:
        self.lots = list(lots)
        self.reads = 0

    def __call__(self) -> list[LotState]:
        self.reads += 1
        return self.lots


def test_time_never_runs_backwards_on_an_account():
    book = a_book(last=day(1))
    book.begin(NOON)
    assert book.at == day(1)
    book.begin(day(2))
    assert book.at == day(2)
    assert a_book(last=None).at == NOON


def test_one_entry_moves_balance_debt_number_hash_and_time_together():
    first = lot(1, 10, day(5))
    book = a_book([first], last=day(-1))
    draft = book.write(Kind.REDEEM, SHOP, take=[Slice(first, 4)], reference="order 1")
    assert (draft.seq, draft.kind, draft.amount, draft.debt_delta) == (51, Kind.REDEEM, -4, 0)
    assert (draft.balance_after, draft.debt_after) == (6, 0)
    assert (draft.key, draft.body_hash, draft.actor) == ("key:1", b"\x01" * 32, "api:shop")
    assert (draft.effective_at, draft.recorded_at) == (NOON, NOON)
    assert draft.previous_hash == chain.GENESIS
    assert draft.hash == chain.entry_hash(chain.GENESIS, draft, draft.parts())
    assert (book.seq, book.balance, book.debt, book.head_hash) == (51, 6, 0, draft.hash)
    assert book.last_recorded_at == NOON
    assert first.remaining == 6
    assert book.touched == {(1, 0): first}
    assert book.drafts == [draft]


def test_each_entry_is_chained_to_the_one_before():
    first = lot(1, 10)
    book = a_book([first])
    one = book.write(Kind.REDEEM, SHOP, take=[Slice(first, 1)])
    two = book.write(Kind.REDEEM, SHOP, take=[Slice(first, 1)])
    assert (one.seq, two.seq) == (51, 52)
    assert two.previous_hash == one.hash
    assert two.hash == chain.entry_hash(one.hash, two, two.parts())


def test_debt_that_an_entry_adds_is_part_of_its_amount():
    first = lot(1, 10)
    book = a_book([first])
    draft = book.write(Kind.CLAWBACK, SHOP, take=[Slice(first, 10)], debt_delta=15)
    assert (draft.amount, draft.balance_after, draft.debt_after) == (-25, 0, 15)


def test_settling_has_the_amount_zero():
    first = lot(1, 10)
    book = a_book([first], debt=4)
    draft = book.write(Kind.SETTLE, BY_CLOCK, take=[Slice(first, 4)], debt_delta=-4)
    assert (draft.amount, draft.balance_after, draft.debt_after) == (0, 6, 0)
    assert (draft.key, draft.body_hash, draft.actor) == (None, None, "system:clock")


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [(Kind.GRANT, 0, 5), (Kind.REDEEM, 5, 0), (Kind.EXPIRE, 5, 0), (Kind.NOTE, 5, 0), (Kind.NOTE, 0, 5)],
)
def test_a_kind_cannot_have_the_wrong_sign(kind, given, taken):
    first = lot(1, 10)
    book = a_book([first])
    give = [Slice(first, given)] if given else []
    take = [Slice(first, taken)] if taken else []
    with pytest.raises(AssertionError, match="cannot have the amount"):
        book.write(kind, SHOP, give=give, take=take)
    assert book.drafts == []
    assert (book.seq, book.balance, first.remaining) == (50, 10, 10)


def test_a_redemption_of_nothing_cannot_be_written():
    with pytest.raises(AssertionError):
        a_book([lot(1)]).write(Kind.REDEEM, SHOP)


def test_lots_come_in_redemption_order_without_the_empty_ones():
    soon, later, never, empty = lot(3, 5, day(1)), lot(2, 5, day(2)), lot(1, 5), lot(4, 0, day(1))
    book = a_book([never, later, soon, empty])
    assert list(book.lots()) == [soon, later, never]


def test_live_lots_leave_out_what_the_clock_ended_and_keep_what_is_gated():
    ended, gated = lot(1, 5, day(-1)), lot(2, 5, day(-1), gated=True, notice_days=30)
    due_now, ahead = lot(3, 5, NOON), lot(4, 5, day(1))
    book = a_book([ended, gated, due_now, ahead])
    assert list(book.live()) == [gated, ahead]
    assert list(book.lots()) == [ended, gated, due_now, ahead]


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


def test_a_move_makes_an_earlier_notice_stale():
    told = lot(1, 5, day(40), gated=False, notice_days=30)
    free = lot(2, 5, day(40), gated=False, notice_days=0)
    book = a_book([told, free])
    book.write(Kind.EXTEND, SHOP, moves=[Move(told, day(40), day(80)), Move(free, day(40), day(80))], reason="why")
    assert (told.expires_at, told.gated) == (day(80), True)
    assert (free.expires_at, free.gated) == (day(80), False)
    assert set(book.touched) == {(1, 0), (2, 0)}
    assert book.drafts[0].amount == 0


def test_an_open_gate_is_a_change_of_the_lot():
    gated = lot(1, 5, day(40), gated=True, notice_days=30)
    book = a_book([gated])
    book.open_gate(gated)
    assert gated.gated is False
    assert book.touched == {(1, 0): gated}


def test_a_lot_that_is_not_written_yet_is_written_by_its_entry_and_not_touched():
    new = lot(51, 0, day(2), id=None)
    book = a_book()
    draft = book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.write(Kind.REDEEM, SHOP, take=[Slice(new, 3)])
    assert book.touched == {}
    assert draft.made == [new]
    assert new.remaining == 4


def test_the_hash_covers_a_made_lot_as_it_was_when_it_was_made():
    new = lot(51, 0, day(2), id=None)
    book = a_book()
    draft = book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    at_once = chain.entry_hash(chain.GENESIS, draft, draft.parts())
    book.write(Kind.EXTEND, SHOP, moves=[Move(new, day(2), day(9))], reason="why")
    assert draft.hash == at_once


def test_the_cap_is_what_was_granted_less_what_expired_less_what_was_clawed_back():
    assert GrantFacts(seq=1, granted=100).cap == 100
    assert GrantFacts(seq=1, granted=100, clawed_back=30, expired=20).cap == 50
    assert GrantFacts(seq=1, granted=100, clawed_back=80, expired=20).cap == 0


def test_the_facts_of_a_grant_stay_true_while_nothing_is_written_yet():
    new, other = lot(51, 0, day(2), id=None, family_seq=51), lot(1, 10, day(1))
    book = a_book([other])
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    assert book.grants["key:1"] == GrantFacts(seq=51, granted=7)
    book.write(Kind.CLAWBACK, BY_CLOCK, take=[Slice(new, 2), Slice(other, 1)], debt_delta=0, undoes_seq=51)
    assert book.grants["key:1"].clawed_back == 3  # whoever paid
    book.write(Kind.EXPIRE, BY_CLOCK, take=[Slice(new, 4), Slice(other, 9)])
    assert book.grants["key:1"].expired == 4  # of the family alone
    book.write(Kind.CLAWBACK, BY_CLOCK, take=[Slice(new, 1)], undoes_seq=None)
    assert book.grants["key:1"].clawed_back == 3  # without a grant: no grant's cap


def test_a_redemption_of_granted_points_does_not_lower_the_cap():
    new = lot(51, 0, day(2), id=None, family_seq=51)
    book = a_book()
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.write(Kind.REDEEM, BY_CLOCK, take=[Slice(new, 7)])
    assert book.grants["key:1"].cap == 7
