"""Holding: redeeming provisionally, until a capture, a release, or the lapse. No point is lost between the three."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ledger import holds
from ledger.accounts import open_account
from ledger.audit import audit
from ledger.errors import (
    AccountClosed,
    BadInput,
    BadKey,
    BadPoints,
    HoldNotOpen,
    InsufficientPoints,
    KeyReused,
    MoreThanHeld,
)
from ledger.expiry import sweep, sweep_all
from ledger.grants import grant_order
from ledger.holds import capture_order, hold_order, release_order
from ledger.kinds import Kind
from ledger.models import Account, Allocation, Entry, Hold, Lot
from ledger.posting import post
from ledger.receipts import Receipt, Restored
from ledger.refunds import refund_order
from tests import builders
from tests.builders import NOW, SHOP, capture, clawback, close, days, grant, hold, redeem, release
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
TOMORROW = NOW + days(1)
SOON, LATE = NOW + days(100), NOW + days(200)


@pytest.fixture
def minji(minji):
    """Minji with 50 points that go in a hundred days and 60 that go in two hundred."""
    grant(minji, 50, expires_at=SOON, key="order:1")
    grant(minji, 60, expires_at=LATE, key="order:2")
    return minji


def lapses_at(account: Account) -> datetime | None:
    return Account.objects.values_list("lapses_at", flat=True).get(pk=account.pk)


def of_capture(receipt: Receipt) -> list[tuple[int, int, datetime | None]]:
    """What the release behind a capture gave: (entry that made the lot, points, until)."""
    rows = Allocation.objects.filter(entry__account_id=receipt.account_id, entry__seq=receipt.seq + 1).order_by("pk")
    return list(rows.values_list("lot__seq", "delta", "until"))


def test_a_hold_takes_the_soonest_points_and_keeps_them_for_its_time(minji):
    def once(now: datetime = NOW) -> Receipt:
        return holds.hold(
            account=minji, points=70, lapses_at=TOMORROW, now=now, key="hold", by=SHOP, reference="basket 1"
        )

    receipt = once()
    assert (receipt.kind, receipt.points, receipt.balance, receipt.restored) == (Kind.HOLD, 70, 40, ())
    assert slices(receipt) == [(1, -50), (2, -20)]
    assert remainders(minji) == {1: 0, 2: 40}
    held = Hold.objects.get()
    assert (held.account_id, held.programme_id, held.seq, held.points) == (minji.pk, minji.programme_id, 3, 70)
    assert (held.lapses_at, held.open, lapses_at(minji)) == (TOMORROW, True, TOMORROW)
    entry = Entry.objects.get(kind="hold")
    assert (entry.amount, entry.reference, entry.undoes_seq) == (-70, "basket 1", None)
    with nothing_changes():
        assert once(now=NOW + days(9)) == replace(receipt, replayed=True)


def test_held_points_cannot_be_spent_and_too_few_are_a_decline_without_a_hold(minji):
    hold(minji, 70)
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 41)
    assert refusal.value.receipt.available == 40
    with pytest.raises(InsufficientPoints) as refusal:
        hold(minji, 41, key="second")
    assert (refusal.value.receipt.kind, refusal.value.receipt.asked) == (Kind.DECLINE, 41)
    assert Hold.objects.count() == 1
    with nothing_changes(), pytest.raises(HoldNotOpen):
        capture(minji, hold="second")


def test_a_whole_capture_makes_it_final_and_moves_nothing(minji):
    hold(minji, 70)
    receipt = capture(minji)
    assert (receipt.kind, receipt.points, receipt.asked, receipt.restored) == (Kind.CAPTURE, 70, 70, ())
    assert (receipt.spendable, receipt.balance, receipt.settled) == (0, 40, 0)
    assert entries(minji)[2:] == [("hold", -70), ("capture", 0)]
    assert Entry.objects.get(kind="capture").undoes_seq == 3
    assert (Hold.objects.get().open, lapses_at(minji)) == (False, None)
    assert row_of(minji) == (40, 0, 4)
    assert sweep_all(now=NOW + days(5)) == 0
    with nothing_changes():
        assert capture(minji, now=NOW + days(9)) == replace(receipt, replayed=True)


def test_a_capture_of_a_part_fixes_the_first_points_and_gives_the_rest_back_in_reverse(minji):
    hold(minji, 70)
    receipt = capture(minji, 30)
    assert (receipt.points, receipt.asked, receipt.balance) == (30, 30, 80)
    assert receipt.restored == (Restored(20, LATE), Restored(20, SOON))
    assert (receipt.spendable, receipt.seq) == (40, 4)
    assert entries(minji)[2:] == [("hold", -70), ("capture", 0), ("release", 40)]
    assert of_capture(receipt) == [(2, 20, LATE), (1, 20, SOON)]
    rest = Entry.objects.get(kind="release")
    assert (rest.key, rest.undoes_seq, rest.actor, rest.reason) == (None, 3, "system:clock", "what the capture left")
    assert remainders(minji) == {1: 20, 2: 60}
    redeem(minji, 80)
    with nothing_changes():
        assert capture(minji, 30, now=NOW + days(300)) == replace(receipt, replayed=True)
    assert list(audit()) == []


def test_a_capture_that_leaves_points_pays_debt_with_them_and_its_replay_says_so(minji):
    hold(minji, 70)
    clawback(minji, 55)  # 40 are there
    assert row_of(minji) == (0, 15, 4)
    receipt = capture(minji, 30)
    assert (receipt.points, receipt.settled, receipt.spendable, receipt.balance, receipt.debt) == (30, 15, 25, 25, 0)
    assert entries(minji)[4:] == [("capture", 0), ("release", 40), ("settle", 0)]
    assert remainders(minji) == {1: 5, 2: 20}
    grant(minji, 5)
    with nothing_changes():
        assert capture(minji, 30) == replace(receipt, replayed=True)


def test_debt_does_not_stop_a_hold_from_being_captured(minji):
    hold(minji, 70)
    clawback(minji, 55)
    receipt = capture(minji)
    assert (receipt.points, receipt.debt, receipt.balance, receipt.settled) == (70, 15, 0, 0)


def test_a_hold_is_captured_once_and_then_there_is_nothing_to_release(minji):
    hold(minji, 70)
    capture(minji, 30)
    for act in (lambda: release(minji), lambda: builders.capture(minji, 10, hold="hold", now=NOW + TICK)):
        with nothing_changes(), pytest.raises((HoldNotOpen, KeyReused)):
            act()
    order = capture_order(account_id=minji.pk, hold="hold", now=NOW, key="again", by=SHOP)
    with nothing_changes():
        (outcome,) = post([order])
    assert isinstance(outcome, HoldNotOpen)
    assert outcome.field == "hold"


def test_more_than_is_held_is_not_captured(minji):
    hold(minji, 70)
    with nothing_changes(), pytest.raises(MoreThanHeld, match="71 points were to be captured, 70 are held") as refusal:
        capture(minji, 71)
    assert refusal.value.field == "points"
    assert capture(minji, 70).points == 70


def test_a_release_gives_all_back_in_reverse(minji):
    hold(minji, 70)
    receipt = release(minji)
    assert (receipt.kind, receipt.points, receipt.balance, receipt.spendable) == (Kind.RELEASE, 70, 110, 70)
    assert receipt.restored == (Restored(20, LATE), Restored(50, SOON))
    assert slices(receipt) == [(2, 20), (1, 50)]
    assert remainders(minji) == {1: 50, 2: 60}
    assert (Hold.objects.get().open, lapses_at(minji)) == (False, None)
    entry = Entry.objects.get(kind="release")
    assert (entry.undoes_seq, entry.key, entry.actor) == (3, "release:hold", "api:shop")
    with nothing_changes():
        assert release(minji, now=NOW + days(3)) == replace(receipt, replayed=True)


def test_a_release_of_points_whose_lot_is_over_gives_a_lot_with_the_floor(minji):
    hold(minji, 70, lapses_at=NOW + days(150))
    at = NOW + days(120)
    receipt = release(minji, now=at)
    assert receipt.restored == (Restored(20, LATE), Restored(50, at + days(30)))
    new = Lot.objects.get(seq=receipt.seq)
    assert (new.family_seq, new.granted, new.remaining, new.spendable_at) == (1, 50, 50, at)


def test_until_the_last_microsecond_a_hold_can_be_captured_and_from_its_lapse_on_it_is_gone(minji):
    hold(minji, 10)
    hold(minji, 10, key="second")
    assert capture(minji, now=TOMORROW - TICK).points == 10
    with nothing_changes(), pytest.raises(HoldNotOpen):
        capture(minji, hold="second", now=TOMORROW)
    with nothing_changes(), pytest.raises(HoldNotOpen):
        release(minji, hold="second", now=TOMORROW)


def test_a_lapsed_hold_is_released_as_of_its_lapse_before_the_next_act(minji):
    hold(minji, 70)
    receipt = redeem(minji, 110, now=NOW + days(5))
    assert receipt.points == 110
    assert entries(minji)[2:] == [("hold", -70), ("release", 70), ("redeem", -110)]
    lapse = Entry.objects.get(kind="release")
    assert (lapse.effective_at, lapse.recorded_at, lapse.key) == (TOMORROW, NOW + days(5), None)
    assert (lapse.reason, lapse.actor, lapse.undoes_seq) == ("lapsed", "system:clock", 3)


def test_the_sweep_releases_lapsed_holds_at_their_instant_and_not_before(minji):
    hold(minji, 10)
    hold(minji, 20, key="second", lapses_at=TOMORROW + TICK)
    assert lapses_at(minji) == TOMORROW
    assert sweep(now=TOMORROW - TICK).found == 0
    assert sweep_all(now=TOMORROW) == 1
    assert (row_of(minji)[0], lapses_at(minji)) == (90, TOMORROW + TICK)
    assert sweep_all(now=NOW + days(9)) == 1
    assert (row_of(minji)[0], lapses_at(minji)) == (110, None)


def test_when_the_sweep_runs_changes_no_number(moa):
    """One account is swept every ten days, one only at the end: the points come back to the same dates."""
    told = {}
    for name, steps in (("often", range(5, 160, 10)), ("late", [155])):
        account = open_account(programme=moa, reference=name)
        grant(account, 50, expires_at=SOON)
        hold(account, 50, key=f"hold:{name}", lapses_at=NOW + days(90))
        for day in steps:
            sweep_all(now=NOW + days(day))
        rows = Entry.objects.filter(account=account).order_by("seq").values_list("kind", "amount", "effective_at")
        told[name] = list(rows)
        dates = Lot.objects.filter(account=account).order_by("seq").values_list("expires_at", flat=True)
        assert list(dates) == [SOON, NOW + days(120)]
    assert told["often"] == told["late"]
    assert told["late"][2:] == [("release", 50, NOW + days(90)), ("expire", -50, NOW + days(120))]


@pytest.mark.parametrize("lapses_at", [NOW, NOW - TICK, NOW - days(5)])
def test_a_hold_lapses_in_the_future(minji, lapses_at):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        hold(minji, 10, lapses_at=lapses_at)
    assert refusal.value.field == "lapses_at"


@pytest.mark.parametrize("lapses_at", [NOW + days(36_526), datetime(2025, 3, 20)])  # noqa: DTZ001  # without a zone
def test_a_lapse_is_a_time_within_a_century(minji, lapses_at):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        hold(minji, 10, lapses_at=lapses_at)
    assert refusal.value.field == "lapses_at"


@pytest.mark.parametrize("points", [0, -1, 1.5, True])
def test_amounts_that_cannot_be_are_refused(minji, points):
    with nothing_changes(), pytest.raises(BadPoints):
        hold(minji, points)
    hold(minji, 10)
    with nothing_changes(), pytest.raises(BadPoints):
        capture(minji, points)


@pytest.mark.parametrize("key", ["", "a\nb"])
def test_a_capture_and_a_release_name_their_hold(minji, key):
    with nothing_changes(), pytest.raises(BadKey) as refusal:
        capture(minji, hold=key)
    assert refusal.value.field in ("hold", "key")


def test_the_hold_of_somebody_else_and_a_redemption_are_no_open_holds(minji, moa):
    jun = builders.jun(moa)
    hold(minji, 10)
    redeem(minji, 10, key="order:9")
    for account, key in ((jun, "hold"), (minji, "order:9"), (minji, "nothing")):
        with nothing_changes(), pytest.raises(HoldNotOpen):
            release(account, hold=key)


def test_a_closed_account_has_no_open_hold(minji):
    hold(minji, 70, lapses_at=NOW + days(90))
    close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        capture(minji, now=NOW + days(15))
    assert sweep_all(now=NOW + days(15)) == 2
    assert entries(minji)[4:] == [("release", 70), ("forfeit", -110)]
    assert (Hold.objects.get().open, lapses_at(minji)) == (False, None)


def test_holds_that_begin_and_end_in_one_batch_come_to_the_same_as_one_by_one(moa):
    def orders(account):
        name, common = f"{account.pk}", {"account_id": account.pk, "now": NOW, "by": SHOP}
        return [
            grant_order(points=50, key=f"{name}:1", expires_at=SOON, **common),
            grant_order(points=60, key=f"{name}:2", expires_at=LATE, **common),
            hold_order(points=70, lapses_at=TOMORROW, key=f"{name}:3", **common),
            hold_order(points=30, lapses_at=TOMORROW, key=f"{name}:4", **common),
            hold_order(points=11, lapses_at=TOMORROW, key=f"{name}:5", **common),
            capture_order(hold=f"{name}:3", points=55, key=f"{name}:6", **common),
            capture_order(hold=f"{name}:3", key=f"{name}:7", **common),
            release_order(hold=f"{name}:4", key=f"{name}:8", **common),
            refund_order(points=55, undoes=f"{name}:6", key=f"{name}:9", **common),
            hold_order(points=1, lapses_at=TOMORROW, key=f"{name}:10", **common),
        ]

    minji, jun = builders.minji(moa), builders.jun(moa)
    together = post(orders(minji))
    alone = [outcome for order in orders(jun) for outcome in post([order])]
    for one, other in zip(together, alone, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Receipt) and isinstance(other, Receipt):
            assert replace(one, account_id=jun.pk) == other
    said = [outcome.kind.value if isinstance(outcome, Receipt) else type(outcome) for outcome in together]
    assert said[2:] == ["hold", "hold", "decline", "capture", HoldNotOpen, "release", "refund", "hold"]
    assert entries(minji) == entries(jun)
    assert remainders(minji) == remainders(jun) == {1: 49, 2: 60}
    states = [list(Hold.objects.filter(account=a).order_by("seq").values_list("seq", "open")) for a in (minji, jun)]
    assert states[0] == states[1]
    assert [is_open for _, is_open in states[0]] == [False, False, True]
    assert list(audit()) == []


def test_a_hold_of_more_lots_than_are_read_at_once_comes_back_whole(minji):
    post(
        [
            grant_order(account_id=minji.pk, points=1, now=NOW, key=f"lot:{n}", by=SHOP, expires_at=NOW + days(300 + n))
            for n in range(100)
        ]
    )
    hold(minji, 205)
    receipt = capture(minji, 108)  # 50, 60: the first 108 of 110
    assert receipt.restored[0] == Restored(1, NOW + days(394))
    assert (len(receipt.restored), receipt.spendable) == (96, 97)
    assert sum(remainders(minji).values()) == row_of(minji)[0] == 102
    assert list(audit()) == []
