"""Clawing back: the cap, who pays, and what is left as debt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit import audit
from ledger.clawbacks import clawback_order
from ledger.errors import AccountClosed, BadKey, BadPoints, NotAGrant
from ledger.expiry import sweep, sweep_all
from ledger.grants import grant_order
from ledger.kinds import Kind, Origin
from ledger.models import Entry
from ledger.policies import Beyond
from ledger.posting import post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, clawback, days, grant, redeem
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db


def test_a_whole_grant_is_undone(minji):
    grant(minji, 100, key="order:1")
    receipt = clawback(minji, 100, undoes="order:1", reference="return 1", reason="returned")
    assert (receipt.kind, receipt.points, receipt.debt_added) == (Kind.CLAWBACK, 100, 0)
    assert (receipt.asked, receipt.available, receipt.balance) == (100, 100, 0)
    entry = Entry.objects.get(kind="clawback")
    assert (entry.amount, entry.undoes_seq, entry.reference, entry.reason) == (-100, 1, "return 1", "returned")
    assert slices(receipt) == [(1, -100)]


def test_the_family_pays_first_even_where_other_points_go_sooner(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(90))
    grant(minji, 100, key="order:2", expires_at=NOW + days(10))
    assert slices(clawback(minji, 60, undoes="order:1")) == [(1, -60)]
    assert remainders(minji) == {1: 40, 2: 100}


def test_then_other_lots_pay_in_redemption_order(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    grant(minji, 10, expires_at=NOW + days(30))
    grant(minji, 10, expires_at=NOW + days(20))
    redeem(minji, 90)  # of the first lot
    assert slices(clawback(minji, 25, undoes="order:1")) == [(1, -10), (3, -10), (2, -5)]
    assert row_of(minji) == (5, 0, 5)


def test_what_nobody_can_pay_becomes_debt(minji):
    grant(minji, 100, key="order:1")
    redeem(minji, 90)
    receipt = clawback(minji, 100, undoes="order:1")
    assert (receipt.points, receipt.debt_added, receipt.balance, receipt.debt) == (100, 90, 0, 90)
    assert slices(receipt) == [(1, -10)]
    assert entries(minji)[-1] == ("clawback", -100)
    assert row_of(minji) == (0, 90, 3)


def test_more_than_the_grant_gave_takes_what_it_gave_and_says_so(minji):
    grant(minji, 100, key="order:1")
    grant(minji, 100, key="order:2")
    receipt = clawback(minji, 150, undoes="order:1")
    assert (receipt.points, receipt.asked, receipt.available) == (100, 150, 100)
    assert remainders(minji) == {1: 0, 2: 100}


def test_earlier_clawbacks_lower_the_cap_whoever_paid_them(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    grant(minji, 100, expires_at=NOW + days(9))
    redeem(minji, 80)  # 20 of the first left
    assert clawback(minji, 50, undoes="order:1").points == 50  # 20 of its own, 30 of the other
    receipt = clawback(minji, 100, undoes="order:1")
    assert (receipt.points, receipt.available) == (50, 50)
    receipt = clawback(minji, 1, undoes="order:1")
    assert (receipt.kind, receipt.asked, receipt.available) == (Kind.NOTE, 1, 0)


def test_earlier_clawbacks_that_became_debt_lower_the_cap_too(minji):
    grant(minji, 100, key="order:1")
    redeem(minji, 100)
    assert clawback(minji, 60, undoes="order:1").debt_added == 60
    assert clawback(minji, 60, undoes="order:1").debt_added == 40
    assert row_of(minji) == (0, 100, 4)


def test_what_the_clock_expired_is_not_clawed_back(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    redeem(minji, 30)
    grant(minji, 500, expires_at=NOW + days(90))
    receipt = clawback(minji, 100, undoes="order:1", now=NOW + days(5))  # 70 have just expired, nobody swept
    assert (receipt.points, receipt.asked, receipt.available) == (30, 100, 30)
    assert entries(minji)[-2:] == [("expire", -70), ("clawback", -30)]
    assert remainders(minji) == {1: 0, 3: 470}


def test_what_was_swept_before_is_not_clawed_back_either(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    redeem(minji, 30)
    grant(minji, 500, expires_at=NOW + days(90))
    assert sweep(now=NOW + days(5)).entries == 1
    receipt = clawback(minji, 100, undoes="order:1", now=NOW + days(6))
    assert (receipt.points, receipt.available, receipt.debt_added) == (30, 30, 0)
    assert remainders(minji) == {1: 0, 3: 470}


def test_a_cap_of_zero_changes_nothing_and_is_noted(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(5))
    grant(minji, 40, expires_at=NOW + days(90))
    receipt = clawback(minji, 100, undoes="order:1", now=NOW + days(6), key="return:1")
    assert (receipt.kind, receipt.points, receipt.asked, receipt.available) == (Kind.NOTE, 0, 100, 0)
    assert (receipt.balance, receipt.debt) == (40, 0)
    assert entries(minji)[-2:] == [("expire", -100), ("note", 0)]
    note = Entry.objects.get(kind="note")
    assert (note.key, note.undoes_seq, note.debt_delta) == ("return:1", 1, 0)
    assert clawback(minji, 100, undoes="order:1", now=NOW + days(6), key="return:1").replayed


def test_redeemed_points_of_the_grant_do_not_lower_the_cap(minji):
    grant(minji, 100, key="order:1")
    redeem(minji, 100)
    grant(minji, 100)
    receipt = clawback(minji, 100, undoes="order:1")
    assert (receipt.points, receipt.available, receipt.debt_added) == (100, 100, 0)
    assert remainders(minji) == {1: 0, 3: 0}


def test_clawbacks_of_another_grant_leave_the_cap_alone(minji):
    grant(minji, 100, key="order:1")
    grant(minji, 100, key="order:2")
    clawback(minji, 70, undoes="order:2")
    clawback(minji, 20)
    assert clawback(minji, 200, undoes="order:1").points == 100


def test_points_that_paid_debt_can_be_clawed_back_and_become_debt_again(minji):
    clawback(minji, 30)
    grant(minji, 100, key="order:1")
    receipt = clawback(minji, 100, undoes="order:1")
    assert (receipt.points, receipt.debt_added, receipt.balance, receipt.debt) == (100, 30, 0, 30)


def test_without_a_grant_there_is_no_cap_and_no_family(minji):
    grant(minji, 10, expires_at=NOW + days(30))
    grant(minji, 10, expires_at=NOW + days(20))
    receipt = clawback(minji, 25)
    assert (receipt.points, receipt.debt_added, receipt.asked, receipt.available) == (25, 5, 25, None)
    assert slices(receipt) == [(2, -10), (1, -10)]
    assert Entry.objects.get(kind="clawback").undoes_seq is None
    assert clawback(minji, 7).debt == 12  # debt grows on debt


def test_an_empty_account_can_go_into_debt(minji):
    assert clawback(minji, 25).debt == 25
    assert row_of(minji) == (0, 25, 1)


def test_expired_points_pay_nothing(minji):
    grant(minji, 10, expires_at=NOW + days(1))
    receipt = clawback(minji, 25, now=NOW + days(1))
    assert (receipt.debt_added, receipt.debt) == (25, 25)
    assert entries(minji) == [("grant", 10), ("expire", -10), ("clawback", -25)]


def test_gated_points_pay_past_their_date():
    minji = builders.minji(builders.byeol(count=1))
    grant(minji, 10)
    receipt = clawback(minji, 25, now=NOW + days(90))
    assert (receipt.debt_added, receipt.debt) == (15, 15)
    assert row_of(minji) == (0, 15, 2)


@pytest.mark.parametrize("points", [0, -1, 1.5, True])
def test_an_amount_that_cannot_be_clawed_back_writes_nothing(minji, points):
    grant(minji, 100)
    with nothing_changes(), pytest.raises(BadPoints):
        clawback(minji, points)


def test_what_is_not_a_grant_of_this_account_cannot_be_undone(minji, moa):
    jun = builders.jun(moa)
    grant(jun, 100, key="order:jun")
    grant(minji, 100)
    redeem(minji, 10, key="order:2")
    for key in ("order:unknown", "order:jun", "order:2"):
        with nothing_changes(), pytest.raises(NotAGrant) as refusal:
            clawback(minji, 10, undoes=key)
        assert refusal.value.field == "undoes"


def test_the_same_key_in_another_programme_is_not_this_grant(minji):
    other = builders.minji(builders.moa("other"))
    grant(other, 100, key="order:1")
    with nothing_changes(), pytest.raises(NotAGrant):
        clawback(minji, 10, undoes="order:1")


def test_a_feed_takes_a_grant_that_is_not_known_as_none(minji):
    grant(minji, 10)
    order = clawback_order(
        account_id=minji.pk,
        points=25,
        now=NOW,
        key="return:1",
        by=SHOP,
        undoes="order:unknown",
        unknown_grant_is_none=True,
    )
    (receipt,) = post([order])
    assert isinstance(receipt, Receipt)
    assert (receipt.points, receipt.debt_added, receipt.available) == (25, 15, None)
    assert Entry.objects.get(kind="clawback").undoes_seq is None


def test_a_grant_and_its_clawbacks_in_one_batch_know_of_each_other(minji):

    def undo(key: str, points: int):
        return clawback_order(account_id=minji.pk, points=points, now=NOW, key=key, by=SHOP, undoes="order:1")

    orders = [
        grant_order(account_id=minji.pk, points=100, now=NOW, key="order:1", by=SHOP),
        undo("return:1", 60),
        undo("return:2", 60),
        undo("return:3", 60),
    ]
    outcomes = post(orders)
    assert [(o.kind.value, o.points, o.available) for o in outcomes if isinstance(o, Receipt)] == [
        ("grant", 100, None),
        ("clawback", 60, 100),
        ("clawback", 40, 40),
        ("note", 0, 0),
    ]
    assert row_of(minji) == (0, 0, 4)


def test_a_grant_that_was_there_before_and_its_clawbacks_in_one_batch_share_one_cap(minji):
    grant(minji, 100, key="order:1")
    clawback(minji, 30, undoes="order:1")
    orders = [
        clawback_order(account_id=minji.pk, points=50, now=NOW, key=f"return:{n}", by=SHOP, undoes="order:1")
        for n in (1, 2)
    ]
    assert [outcome.points for outcome in post(orders) if isinstance(outcome, Receipt)] == [50, 20]


@pytest.mark.parametrize("undoes", ["", "a\x00", "\udcff"])
def test_an_empty_or_odd_grant_is_not_taken_as_none(minji, undoes):
    grant(minji, 100)
    with nothing_changes(), pytest.raises(BadKey) as refusal:
        clawback(minji, 10, undoes=undoes)
    assert refusal.value.field == "undoes"


@pytest.fixture
def mild(db):
    """Minji where what a clawback finds no points for is written off; debt for adjustments."""
    moa = builders.moa(clawback_beyond=Beyond.WRITE_OFF)
    builders.policy(moa, origin=Origin.ADJUSTMENT, effective_from=NOW, clawback_beyond=Beyond.DEBT)
    return builders.minji(moa)


def test_where_the_rest_is_written_off_only_the_family_pays(mild):
    grant(mild, 100, key="order:1")
    grant(mild, 500)
    redeem(mild, 80)
    receipt = clawback(mild, 90, undoes="order:1", key="return:1")
    assert (receipt.points, receipt.written_off, receipt.debt_added, receipt.asked) == (20, 70, 0, 90)
    assert (receipt.available, receipt.balance, receipt.debt) == (100, 500, 0)
    entry = Entry.objects.get(kind="clawback")
    assert (entry.amount, entry.written_off, entry.debt_delta) == (-20, 70, 0)
    with nothing_changes():
        assert clawback(mild, 90, undoes="order:1", key="return:1") == replace(receipt, replayed=True)
    assert list(audit()) == []


def test_what_was_written_off_counts_as_clawed_back(mild):
    grant(mild, 100, key="order:1")
    redeem(mild, 100)
    receipt = clawback(mild, 70, undoes="order:1")
    assert (receipt.kind, receipt.points, receipt.written_off, receipt.balance) == (Kind.CLAWBACK, 0, 70, 0)
    receipt = clawback(mild, 70, undoes="order:1")
    assert (receipt.written_off, receipt.available) == (30, 30)
    assert clawback(mild, 70, undoes="order:1").kind == Kind.NOTE
    assert entries(mild) == [("grant", 100), ("redeem", -100), ("clawback", 0), ("clawback", 0), ("note", 0)]
    assert list(audit()) == []


def test_the_policy_of_the_grants_own_lot_decides_and_without_a_grant_that_for_adjustments(mild):
    builders.policy(mild.programme, effective_from=NOW + days(1), clawback_beyond=Beyond.DEBT)
    grant(mild, 10, key="order:1")
    grant(mild, 10, key="order:2", now=NOW + days(1))
    redeem(mild, 20, now=NOW + days(1))
    old, new = (clawback(mild, 10, undoes=f"order:{n}", now=NOW + days(2)) for n in (1, 2))
    assert (old.written_off, old.debt_added) == (10, 0)
    assert (new.written_off, new.debt_added) == (0, 10)
    assert clawback(mild, 5, now=NOW + days(2)).debt_added == 5


def test_refunded_lots_of_the_family_pay_too(minji):
    grant(minji, 100, key="order:1", expires_at=NOW + days(40))
    redeem(minji, 100, key="order:9")
    at = NOW + days(20)  # less than the floor is left: the refund makes a lot of its own
    refunded = builders.refund(minji, 60, "order:9", now=at)
    grant(minji, 500, now=at, expires_at=NOW + days(41))
    receipt = clawback(minji, 100, undoes="order:1", now=at)
    assert slices(receipt) == [(refunded.seq, -60), (4, -40)]
    assert (receipt.points, receipt.debt_added) == (100, 0)
    assert list(audit()) == []


def test_promised_points_pay_last_in_the_family_and_then_among_the_others(minji):
    grant(minji, 10, spendable_at=NOW + days(3), expires_at=NOW + days(4))
    grant(minji, 10, key="order:1", spendable_at=NOW + days(3))
    grant(minji, 10, expires_at=NOW + days(90))
    assert slices(clawback(minji, 10, undoes="order:1")) == [(2, -10)]
    assert slices(clawback(minji, 15)) == [(3, -10), (1, -5)]


def test_points_on_hold_are_not_there_to_pay_and_pay_when_they_come_back(minji):
    grant(minji, 100, key="order:1")
    builders.hold(minji, 60)
    receipt = clawback(minji, 100, undoes="order:1")
    assert (receipt.points, receipt.debt_added, receipt.debt) == (100, 60, 60)
    back = builders.release(minji)
    assert (back.points, back.settled, back.spendable, back.balance, back.debt) == (60, 60, 0, 0, 0)
    assert list(audit()) == []


@pytest.mark.parametrize("beyond", list(Beyond))
def test_refunded_points_that_expired_after_others_had_paid_for_them_leave_a_cap_of_nothing(beyond):
    """100 granted, redeemed, clawed back; refunded, and then expired: there is nothing to claw back, and no more."""
    minji = builders.minji(builders.moa(clawback_beyond=beyond))
    grant(minji, 100, key="order:1", expires_at=NOW + days(40))
    redeem(minji, 100, key="order:9")
    if beyond == Beyond.DEBT:
        grant(minji, 100)  # these pay
    assert clawback(minji, 100, undoes="order:1").available == 100
    builders.refund(minji, 100, "order:9")
    sweep_all(now=NOW + days(40))
    receipt = clawback(minji, 50, undoes="order:1", now=NOW + days(40))
    assert (receipt.kind, receipt.points, receipt.asked, receipt.available) == (Kind.NOTE, 0, 50, 0)
    assert list(audit()) == []


def test_a_closed_account_pays_nothing(minji):
    grant(minji, 100, key="order:1")
    builders.close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        clawback(minji, 100, undoes="order:1", now=NOW + days(15))
