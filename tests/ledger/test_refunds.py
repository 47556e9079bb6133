"""Refunding: in reverse, so that what stays is a prefix; back into live lots, or into lots with the floor.

Moa's points live twelve months to the end of the month; what comes back lives at least thirty days.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger.audit import audit
from ledger.errors import AccountClosed, BadKey, BadPoints, BooksClosed, KeyReused, MoreThanRedeemed, NotARedemption
from ledger.expiry import sweep_all
from ledger.grants import grant_order
from ledger.kinds import Kind
from ledger.models import Allocation, Entry, Lot
from ledger.posting import post
from ledger.receipts import Receipt, Restored
from ledger.redemptions import redeem_order
from ledger.refunds import refund, refund_order
from tests import builders
from tests.builders import NOW, SHOP, capture, clawback, close, days, grant, hold, lot_of, redeem
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
APRIL_2026 = datetime(2026, 3, 31, 15, tzinfo=UTC)  # 1 April in Seoul


@pytest.fixture
def spent(minji):
    """80 points of two lots, taken under "order:9": 50 of the one that goes in 100 days, 30 of the one in 200."""
    grant(minji, 50, expires_at=NOW + days(100))
    grant(minji, 60, expires_at=NOW + days(200))
    redeem(minji, 80, key="order:9")
    return minji


def lots(account) -> list[tuple]:
    """(entry, number, granted, left, date) of the account's lots in the order they were made."""
    rows = Lot.objects.filter(account=account).order_by("seq", "number")
    return list(rows.values_list("seq", "number", "granted", "remaining", "expires_at"))


def test_the_last_points_taken_come_back_first_into_their_own_lots(spent):
    receipt = builders.refund(spent, 40, "order:9", key="return:1")
    assert (receipt.kind, receipt.points, receipt.settled, receipt.debt_added) == (Kind.REFUND, 40, 0, 0)
    assert receipt.restored == (Restored(30, NOW + days(200)), Restored(10, NOW + days(100)))
    assert (receipt.spendable, receipt.balance, receipt.debt) == (40, 70, 0)
    assert slices(receipt) == [(2, 30), (1, 10)]
    assert remainders(spent) == {1: 10, 2: 60}
    entry = Entry.objects.get(kind="refund")
    assert (entry.amount, entry.undoes_seq, entry.key, entry.effective_at) == (40, 3, "return:1", NOW)
    assert list(Allocation.objects.filter(entry=entry).order_by("pk").values_list("delta", "until")) == [
        (30, NOW + days(200)),
        (10, NOW + days(100)),
    ]
    assert row_of(spent) == (70, 0, 4)


def test_refunds_in_parts_give_back_each_point_once_and_no_more_than_the_whole(spent):
    builders.refund(spent, 40, "order:9")
    assert slices(builders.refund(spent, 15, "order:9")) == [(1, 15)]
    with nothing_changes(), pytest.raises(MoreThanRedeemed, match="26 points were to be refunded, 25 can be"):
        builders.refund(spent, 26, "order:9")
    assert slices(builders.refund(spent, 25, "order:9")) == [(1, 25)]
    with nothing_changes(), pytest.raises(MoreThanRedeemed) as refusal:
        builders.refund(spent, 1, "order:9")
    assert refusal.value.field == "points"
    assert remainders(spent) == {1: 50, 2: 60}
    assert row_of(spent) == (110, 0, 6)


def test_a_lot_with_exactly_the_floor_left_takes_its_points_back(spent):
    receipt = builders.refund(spent, 80, "order:9", now=NOW + days(70))  # 30 days before the first date
    assert receipt.restored == (Restored(30, NOW + days(200)), Restored(50, NOW + days(100)))
    assert remainders(spent) == {1: 50, 2: 60}


def test_a_microsecond_less_than_the_floor_gives_a_lot_of_its_own_with_the_floor(spent):
    at = NOW + days(70) + TICK
    receipt = builders.refund(spent, 80, "order:9", now=at)
    assert receipt.restored == (Restored(30, NOW + days(200)), Restored(50, at + days(30)))
    assert lots(spent) == [
        (1, 0, 50, 0, NOW + days(100)),
        (2, 0, 60, 60, NOW + days(200)),
        (4, 0, 50, 50, at + days(30)),
    ]
    new, old = Lot.objects.get(seq=4), Lot.objects.get(seq=1)
    assert (new.family_seq, new.origin, new.policy_id) == (1, old.origin, old.policy_id)
    assert (new.spendable_at, new.gated, new.notice_days) == (at, False, 0)


def test_of_lots_that_are_over_each_slice_gets_a_lot_of_its_own_in_the_order_they_come_back(spent):
    at = NOW + days(300)
    receipt = builders.refund(spent, 60, "order:9", now=at)
    # The 30 points left in the second lot have expired meanwhile.
    assert entries(spent)[-2:] == [("expire", -30), ("refund", 60)]
    assert receipt.restored == (Restored(30, at + days(30)), Restored(30, at + days(30)))
    assert lots(spent)[2:] == [(5, 0, 30, 30, at + days(30)), (5, 1, 30, 30, at + days(30))]
    assert list(Lot.objects.filter(seq=5).order_by("number").values_list("family_seq", flat=True)) == [2, 1]
    assert list(audit()) == []


def test_what_came_back_dies_again_at_its_new_date(spent):
    at = NOW + days(300)
    builders.refund(spent, 50, "order:9", now=at)
    assert sweep_all(now=at + days(30) - TICK) == 0
    assert sweep_all(now=at + days(30)) == 1
    assert entries(spent)[-1] == ("expire", -50)


def test_points_without_a_date_come_back_without_one():
    minji = builders.minji(builders.moa(model="never", count=0))
    grant(minji, 50)
    redeem(minji, 50, key="order:9")
    receipt = builders.refund(minji, 50, "order:9", now=NOW + days(600))
    assert receipt.restored == (Restored(50, None),)
    assert remainders(minji) == {1: 50}


def test_the_floor_is_that_of_the_lots_own_policy(moa, minji):
    grant(minji, 10)  # until the end of March 2026
    builders.policy(moa, effective_from=NOW + days(1), restored_floor_days=60)
    grant(minji, 10, now=NOW + days(1), expires_at=APRIL_2026 + days(1))
    redeem(minji, 20, now=NOW + days(1), key="order:9")
    at = APRIL_2026 - days(40)
    receipt = builders.refund(minji, 20, "order:9", now=at)
    assert receipt.restored == (Restored(10, at + days(60)), Restored(10, APRIL_2026))


def test_the_floor_is_counted_by_the_clock_on_the_wall():
    """London goes to summer time on 30 March 2025: noon to noon over that night is 23 hours."""
    minji = builders.minji(builders.moa(zone="Europe/London", restored_floor_days=19))
    grant(minji, 10, expires_at=NOW + days(5))
    redeem(minji, 10, key="order:9")
    assert builders.refund(minji, 10, "order:9").restored == (Restored(10, NOW + days(19)),)  # the day before it
    redeem(minji, 10, key="order:10", now=NOW + days(3))
    receipt = builders.refund(minji, 10, "order:10", now=NOW + days(3))
    assert receipt.restored == (Restored(10, NOW + days(22) - timedelta(hours=1)),)


def test_restored_points_under_a_notice_duty_leave_time_to_tell_and_wait_for_a_notice():
    minji = builders.minji(builders.byeol(restored_floor_days=7))
    lot = lot_of(grant(minji, 10, expires_at=NOW + days(40)))
    redeem(minji, 10, key="order:9")
    builders.tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)  # of an empty lot: a note
    at = NOW + days(39)
    receipt = builders.refund(minji, 10, "order:9", now=at)
    assert receipt.restored == (Restored(10, at + days(33)),)  # 30 days and 3 of slack
    new = lot_of(receipt)
    assert (new.gated, new.notice_days, new.notice_slack) == (True, 30, 3)
    assert sweep_all(now=at + days(400)) == 0


def test_restored_points_pay_debt_first_and_the_answer_says_how_many_can_be_spent(spent):
    clawback(spent, 50)  # 30 are there
    assert row_of(spent) == (0, 20, 4)
    receipt = builders.refund(spent, 40, "order:9", key="return:1")
    assert (receipt.points, receipt.settled, receipt.spendable, receipt.balance, receipt.debt) == (40, 20, 20, 20, 0)
    assert receipt.restored == (Restored(30, NOW + days(200)), Restored(10, NOW + days(100)))
    assert entries(spent)[-2:] == [("refund", 40), ("settle", 0)]
    assert remainders(spent) == {1: 0, 2: 20}  # the soonest paid first
    with nothing_changes():
        assert builders.refund(spent, 40, "order:9", key="return:1") == replace(receipt, replayed=True)


def test_a_refund_smaller_than_the_debt_leaves_nothing_to_spend(spent):
    clawback(spent, 100)
    receipt = builders.refund(spent, 30, "order:9")
    assert (receipt.settled, receipt.spendable, receipt.balance, receipt.debt) == (30, 0, 0, 40)


def test_the_same_key_gets_the_same_answer_though_dates_and_points_changed_since(spent):
    first = builders.refund(spent, 40, "order:9", key="return:1")
    builders.extend(spent, [Lot.objects.get(seq=1).pk], (NOW + days(150)).date())
    redeem(spent, 70)
    with nothing_changes():
        again = builders.refund(spent, 40, "order:9", key="return:1", now=NOW + days(500))
    assert again == replace(first, replayed=True)
    with nothing_changes(), pytest.raises(KeyReused):
        builders.refund(spent, 39, "order:9", key="return:1")


def test_a_capture_is_refunded_from_the_end_of_what_was_captured(spent):
    grant(spent, 50, expires_at=NOW + days(300))
    held = hold(spent, 70)  # 30 of the second, 40 of the third
    assert slices(held) == [(2, -30), (4, -40)]
    capture(spent, 45)  # 30 of the second, 15 of the third; 25 are released
    receipt = builders.refund(spent, 20, "capture:hold")
    assert slices(receipt) == [(4, 15), (2, 5)]
    with nothing_changes(), pytest.raises(MoreThanRedeemed, match="26 points were to be refunded, 25 can be"):
        builders.refund(spent, 26, "capture:hold")
    builders.refund(spent, 25, "capture:hold")
    assert remainders(spent) == {1: 0, 2: 30, 4: 50}
    assert list(audit()) == []


@pytest.mark.parametrize("key", ["order:1", "hold", "nothing", "return:1", "order:decline"])
def test_only_a_redemption_or_a_capture_of_this_account_is_refunded(minji, moa, key):
    grant(minji, 100, key="order:1")
    hold(minji, 10)
    redeem(minji, 10, key="order:2")
    builders.refund(minji, 5, "order:2", key="return:1")
    with pytest.raises(Exception, match="points were asked for"):
        redeem(minji, 5000, key="order:decline")
    with nothing_changes(), pytest.raises(NotARedemption) as refusal:
        builders.refund(minji, 1, key)
    assert refusal.value.field == "undoes"
    jun = builders.jun(moa)
    grant(jun, 10)
    with nothing_changes(), pytest.raises(NotARedemption):
        builders.refund(jun, 1, "order:2")


@pytest.mark.parametrize("points", [0, -1, 1.5, True])
def test_an_amount_that_cannot_be_refunded_writes_nothing(spent, points):
    with nothing_changes(), pytest.raises(BadPoints):
        builders.refund(spent, points, "order:9")


@pytest.mark.parametrize("undoes", ["", "a\x00", None])
def test_a_refund_names_what_it_undoes(spent, undoes):
    with nothing_changes(), pytest.raises(BadKey) as refusal:
        builders.refund(spent, 1, undoes)
    assert refusal.value.field == "undoes"


def test_reference_and_reason_are_kept(spent):
    refund(
        account=spent, points=5, undoes="order:9", now=NOW, key="k", by=SHOP, reference="return 7", reason="too small"
    )
    entry = Entry.objects.get(kind="refund")
    assert (entry.reference, entry.reason, entry.actor) == ("return 7", "too small", "api:shop")


def test_a_closed_account_gets_nothing_back(spent):
    first = builders.refund(spent, 10, "order:9", key="return:1")
    close(spent)
    with nothing_changes(), pytest.raises(AccountClosed):
        builders.refund(spent, 10, "order:9", now=NOW + days(40))
    with nothing_changes():
        assert builders.refund(spent, 10, "order:9", key="return:1", now=NOW + days(40)) == replace(
            first, replayed=True
        )


def test_closed_books_refuse_a_refund_of_an_earlier_day(spent, moa):
    moa.books_closed_until = (NOW + days(5)).date()
    moa.save()
    with nothing_changes(), pytest.raises(BooksClosed):
        builders.refund(spent, 10, "order:9", now=NOW + days(4))
    assert builders.refund(spent, 10, "order:9", now=NOW + days(5)).points == 10


def test_a_grant_a_redemption_and_its_refunds_in_one_batch_come_to_the_same_as_one_by_one(moa):
    def orders(account):
        common = {"account_id": account.pk, "now": NOW, "by": SHOP}
        name = f"{account.pk}"
        return [
            grant_order(points=50, key=f"{name}:1", expires_at=NOW + days(10), **common),
            grant_order(points=60, key=f"{name}:2", expires_at=NOW + days(90), **common),
            redeem_order(points=80, key=f"{name}:3", **common),
            refund_order(points=40, undoes=f"{name}:3", key=f"{name}:4", **common),
            refund_order(points=41, undoes=f"{name}:3", key=f"{name}:5", **common),
            refund_order(points=40, undoes=f"{name}:3", key=f"{name}:6", **common),
            redeem_order(points=110, key=f"{name}:7", **common),
        ]

    minji, jun = builders.minji(moa), builders.jun(moa)
    together = post(orders(minji))
    alone = [outcome for order in orders(jun) for outcome in post([order])]
    assert [type(outcome) for outcome in together] == [type(outcome) for outcome in alone]
    assert isinstance(together[4], MoreThanRedeemed)
    for one, other in zip(together, alone, strict=True):
        if isinstance(one, Receipt) and isinstance(other, Receipt):
            assert replace(one, account_id=jun.pk) == other
    assert entries(minji) == entries(jun)
    assert lots(minji) == lots(jun)
    assert list(audit()) == []


def test_a_refund_of_lots_beyond_the_first_page_finds_them(minji):
    """More open lots than are read at once; the refunded ones are the last of them, one of them still partly there."""
    post(
        [
            grant_order(
                account_id=minji.pk, points=10, now=NOW, key=f"lot:{n}", by=SHOP, expires_at=NOW + days(100 + n)
            )
            for n in range(1, 81)
        ]
    )
    redeem(minji, 16, key="order:9")  # all of the first and 6 of the second
    builders.extend(minji, [minji.lots.get(seq=2).pk], (NOW + days(400)).date())  # now the last of 79
    receipt = builders.refund(minji, 16, "order:9")
    assert slices(receipt) == [(2, 6), (1, 10)]
    assert remainders(minji) == dict.fromkeys(range(1, 81), 10)
    taken = slices(redeem(minji, 795))
    assert (taken[0], taken[1], taken[-1], len(taken)) == ((1, -10), (3, -10), (2, -5), 80)
    assert list(audit()) == []
