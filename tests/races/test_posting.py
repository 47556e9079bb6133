"""The locking law: lock once, in id order, wait two seconds at most."""

from __future__ import annotations

import time
from datetime import date
from functools import partial

import pytest
from django.db import connection

from ledger.accounts import open_account
from ledger.errors import AccountBusy, LedgerError
from ledger.extensions import Extended, extend_many
from ledger.grants import grant_order
from ledger.holds import hold_order
from ledger.models import Account, Entry, Lot
from ledger.posting import Order, post
from ledger.receipts import Receipt
from ledger.redemptions import redeem_order
from tests import builders
from tests.builders import NOW, SHOP, STAFF, days, grant, redeem
from tests.looking import entries, nothing_changes, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import (
    PATIENCE,
    all_at_once,
    is_locked,
    other_connection,
    running,
    somebody_writing_to,
    stuck_behind,
    while_busy,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three():
    """Three accounts in the order of their ids."""
    moa = builders.moa()
    return [open_account(programme=moa, reference=f"m{n}") for n in range(3)]


def orders(accounts, name: str) -> list[Order]:
    return [
        grant_order(account_id=account.pk, points=1, now=NOW, key=f"{name}:{account.pk}", by=SHOP)
        for account in accounts
    ]


def test_accounts_are_locked_in_the_order_of_their_ids_whatever_order_they_are_named_in(three):
    first, second, third = three
    with stuck_behind(second, [partial(post, orders([third, second, first], "a"))]) as (posting,):
        assert (is_locked(first), is_locked(third)) == (True, False)
    assert [type(outcome) for outcome in posting.result(PATIENCE)] == [Receipt] * 3


def test_bulk_posts_in_opposite_order_never_wait_for_each_other_in_a_circle():
    moa = builders.moa()
    accounts = [open_account(programme=moa, reference=f"m{n}") for n in range(12)]
    for n in range(6):
        calls = [partial(post, orders(accounts, f"there{n}")), partial(post, orders(accounts[::-1], f"back{n}"))]
        for outcomes in all_at_once(calls * 2):
            assert isinstance(outcomes, list)
            assert [type(outcome) for outcome in outcomes] == [Receipt] * 12
    assert Entry.objects.count() == 12 * 6 * 2
    assert all(row_of(account) == (12, 0, 12) and adds_up(account) for account in accounts)


def test_bulk_acts_of_every_sort_in_opposite_order_never_wait_for_each_other_in_a_circle():
    moa = builders.moa()
    accounts = [open_account(programme=moa, reference=f"m{n}") for n in range(8)]
    lots = [builders.lot_of(grant(account, 100)).pk for account in accounts]

    def spend(name: str, accounts: list[Account]) -> list[Receipt | LedgerError]:
        common: dict = {"now": NOW, "by": SHOP}
        return post(
            [redeem_order(account_id=one.pk, points=1, key=f"{name}:r{one.pk}", **common) for one in accounts]
            + [
                hold_order(account_id=one.pk, points=1, lapses_at=NOW + days(1), key=f"{name}:h{one.pk}", **common)
                for one in accounts[::-1]
            ]
        )

    def move(name: str, lots: list[int], n: int) -> Extended:
        until = date(2027, 1, 1) + days(n)
        return extend_many(lots=lots, until=until, now=NOW, key=name, by=STAFF, reason="a mistake of ours")

    for n in range(4):
        calls: list = [
            partial(spend, f"there{n}", accounts),
            partial(spend, f"back{n}", accounts[::-1]),
            partial(move, f"up{n}", lots, 2 * n),
            partial(move, f"down{n}", lots[::-1], 2 * n + 1),
        ]
        *spent, up, down = all_at_once(calls)
        assert [[type(outcome) for outcome in outcomes] for outcomes in spent] == [[Receipt] * 16] * 2  # type: ignore[attr-defined]
        assert isinstance(up, Extended)
        assert isinstance(down, Extended)
        # Whole batches: where the later date came first, the earlier one is refused on every account alike.
        assert (len(up.refused), len(down.refused)) in [(0, 0), (8, 0)]
    assert all(row_of(account)[0] == 100 - 16 and adds_up(account) for account in accounts)


def test_a_busy_account_is_refused_after_two_seconds_and_nothing_is_written(three):
    minji = three[0]
    grant(minji, 100)
    with nothing_changes():
        started = time.monotonic()
        assert isinstance(while_busy(minji, partial(redeem, minji, 10, key="order:1")), AccountBusy)
        assert time.monotonic() - started > 1.5
    assert redeem(minji, 10, key="order:1").replayed is False
    assert entries(minji) == [("grant", 100), ("redeem", -10)]


def test_one_busy_account_keeps_a_whole_batch_from_being_written(three):
    with nothing_changes():
        assert isinstance(while_busy(three[2], partial(post, orders(three, "a"))), AccountBusy)
    assert [type(outcome) for outcome in post(orders(three, "a"))] == [Receipt] * 3


def test_an_act_does_not_wait_for_another_account(three):
    minji, jun, _ = three
    with somebody_writing_to(jun):
        assert grant(minji, 5).points == 5


def test_looking_waits_for_nobody(three):
    minji = three[0]
    grant(minji, 5)
    with somebody_writing_to(minji):  # who waits for it is refused after two seconds
        assert Lot.objects.get(account=minji).remaining == 5
        assert row_of(minji) == (5, 0, 1)


def test_opening_a_member_does_not_wait_for_writers_of_others(three):
    with somebody_writing_to(*three):
        assert open_account(programme=three[0].programme, reference="new").pk not in {one.pk for one in three}


def test_rows_that_refer_to_an_account_do_not_wait_for_its_writer(three):
    """The lock is FOR NO KEY UPDATE: what FOR KEY SHARE protects, as every foreign key does, goes past it."""
    with somebody_writing_to(three[0]), other_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_account WHERE id = %s FOR KEY SHARE NOWAIT", [three[0].pk])
        assert cursor.fetchone() == (1,)


def test_the_wait_is_set_on_every_connection(three):
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("2s",)
    with running([lock_timeout]) as futures:
        pass
    (shown,) = [future.result(PATIENCE) for future in futures]
    assert shown == "2s"


def lock_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


def test_accounts_of_one_member_opened_at_once_are_one(three):
    moa = three[0].programme
    calls = [partial(open_account, programme=moa, reference="sora") for _ in range(6)]
    answers = all_at_once(calls)
    assert len({account.pk for account in answers}) == 1  # type: ignore[attr-defined]
    assert Account.objects.filter(member__reference="sora").count() == 1
