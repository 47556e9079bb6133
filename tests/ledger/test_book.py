"""An account's page while acts are decided. Pure: books and lots are made here as plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger import chain
from ledger.allocation import LotState, Slice, redemption_order
from ledger.book import Book
from ledger.drafts import BY_CLOCK, Move, Signature
from ledger.errors import BooksClosed
from ledger.kinds import Kind
from ledger.policies import Model, Rules, Terms, Unit
from ledger.undoing import GrantFacts, NoticeFacts

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
SHOP = Signature("api:shop", "key:1", b"\x01" * 32)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TODAY = date(2025, 3, 10)

# Policy 1 lets points live a year from the grant; policy 2 thirty days from the account's last activity.
ROLLING = Terms(1, ZoneInfo("UTC"), Model.ROLLING, 12, Unit.MONTHS)
IDLE = Terms(2, ZoneInfo("UTC"), Model.INACTIVITY, 30, Unit.DAYS)


def rules(*terms: Terms) -> Rules:
    return Rules(ZoneInfo("UTC"), [(LONG_AGO, "", one) for one in terms or (ROLLING,)])


def day(n: int) -> datetime:
    return NOON + timedelta(days=n)


def lot(seq: int, remaining: int = 10, expires_at: datetime | None = None, **more) -> LotState:
    more = {"family_seq": seq, "granted": 100, "id": 1000 + seq, "policy_id": 1} | more
    return LotState(
        seq=seq,
        number=0,
        origin="purchase",
        remaining=remaining,
        spendable_at=day(-100),
        expires_at=expires_at,
        **more,
    )


def a_book(lots=(), *, debt: int = 0, seq: int = 50, last: datetime | None = None, rest=None, by=None) -> Book:
    lots = sorted(lots, key=redemption_order)
    book = Book(7, 3, sum(lot.remaining for lot in lots), debt, seq, chain.GENESIS, last, by or rules())
    book.fill(lots, rest)
    book.begin(NOON)
    return book


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


def test_a_move_makes_an_earlier_notice_stale():
    told = lot(1, 5, day(40), gated=False, notice_days=30)
    free = lot(2, 5, day(40), gated=False, notice_days=0)
    book = a_book([told, free])
    book.write(Kind.EXTEND, SHOP, moves=[Move(told, day(40), day(80)), Move(free, day(40), day(80))], reason="why")
    assert (told.expires_at, told.gated) == (day(80), True)
    assert (free.expires_at, free.gated) == (day(80), False)
    assert set(book.touched) == {(1, 0), (2, 0)}
    assert book.drafts[0].amount == 0


def a_notice(of: LotState, *, told_on: date = TODAY, channel: str = "email", waiver: str = "", seq: int = 40):
    """A notice of the lot's present date, as the book would know it from the rows."""
    assert of.expires_at is not None
    last = (of.expires_at - timedelta(microseconds=1)).date()
    return NoticeFacts(seq, of.expires_at, last, told_on, channel, waiver, {(of.seq, of.number)})


def test_an_open_gate_is_a_change_of_the_lot():
    gated = lot(1, 5, day(40), gated=True, notice_days=30, moved_untold=True)
    book = a_book([gated])
    book.known.learn("n", a_notice(gated))
    book.set_gate(gated)
    assert (gated.gated, gated.moved_untold) == (False, True)  # a notice ends that, and a waiver does not
    assert book.touched == {(1, 0): gated}


def test_without_a_good_notice_the_gate_stays_shut_and_the_lot_keeps_that_nobody_was_told():
    gated = lot(1, 5, day(40), gated=True, notice_days=30, moved_untold=True)
    book = a_book([gated])
    book.known.learn("n", a_notice(gated, told_on=day(11).date()))  # its last day is 9 days and 20 later: 29 ahead
    book.set_gate(gated)
    assert (gated.gated, gated.moved_untold) == (True, True)


def test_a_lot_without_a_duty_has_no_gate_to_shut():
    free = lot(1, 5, day(40))
    a_book([free]).set_gate(free)
    assert free.gated is False


@pytest.mark.parametrize(
    ("terms", "notices", "announced"),
    [
        ({}, [{}], True),
        ({}, [], False),
        ({"notice_channels": 2}, [{}], False),
        ({"notice_channels": 2}, [{}, {"seq": 41}], False),  # twice by the same way is one way
        ({"notice_channels": 2}, [{}, {"seq": 41, "channel": "sms"}], True),
        ({"notice_channels": 2}, [{}, {"seq": 41, "channel": "", "waiver": "opted_out"}], False),
        ({}, [{"channel": "", "waiver": "opted_out"}], False),
        ({"accepts_waivers": True}, [{"channel": "", "waiver": "opted_out"}], True),
        ({"accepts_waivers": True}, [{"channel": "", "waiver": "opted_out", "told_on": day(10).date()}], False),
        ({"notice_max_days": 39}, [{}], True),  # 39 days before the last day
        ({"notice_max_days": 38}, [{}], False),
    ],
)
def test_what_makes_a_good_notice(terms, notices, announced):
    told = lot(1, 5, NOON.replace(hour=0) + timedelta(days=40), gated=True, notice_days=30)
    book = a_book([told], by=rules(replace(ROLLING, notice_days=30, **terms)))
    for notice in notices:
        book.known.learn(None, a_notice(told, **notice))
    assert book.is_announced(told) is announced


def test_a_withdrawn_notice_one_of_another_date_and_one_of_another_lot_are_not_good():
    told, other = lot(1, 5, day(40), gated=True, notice_days=30), lot(2, 5, day(40), gated=True, notice_days=30)
    book = a_book([told, other])
    book.known.learn(None, a_notice(other))
    book.known.learn(None, replace(a_notice(told, seq=41), expires_at=day(41)))
    book.known.learn(None, replace(a_notice(told, seq=42), withdrawn=True))
    assert (book.is_announced(told), book.is_announced(other)) == (False, True)
    assert book.is_announced(lot(3, 5, None)) is False


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
    assert GrantFacts(seq=1, policy_id=1, granted=100).cap == 100
    assert GrantFacts(seq=1, policy_id=1, granted=100, clawed_back=30, expired=20).cap == 50
    assert GrantFacts(seq=1, policy_id=1, granted=100, clawed_back=80, expired=20).cap == 0
    assert GrantFacts(seq=1, policy_id=1, granted=100, reinstated=20, clawed_back=30, expired=20).cap == 70


def test_a_cap_is_never_below_nothing():
    """Others paid the clawback of 100, then 100 refunded points of the grant came back and expired."""
    assert GrantFacts(seq=1, policy_id=1, granted=100, clawed_back=100, expired=100).cap == 0


def test_the_facts_of_a_grant_stay_true_while_nothing_is_written_yet():
    new, other = lot(51, 0, day(2), id=None, family_seq=51), lot(1, 10, day(1))
    book = a_book([other])
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    facts = book.known.by_key["key:1"]
    assert facts == GrantFacts(seq=51, policy_id=1, granted=7)
    assert isinstance(facts, GrantFacts)
    book.write(Kind.CLAWBACK, BY_CLOCK, take=[Slice(new, 2), Slice(other, 1)], debt_delta=0, undoes_seq=51)
    assert facts.clawed_back == 3  # whoever paid
    book.write(Kind.EXPIRE, BY_CLOCK, take=[Slice(new, 4), Slice(other, 9)])
    assert facts.expired == 4  # of the family alone
    book.write(Kind.CLAWBACK, BY_CLOCK, take=[Slice(new, 1)], undoes_seq=None)
    assert facts.clawed_back == 3  # without a grant: no grant's cap


def test_a_redemption_of_granted_points_does_not_lower_the_cap():
    new = lot(51, 0, day(2), id=None, family_seq=51)
    book = a_book()
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.write(Kind.REDEEM, BY_CLOCK, take=[Slice(new, 7)])
    facts = book.known.by_key["key:1"]
    assert isinstance(facts, GrantFacts)
    assert facts.cap == 7


def test_what_was_written_off_counts_as_clawed_back():
    new = lot(51, 0, day(2), id=None, family_seq=51)
    book = a_book()
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new])
    book.write(Kind.CLAWBACK, BY_CLOCK, take=[Slice(new, 2)], written_off=3, undoes_seq=51)
    facts = book.known.by_key["key:1"]
    assert isinstance(facts, GrantFacts)
    assert (facts.clawed_back, facts.cap) == (5, 2)
    assert (book.drafts[1].amount, book.drafts[1].written_off, book.debt) == (-2, 3, 0)


def test_a_clawback_that_nobody_could_pay_is_written_off_whole_with_the_amount_zero():
    book = a_book()
    draft = book.write(Kind.CLAWBACK, SHOP, written_off=5)
    assert (draft.amount, draft.written_off, draft.balance_after, draft.debt_after) == (0, 5, 0, 0)


def test_a_day_before_the_closed_books_end_is_refused_and_the_first_instant_after_is_not():
    book = a_book()
    book.refuse_closed_books(LONG_AGO)  # nothing is closed
    book.books_closed_until = date(2025, 3, 1)
    first = datetime(2025, 3, 1, tzinfo=UTC)
    book.refuse_closed_books(first)
    with pytest.raises(BooksClosed, match="effective_at: The books are closed until 2025-03-01."):
        book.refuse_closed_books(first - timedelta(microseconds=1))


def test_activity_moves_every_open_lot_that_goes_by_inactivity_and_no_other():
    idle = lot(1, 5, day(10), policy_id=2, first_expires_at=day(10), notice_days=30, moved_untold=True)
    kept = lot(2, 5, day(90), policy_id=2, first_expires_at=day(90))
    rolling = lot(3, 5, day(20), first_expires_at=day(20))
    book = a_book([idle, kept, rolling], by=rules(ROLLING, IDLE))
    book.write(Kind.REDEEM, SHOP, take=[Slice(rolling, 1)])
    assert (book.active_at, idle.expires_at, idle.gated, idle.moved_untold) == (NOON, day(30), True, False)
    assert (kept.expires_at, kept.gated, rolling.expires_at) == (day(90), False, day(20))  # never earlier
    assert [found.seq for found in book.lots()] == [3, 1, 2]
    assert set(book.touched) == {(1, 0), (3, 0)}


def test_an_act_that_is_no_activity_moves_no_date():
    idle = lot(1, 5, day(10), policy_id=2, first_expires_at=day(10))
    book = a_book([idle], by=rules(ROLLING, IDLE))
    book.write(Kind.CLAWBACK, SHOP, take=[Slice(idle, 1)])
    book.write(Kind.NOTE, SHOP, reason="why")
    assert (book.active_at, idle.expires_at) == (None, day(10))


def test_activity_never_runs_backwards_and_no_lot_goes_before_what_the_account_keeps():
    idle = lot(1, 5, day(10), policy_id=2, first_expires_at=day(10))
    book = a_book([idle], by=rules(ROLLING, IDLE))
    book.active_at, book.not_before = day(-1), day(35)
    new = lot(51, 0, day(30), id=None)
    book.write(Kind.GRANT, SHOP, give=[Slice(new, 7)], made=[new], effective_at=day(-9))
    assert (book.active_at, idle.expires_at) == (day(-1), day(35))


def test_the_date_of_an_empty_lot_by_inactivity_is_worked_out_anew_and_that_of_an_open_one_is_kept():
    empty = lot(1, 0, day(-5), policy_id=2, first_expires_at=day(-5))
    kept = lot(2, 5, day(10), policy_id=2, first_expires_at=day(10))
    book = a_book([kept], by=rules(ROLLING, IDLE))
    book.active_at = day(-1)
    assert (book.date_of(empty), book.date_of(kept)) == (day(29), day(10))
    assert book.date_of(lot(3, 0, day(-5), first_expires_at=day(-5))) == day(-5)  # rolling: as it was


def test_an_empty_lot_that_gets_points_again_takes_its_place_among_the_open_ones():
    first = lot(1, 5, day(1))
    book = a_book([first])
    book.write(Kind.REDEEM, SHOP, take=[Slice(first, 5)])
    assert list(book.lots()) == []
    book.write(Kind.REFUND, BY_CLOCK, give=[Slice(first, 2)], undoes_seq=51)
    assert list(book.lots()) == [first]
    assert (first.remaining, book.balance) == (2, 2)
    assert book.touched == {(1, 0): first}
    assert book.same(lot(1, 9, day(1))) is first
