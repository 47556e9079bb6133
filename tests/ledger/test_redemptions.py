"""Redeeming: soonest-expiring first, all or nothing, and a decline on record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.errors import BadPoints, InsufficientPoints
from ledger.kinds import Kind, Origin
from ledger.models import Allocation, Entry, Lot
from ledger.policies import Model
from tests import builders
from tests.builders import NOW, days, grant, redeem
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db


def test_points_are_taken_soonest_expiring_first_and_the_older_lot_among_equals(moa, minji):
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    grant(minji, 10, origin=Origin.COMPENSATION)  # 1: never
    grant(minji, 10, expires_at=NOW + days(30))  # 2
    grant(minji, 10, expires_at=NOW + days(10))  # 3: the soonest
    grant(minji, 10, expires_at=NOW + days(30))  # 4: the same day as 2, younger
    assert slices(redeem(minji, 5)) == [(3, -5)]
    assert slices(redeem(minji, 12)) == [(3, -5), (2, -7)]
    assert slices(redeem(minji, 15)) == [(2, -3), (4, -10), (1, -2)]
    assert remainders(minji) == {1: 8, 2: 0, 3: 0, 4: 0}


def test_a_redemption_is_one_entry_that_moves_the_balance(minji):
    grant(minji, 100)
    receipt = redeem(minji, 30, now=NOW + days(1), key="order:1", reference="order 1")
    assert (receipt.kind, receipt.points, receipt.balance, receipt.debt) == (Kind.REDEEM, 30, 70, 0)
    assert (receipt.asked, receipt.available, receipt.declined) == (None, None, False)
    entry = Entry.objects.get(kind="redeem")
    assert (entry.amount, entry.debt_delta, entry.balance_after) == (-30, 0, 70)
    assert (entry.key, entry.actor, entry.reference) == ("order:1", "api:shop", "order 1")
    assert (entry.effective_at, entry.recorded_at) == (NOW + days(1), NOW + days(1))
    assert row_of(minji) == (70, 0, 2)


def test_all_the_points_can_be_redeemed_and_the_lots_are_closed(minji):
    grant(minji, 100)
    assert redeem(minji, 100).balance == 0
    assert list(Lot.objects.values_list("remaining", "open")) == [(0, False)]


@pytest.mark.parametrize("points", [0, -1, 1.0, True, "7"])
def test_an_amount_that_cannot_be_redeemed_writes_nothing_at_all(minji, points):
    grant(minji, 100)
    with nothing_changes(), pytest.raises(BadPoints) as refusal:
        redeem(minji, points)
    assert refusal.value.field == "points"


def test_more_than_there_is_writes_only_its_decline(minji):
    grant(minji, 100)
    with pytest.raises(InsufficientPoints, match="101 points were asked for and 100 can be spent") as refusal:
        redeem(minji, 101, key="order:1", reference="order 1")
    assert entries(minji) == [("grant", 100), ("decline", 0)]
    assert remainders(minji) == {1: 100}
    assert row_of(minji) == (100, 0, 2)
    assert Allocation.objects.count() == 1
    decline = Entry.objects.get(kind="decline")
    assert (decline.asked, decline.available, decline.debt_delta) == (101, 100, 0)
    assert (decline.key, decline.reference, decline.balance_after) == ("order:1", "order 1", 100)
    receipt = refusal.value.receipt
    assert (receipt.declined, receipt.points, receipt.asked, receipt.available) == (True, 0, 101, 100)


def test_an_empty_account_declines(minji):
    with pytest.raises(InsufficientPoints):
        redeem(minji, 1)
    assert entries(minji) == [("decline", 0)]


def test_an_account_in_debt_has_nothing_to_spend(minji):
    builders.clawback(minji, 10)
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 1)
    assert (refusal.value.receipt.available, refusal.value.receipt.debt) == (0, 10)
    assert entries(minji) == [("clawback", -10), ("decline", 0)]


def test_points_can_be_spent_up_to_their_last_microsecond(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    receipt = redeem(minji, 100, now=NOW + days(1) - timedelta(microseconds=1))
    assert receipt.points == 100
    assert "expire" not in dict(entries(minji))


def test_points_cannot_be_spent_at_their_instant_though_no_sweep_ran(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 100, now=NOW + days(1))
    assert refusal.value.receipt.available == 0
    assert entries(minji) == [("grant", 100), ("expire", -100), ("decline", 0)]
    assert row_of(minji) == (0, 0, 3)


def test_what_the_clock_ended_is_written_before_the_redemption_at_its_own_instant(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    grant(minji, 50, expires_at=NOW + days(3))
    receipt = redeem(minji, 20, now=NOW + days(2))
    assert entries(minji) == [("grant", 100), ("grant", 50), ("expire", -100), ("redeem", -20)]
    expire = Entry.objects.get(kind="expire")
    assert (expire.effective_at, expire.recorded_at) == (NOW + days(1), NOW + days(2))
    assert slices(receipt) == [(2, -20)]


def test_time_does_not_run_backwards_for_a_late_redemption(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    grant(minji, 10, now=NOW + days(2))
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 50, now=NOW)  # the hundred were there then, and are gone on record
    assert refusal.value.receipt.available == 10
    assert refusal.value.receipt.recorded_at == NOW + days(2)


def test_gated_points_are_spent_past_their_date_and_before_all_others():
    minji = builders.minji(builders.byeol(count=1))
    gated = grant(minji, 100)
    grant(minji, 100, now=NOW + days(50))
    receipt = redeem(minji, 120, now=NOW + days(70))
    assert slices(receipt) == [(gated.seq, -100), (2, -20)]
    assert "expire" not in dict(entries(minji))
