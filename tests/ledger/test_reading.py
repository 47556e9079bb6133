"""What an act reads under its lock: in pages, and in few statements however many accounts there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.accounts import open_accounts
from ledger.extensions import extend_order
from ledger.grants import grant_order
from ledger.models import Account
from ledger.posting import post
from ledger.reading import FIRST_LOTS, lock_accounts, read_answers, read_grants, read_open_lots
from ledger.redemptions import redeem_order
from ledger.undoing import GrantFacts
from tests import builders
from tests.builders import NOW, SHOP, clawback, days, grant, redeem
from tests.looking import entries, remainders, slices

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


def pages_read(queries: CaptureQueriesContext) -> int:
    return sum("OFFSET" in query["sql"] for query in queries)


def opened(*accounts: Account):
    with transaction.atomic():
        books, _ = lock_accounts([account.pk for account in accounts])
        read_open_lots(books)
        for book in books.values():
            book.begin(NOW)
        return [list(books[account.pk].lots()) for account in accounts]


def test_a_locked_account_is_a_book_with_its_numbers_and_unknown_ids_are_left_out(minji):
    receipt = grant(minji, 100)
    with transaction.atomic():
        books, clock = lock_accounts([minji.pk, 2**60])
    account = Account.objects.get(pk=minji.pk)
    book = books[minji.pk]
    assert set(books) == {minji.pk}
    assert (book.account_id, book.programme_id, book.balance, book.debt) == (minji.pk, minji.programme_id, 100, 0)
    assert (book.seq, book.head_hash, book.last_recorded_at) == (receipt.seq, bytes(account.head_hash), NOW)
    assert clock.utcoffset() == timedelta(0)


def test_open_lots_come_in_redemption_order_and_closed_ones_not_at_all(minji):
    with_lots(minji, 5)
    redeem(minji, 10)
    (lots,) = opened(minji)
    assert [lot.seq for lot in lots] == [4, 3, 2, 1]
    assert [lot.remaining for lot in lots] == [10, 10, 10, 10]


@pytest.mark.parametrize("number", [FIRST_LOTS - 1, FIRST_LOTS, FIRST_LOTS + 1, 2 * FIRST_LOTS + 3])
def test_every_open_lot_is_read_once_however_many_pages_they_fill(minji, number):
    with_lots(minji, number)
    (lots,) = opened(minji)
    assert [lot.seq for lot in lots] == list(range(number, 0, -1))


def test_pages_of_several_accounts_do_not_mix(minji, moa):
    jun = builders.jun(moa)
    with_lots(minji, FIRST_LOTS + 2)
    with_lots(jun, 3)
    lots_of_minji, lots_of_jun = opened(minji, jun)
    assert (len(lots_of_minji), len(lots_of_jun)) == (FIRST_LOTS + 2, 3)
    assert {lot.id for lot in lots_of_minji} & {lot.id for lot in lots_of_jun} == set()


def test_a_redemption_within_the_first_page_reads_no_further(minji):
    with_lots(minji, FIRST_LOTS + 6)
    with CaptureQueriesContext(connection) as queries:
        redeem(minji, 10 * FIRST_LOTS)
    assert pages_read(queries) == 0


def test_a_redemption_beyond_the_first_page_reads_the_rest_once(minji):
    with_lots(minji, FIRST_LOTS + 6)
    with CaptureQueriesContext(connection) as queries:
        receipt = redeem(minji, 10 * FIRST_LOTS + 25)
    assert pages_read(queries) == 1
    taken = slices(receipt)
    assert taken[0] == (FIRST_LOTS + 6, -10)
    assert taken[-1] == (4, -5)
    assert len(taken) == FIRST_LOTS + 3
    assert remainders(minji) == {1: 10, 2: 10, 3: 10, 4: 5} | dict.fromkeys(range(5, FIRST_LOTS + 7), 0)


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
    with CaptureQueriesContext(connection) as queries:
        post([new, redeem_order(points=105, key="some", **common)])
    assert pages_read(queries) == 0
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


def test_answers_are_found_by_programme_and_key(minji):
    elsewhere = builders.minji(builders.moa("other"))
    here, there = grant(minji, 1, key="k"), grant(elsewhere, 2, key="k")
    grant(minji, 3, key="l")
    with transaction.atomic():
        books, _ = lock_accounts([minji.pk, elsewhere.pk])
        answers = read_answers(books, ["k", "m"])
    assert {name: answer.receipt for name, answer in answers.items()} == {
        (minji.programme_id, "k"): here,
        (elsewhere.programme_id, "k"): there,
    }


def test_the_facts_of_grants_count_clawbacks_and_the_expired_part_of_their_family(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    grant(minji, 50, key="order:2", expires_at=NOW + days(5))
    redeem(minji, 20)
    clawback(minji, 30, undoes="order:1")
    clawback(minji, 7)
    grant(minji, 1, key="order:3", now=NOW + days(6))
    wanted = [(minji.pk, key) for key in ("order:1", "order:2", "order:3", "order:4")]
    with transaction.atomic():
        books, _ = lock_accounts([minji.pk])
        read_grants(books, wanted)
    assert books[minji.pk].grants == {
        "order:1": GrantFacts(seq=1, granted=100, clawed_back=30, expired=43),
        "order:2": GrantFacts(seq=2, granted=50, clawed_back=0, expired=50),
        "order:3": GrantFacts(seq=7, granted=1, clawed_back=0, expired=0),
    }


def test_the_number_of_statements_does_not_grow_with_the_accounts(moa, django_assert_num_queries):
    ids = open_accounts(programme=moa, references=[f"m{n}" for n in range(50)])

    def orders(name: str):
        return [grant_order(account_id=pk, points=5, now=NOW, key=f"{name}:{pk}", by=SHOP) for pk in ids.values()]

    with CaptureQueriesContext(connection) as one:
        post(orders("a")[:1])
    with CaptureQueriesContext(connection) as many:
        post(orders("b"))
    assert len(many) == len(one)
