"""Which points go first and which count at all. Pure: lots are made here as plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger.allocation import (
    LotState,
    Slice,
    clawback_payers,
    is_live,
    is_overdue,
    is_spendable,
    redemption_order,
    take,
)

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def lot(
    seq: int = 1,
    remaining: int = 10,
    *,
    number: int = 0,
    expires_at: datetime | None = None,
    spendable_at: datetime = NOON - timedelta(days=1),
    gated: bool = False,
) -> LotState:
    return LotState(
        seq=seq,
        number=number,
        family_seq=seq,
        policy_id=1,
        origin="purchase",
        granted=100,
        remaining=remaining,
        spendable_at=spendable_at,
        expires_at=expires_at,
        gated=gated,
        notice_days=30 if gated else 0,
    )


@pytest.mark.parametrize(
    ("expires_at", "gated", "overdue"),
    [
        (None, False, False),
        (NOON + TICK, False, False),
        (NOON, False, True),  # half-open: the date itself is outside
        (NOON - TICK, False, True),
        (NOON, True, False),
        (NOON - timedelta(days=999), True, False),
    ],
)
def test_a_lot_is_overdue_from_its_date_on_unless_it_is_gated(expires_at, gated, overdue):
    assert is_overdue(lot(expires_at=expires_at, gated=gated), NOON) is overdue


@pytest.mark.parametrize(
    ("remaining", "expires_at", "gated", "live"),
    [
        (1, None, False, True),
        (0, None, False, False),
        (1, NOON + TICK, False, True),
        (1, NOON, False, False),
        (1, NOON, True, True),
        (0, NOON, True, False),
    ],
)
def test_a_lot_is_live_while_something_is_left_and_its_date_is_ahead_or_gated(remaining, expires_at, gated, live):
    assert is_live(lot(remaining=remaining, expires_at=expires_at, gated=gated), NOON) is live


def test_a_lot_is_spendable_from_its_first_instant_on_while_it_is_live():
    assert is_spendable(lot(spendable_at=NOON), NOON) is True
    assert is_spendable(lot(spendable_at=NOON + TICK), NOON) is False
    assert is_spendable(lot(spendable_at=NOON, expires_at=NOON), NOON) is False
    assert is_spendable(lot(spendable_at=NOON, expires_at=NOON, gated=True), NOON) is True
    assert is_spendable(lot(spendable_at=NOON, remaining=0), NOON) is False


def test_the_soonest_date_goes_first_then_the_older_lot_then_its_number_and_no_date_last():
    soon, later = NOON + timedelta(days=1), NOON + timedelta(days=2)
    first = lot(9, expires_at=soon)
    second = lot(2, expires_at=later)
    third = lot(3, number=0, expires_at=later)
    fourth = lot(3, number=1, expires_at=later)
    fifth, sixth = lot(1), lot(4)
    mixed = [fifth, fourth, sixth, second, first, third]
    assert sorted(mixed, key=redemption_order) == [first, second, third, fourth, fifth, sixth]


def test_a_gated_lot_past_its_date_goes_before_all_with_a_date_ahead():
    past, ahead = lot(2, expires_at=NOON - timedelta(days=5), gated=True), lot(1, expires_at=NOON + TICK)
    assert sorted([ahead, past], key=redemption_order) == [past, ahead]


def test_the_family_pays_before_others_and_promised_points_last_in_each():
    promised = NOON + TICK
    own, own_later, own_promised = lot(1), lot(2), lot(3, spendable_at=promised)
    other, other_promised, other_later = lot(4), lot(5, spendable_at=promised), lot(6)
    family, others = [own_promised, own, own_later], [other_promised, other, other_later]
    payers = [own, own_later, own_promised, other, other_later, other_promised]
    assert list(clawback_payers(family, others, NOON)) == payers
    assert list(clawback_payers([], others, NOON)) == [other, other_later, other_promised]
    assert list(clawback_payers(family, others, NOON, family_only=True)) == [own, own_later, own_promised]


def test_others_are_not_asked_while_the_family_can_pay_and_then_no_further_than_needed():
    asked = []

    def others():
        for seq in (7, 8, 9):
            asked.append(seq)
            yield lot(seq, 10)

    family = [lot(1, 10, spendable_at=NOON + TICK), lot(2, 10)]
    assert [part.lot.seq for part in take(clawback_payers(family, others(), NOON), 20)] == [2, 1]
    assert asked == []
    assert [part.lot.seq for part in take(clawback_payers(family, others(), NOON), 30)] == [2, 1, 7]
    assert asked == [7]
    asked.clear()
    assert len(take(clawback_payers(family, others(), NOON, family_only=True), 100)) == 2
    assert asked == []


def test_taking_goes_through_lots_as_they_come_and_splits_only_the_last():
    a, b, c = lot(1, 10), lot(2, 20), lot(3, 30)
    assert take([a, b, c], 25) == [Slice(a, 10), Slice(b, 15)]
    assert take([a, b, c], 30) == [Slice(a, 10), Slice(b, 20)]
    assert take([a, b, c], 31) == [Slice(a, 10), Slice(b, 20), Slice(c, 1)]
    assert (a.remaining, b.remaining, c.remaining) == (10, 20, 30)  # deciding changes nothing


def test_taking_more_than_there_is_takes_all_of_it():
    a, b = lot(1, 10), lot(2, 20)
    assert take([a, b], 100) == [Slice(a, 10), Slice(b, 20)]
    assert take([], 1) == []


def test_taking_makes_no_empty_slices():
    a, b = lot(1, 0), lot(2, 20)
    assert take([a, b], 5) == [Slice(b, 5)]
    assert take([a, b], 0) == []


def test_taking_reads_no_further_than_needed():
    seen = []

    def lots():
        for seq in (1, 2, 3):
            seen.append(seq)
            yield lot(seq, 10)

    assert sum(part.points for part in take(lots(), 15)) == 15
    assert seen == [1, 2]
    seen.clear()
    assert sum(part.points for part in take(lots(), 20)) == 20  # exactly two lots: the third is not asked for
    assert seen == [1, 2]
