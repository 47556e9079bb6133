"""What an act reads under its lock: in pages, and in few statements however many accounts there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from ledger import reading
from ledger.accounts import open_accounts
from ledger.errors import InsufficientPoints
from ledger.extensions import extend_order, undo_order
from ledger.grants import grant_order
from ledger.kinds import Origin
from ledger.models import Account, Lot
from ledger.policies import Model
from ledger.posting import act, post
from ledger.reading import FIRST_LOTS, GROWTH, lock_accounts, look_at, read_pending, read_slices
from ledger.receipts import Receipt
from ledger.redemptions import redeem_order
from ledger.refunds import refund_order
from tests import builders
from tests.builders import NOW, SHOP, STAFF, clawback, close, days, grant, hold, redeem
from tests.calls import statements
from tests.looking import entries, remainders, row_of, slices

pytestmark = pytest.mark.django_db


def with_lots(account: Account, number: int) -> None:
    """Grants of 10 points each, from the last to go to the first, so that order is not age."""
    post(
        [
            grant_order(
                account_id=account.pk,
                points=10,
                now=NOW,
                key=f"lot:{account.pk}:{n}",
                by=SHOP,
                expires_at=NOW + days(200 - n),
            )
            for n in range(number)
        ]
    )


def pages_read(seen: list[str]) -> int:
    return seen.count(reading._NEXT_PAGE)


def opened(*accounts: Account):
    with transaction.atomic():
        books = lock_accounts([account.pk for account in accounts]).books
        for book in books.values():
            book.begin(NOW)
        return [list(books[account.pk].lots()) for account in accounts]


def test_a_locked_account_is_a_book_with_its_numbers_and_unknown_ids_are_left_out(minji):
    receipt = grant(minji, 100)
    with transaction.atomic():
        opened = lock_accounts([minji.pk, 2**60])
    account = Account.objects.get(pk=minji.pk)
    book = opened.books[minji.pk]
    assert set(opened.books) == {minji.pk}
    assert (book.account_id, book.programme_id, book.balance, book.debt) == (minji.pk, minji.programme_id, 100, 0)
    assert (book.seq, book.head_hash, book.last_recorded_at) == (receipt.seq, bytes(account.head_hash), NOW)
    assert opened.clock is not None
    assert opened.clock.utcoffset() == timedelta(0)
    assert [terms.count for _, _, terms in book.rules.dated] == [12]


def test_of_nobody_nothing_is_read():
    opened = look_at(2**60, "k")
    assert (opened.books, opened.clock, opened.is_known) == ({}, None, False)


def test_a_glance_is_the_same_page_and_says_whether_the_key_is_known_in_the_programme(minji, moa):
    grant(minji, 100, key="order:1")
    elsewhere = builders.minji(builders.moa("other"))
    with transaction.atomic():
        locked = lock_accounts([minji.pk]).books[minji.pk]
    opened = look_at(minji.pk, "order:1")
    seen = opened.books[minji.pk]
    assert (seen.balance, seen.seq, seen.head_hash) == (locked.balance, locked.seq, locked.head_hash)
    assert [lot.id for lot in seen.lots()] == [lot.id for lot in locked.lots()]
    known = [look_at(account.pk, "order:1").is_known for account in (minji, builders.jun(moa), elsewhere)]
    assert (opened.is_known, known, look_at(minji.pk, "order:2").is_known) == (True, [True, True, False], False)


def test_what_is_pending_is_read_with_the_points_that_are_on_hold(minji):
    grant(minji, 50, expires_at=NOW + days(10))
    grant(minji, 60, expires_at=NOW + days(20))
    hold(minji, 5)
    hold(minji, 70, key="second", lapses_at=NOW + days(2))
    hold(minji, 1, key="third")
    builders.release(minji, hold="third")
    close(minji)
    with transaction.atomic():
        books = lock_accounts([minji.pk]).books
        read_pending(books)
    book = books[minji.pk]
    assert book.lapses_at == NOW + days(1)
    assert [(one.seq, one.key, one.lapses_at, one.points, one.open) for one in book.holds.values()] == [
        (3, "hold", NOW + days(1), 5, True),
        (4, "second", NOW + days(2), 70, True),
    ]
    first, second = book.holds.values()
    assert [(part.lot.seq, part.points) for part in second.slices] == [(1, 45), (2, 25)]
    assert first.slices[0].lot is second.slices[0].lot
    assert second.slices[1].lot is next(book.lots())  # the one that is open is the one on the page
    assert book.closing is not None
    assert (book.closing.seq, book.closing.points, book.closing.closes_at) == (7, 35, book.closes_at)


def test_nothing_pending_asks_nothing(minji, django_assert_num_queries):
    grant(minji, 5)
    with transaction.atomic():
        books = lock_accounts([minji.pk]).books
        with django_assert_num_queries(0):
            read_pending(books)
    assert (books[minji.pk].holds, books[minji.pk].closing) == ({}, None)


def test_what_entries_took_is_read_in_the_order_they_took_it(minji, moa):
    jun = builders.jun(moa)
    with_lots(minji, 3)
    with_lots(jun, 1)
    here, there = redeem(minji, 25), redeem(jun, 4)
    with transaction.atomic():
        books = lock_accounts([minji.pk, jun.pk]).books
        took = read_slices(books, [(minji.pk, here.seq), (jun.pk, there.seq), (jun.pk, 99)])
    assert {entry: [(part.lot.seq, part.points) for part in parts] for entry, parts in took.items()} == {
        (minji.pk, here.seq): [(3, 10), (2, 10), (1, 5)],
        (jun.pk, there.seq): [(1, 4)],
        (jun.pk, 99): [],
    }


def test_open_lots_come_in_redemption_order_and_closed_ones_not_at_all(minji):
    with_lots(minji, 5)
    redeem(minji, 10)
    (lots,) = opened(minji)
    assert [lot.seq for lot in lots] == [4, 3, 2, 1]
    assert [lot.remaining for lot in lots] == [10, 10, 10, 10]


TWO_PAGES = FIRST_LOTS + FIRST_LOTS * GROWTH


@pytest.mark.parametrize("number", [FIRST_LOTS - 1, FIRST_LOTS, FIRST_LOTS + 1, TWO_PAGES, TWO_PAGES + 1])
def test_every_open_lot_is_read_once_however_many_pages_they_fill(minji, number):
    with_lots(minji, number)
    (lots,) = opened(minji)
    assert [lot.seq for lot in lots] == list(range(number, 0, -1))


def test_lots_without_a_date_come_last_by_age_across_pages(minji, moa, monkeypatch):
    monkeypatch.setattr(reading, "GROWTH", 1)
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    forever = [grant(minji, 1, origin=Origin.COMPENSATION).seq for _ in range(FIRST_LOTS + 2)]
    same_day = [grant(minji, 1, expires_at=NOW + days(9)).seq for _ in range(FIRST_LOTS)]
    soon = [grant(minji, 1, expires_at=NOW + days(n)).seq for n in (8, 7)]
    (lots,) = opened(minji)
    assert [lot.seq for lot in lots] == [*reversed(soon), *same_day, *forever]


def test_pages_of_several_accounts_do_not_mix(minji, moa):
    jun = builders.jun(moa)
    with_lots(minji, FIRST_LOTS + 2)
    with_lots(jun, 3)
    lots_of_minji, lots_of_jun = opened(minji, jun)
    assert (len(lots_of_minji), len(lots_of_jun)) == (FIRST_LOTS + 2, 3)
    assert {lot.id for lot in lots_of_minji} & {lot.id for lot in lots_of_jun} == set()


def test_a_redemption_within_the_first_page_reads_no_further(minji):
    with_lots(minji, FIRST_LOTS + 6)
    with statements() as seen:
        redeem(minji, 10 * FIRST_LOTS)
    assert (pages_read(seen), len(seen)) == (0, 2)


def test_a_redemption_beyond_the_first_page_reads_the_next_once(minji):
    with_lots(minji, FIRST_LOTS + 6)
    with statements() as seen:
        receipt = redeem(minji, 10 * FIRST_LOTS + 25)
    assert (pages_read(seen), len(seen)) == (1, 3)
    taken = slices(receipt)
    assert taken[0] == (FIRST_LOTS + 6, -10)
    assert taken[-1] == (4, -5)
    assert len(taken) == FIRST_LOTS + 3
    assert remainders(minji) == {1: 10, 2: 10, 3: 10, 4: 5} | dict.fromkeys(range(5, FIRST_LOTS + 7), 0)


@pytest.mark.parametrize(
    ("of_lots", "pages"),
    [(FIRST_LOTS, 0), (FIRST_LOTS + 1, 1), (TWO_PAGES, 1), (TWO_PAGES + 1, 2), (TWO_PAGES + 40, 2)],
)
@pytest.mark.parametrize("under_lock", [False, True])
def test_a_redemption_reads_only_as_many_pages_as_it_takes_lots_from(minji, of_lots, pages, under_lock):
    """However many there are behind: not the lots of the account count, but those that the redemption touches."""
    with_lots(minji, TWO_PAGES + 40)
    order = redeem_order(account_id=minji.pk, points=10 * of_lots, now=NOW, key="order:1", by=SHOP)
    with statements() as seen:
        (receipt,) = post([order]) if under_lock else [act(order)]
    assert isinstance(receipt, Receipt)
    assert pages_read(seen) == pages
    assert len(slices(receipt)) == of_lots
    assert sum(remainders(minji).values()) == 10 * (TWO_PAGES + 40 - of_lots)


@pytest.mark.parametrize("under_lock", [False, True])
def test_a_decline_reads_no_page_and_says_what_can_be_spent(minji, under_lock):
    with_lots(minji, TWO_PAGES + 5)
    grant(minji, 7, expires_at=NOW + days(300), spendable_at=NOW + days(1))
    points = 10 * (TWO_PAGES + 5) + 8
    order = redeem_order(account_id=minji.pk, points=points, now=NOW, key="order:1", by=SHOP)
    with statements() as seen:
        if under_lock:
            (outcome,) = post([order])
        else:
            with pytest.raises(InsufficientPoints) as refusal:
                act(order)
            outcome = refusal.value.receipt
    assert isinstance(outcome, Receipt)
    assert (pages_read(seen), seen.count(reading._SPENDABLE)) == (0, 1)
    assert (outcome.declined, outcome.asked, outcome.available) == (True, points, points - 8)
    assert outcome.balance == points - 1


def test_a_decline_within_the_balance_is_for_promised_points_alone_and_goes_through_the_lots(minji):
    with_lots(minji, FIRST_LOTS + 5)
    grant(minji, 7, expires_at=NOW + days(300), spendable_at=NOW + days(1))
    with statements() as seen, pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 10 * (FIRST_LOTS + 5) + 1)
    assert (pages_read(seen), seen.count(reading._SPENDABLE)) == (1, 0)
    assert refusal.value.receipt.available == 10 * (FIRST_LOTS + 5)


def test_what_the_clock_ended_behind_the_first_page_is_written_before_a_decline(minji):
    with_lots(minji, FIRST_LOTS + 6)  # the last of these goes after 200 days, the first of them 21 days before
    before = 10 * (FIRST_LOTS + 6)
    grant(minji, 5, expires_at=NOW + days(500))
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, before + 6, now=NOW + days(199), key="order:1")
    assert (refusal.value.receipt.available, refusal.value.receipt.balance) == (15, 15)
    assert [kind for kind, _ in entries(minji)].count("expire") == FIRST_LOTS + 5
    assert entries(minji)[-1] == ("decline", 0)


def test_a_clawback_looks_its_family_up_and_reads_others_only_as_they_pay(minji):
    with_lots(minji, TWO_PAGES + 5)  # the first grant goes last
    with statements() as seen:
        receipt = clawback(minji, 8, undoes=f"lot:{minji.pk}:0")
    assert (pages_read(seen), seen.count(reading._FAMILY)) == (0, 1)
    assert slices(receipt) == [(1, -8)]
    with statements() as seen:
        receipt = clawback(minji, 10 * FIRST_LOTS + 5)
    assert (pages_read(seen), seen.count(reading._FAMILY)) == (1, 0)
    assert slices(receipt)[::FIRST_LOTS] == [(TWO_PAGES + 5, -10), (TWO_PAGES + 5 - FIRST_LOTS, -5)]


def test_an_order_that_gives_points_back_behind_the_first_page_counts_for_the_next(minji):
    with_lots(minji, FIRST_LOTS + 6)
    redeem(minji, 10 * (FIRST_LOTS + 6) - 3, key="order:1")
    grant(minji, 10, key="soon", expires_at=NOW + days(1))
    for n in range(FIRST_LOTS):  # the lot that keeps three points stands behind these
        grant(minji, 1, expires_at=NOW + days(2), key=f"soon:{n}")
    common = {"account_id": minji.pk, "now": NOW, "by": SHOP}
    back = refund_order(points=7, undoes="order:1", key="back", **common)
    post([back, redeem_order(points=10 + FIRST_LOTS + 10, key="all", **common)])
    assert sum(remainders(minji).values()) == 0
    assert row_of(minji)[0] == 0


def test_a_date_that_moves_back_to_the_front_is_taken_first_though_its_lot_was_not_read(minji):
    with_lots(minji, FIRST_LOTS + 6)
    soonest = Lot.objects.get(account=minji, seq=FIRST_LOTS + 6)
    common = {"account_id": minji.pk, "now": NOW}
    until = (NOW + days(400)).date()
    post([extend_order(lots=[soonest.pk], until=until, reason="why", key="move", by=STAFF, **common)])
    back = undo_order(extension="move", reason="why", key="back", by=STAFF, **common)
    with statements() as seen:
        post([back, redeem_order(points=15, key="some", by=SHOP, **common)])
    assert pages_read(seen) == 0
    left = remainders(minji)
    assert (left[FIRST_LOTS + 6], left[FIRST_LOTS + 5], left[FIRST_LOTS + 4]) == (0, 5, 10)


def test_the_clock_is_caught_up_with_beyond_the_first_page(minji):
    with_lots(minji, FIRST_LOTS + 6)
    grant(minji, 1, now=NOW + days(200))
    kinds = [kind for kind, _ in entries(minji)]
    assert kinds.count("expire") == FIRST_LOTS + 6
    assert sum(amount for kind, amount in entries(minji) if kind == "expire") == -10 * (FIRST_LOTS + 6)


def test_new_points_that_go_last_do_not_overtake_lots_that_were_not_read_yet(minji):
    with_lots(minji, FIRST_LOTS + 2)
    common = {"account_id": minji.pk, "now": NOW, "by": SHOP}
    new = grant_order(points=100, key="new", expires_at=NOW + days(201), **common)
    all_but_new = redeem_order(points=10 * (FIRST_LOTS + 2), key="all", **common)
    post([new, all_but_new])
    assert remainders(minji)[FIRST_LOTS + 3] == 100
    assert sum(remainders(minji).values()) == 100


def test_new_points_that_go_first_are_taken_first_without_another_page(minji):
    with_lots(minji, FIRST_LOTS + 2)
    common = {"account_id": minji.pk, "now": NOW, "by": SHOP}
    new = grant_order(points=100, key="new", expires_at=NOW + days(1), **common)
    with statements() as seen:
        post([new, redeem_order(points=105, key="some", **common)])
    assert pages_read(seen) == 0
    left = remainders(minji)
    assert (left[FIRST_LOTS + 3], left[FIRST_LOTS + 2], left[FIRST_LOTS + 1]) == (0, 5, 10)


def test_a_lot_that_moved_behind_the_first_page_is_taken_in_its_new_place(minji):
    with_lots(minji, FIRST_LOTS + 2)
    soonest = minji.lots.get(seq=FIRST_LOTS + 2)
    until = (NOW + days(400)).date()
    common = {"account_id": minji.pk, "now": NOW, "by": SHOP}
    move = extend_order(lots=[soonest.pk], until=until, reason="why", key="move", **common)
    post([move, redeem_order(points=10 * (FIRST_LOTS + 1), key="rest", **common)])
    assert remainders(minji) == {FIRST_LOTS + 2: 10} | dict.fromkeys(range(1, FIRST_LOTS + 2), 0)


def test_the_number_of_statements_does_not_grow_with_the_accounts(moa):
    ids = open_accounts(programme=moa, references=[f"m{n}" for n in range(50)])

    def orders(name: str):
        return [grant_order(account_id=pk, points=5, now=NOW, key=f"{name}:{pk}", by=SHOP) for pk in ids.values()]

    post(orders("a")[:1])  # reads the programme's rules, which are kept
    with statements() as one:
        post(orders("b")[:1])
    with statements() as many:
        post(orders("c"))
    assert len(many) == len(one) == 4  # the lock, the pages, the answers, the write
