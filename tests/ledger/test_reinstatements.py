"""Reinstating: what the clock ended comes back once, while the window is open, with the life that the policy says.

Here points go after ten days, can be reinstated for thirty days from then, and live for twenty days again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger import reinstatements
from ledger.audit import audit
from ledger.errors import AccountClosed, AlreadyReinstated, BadInput, KeyReused, LotNotExpired, TooLateToReinstate
from ledger.expiry import sweep_all
from ledger.kinds import Kind
from ledger.models import Entry, Lot
from ledger.policies import Model, Rounding, Unit
from ledger.posting import post
from ledger.receipts import Receipt, Restored
from ledger.reinstatements import reinstate_order
from tests import builders
from tests.builders import NOW, SHOP, STAFF, clawback, close, days, grant, lot_of, redeem, reinstate
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
ENDED = NOW + days(10)
LIFE: dict = {"reinstate_window_days": 30, "reinstate_life_days": 20}
TEN_DAYS: dict = {"count": 10, "unit": Unit.DAYS, "rounding": Rounding.NONE, **LIFE}


@pytest.fixture
def minji(db):
    return builders.minji(builders.moa(**TEN_DAYS))


@pytest.fixture
def lot(minji):
    """100 points granted under "order:1", of which 40 were redeemed; 60 go after ten days."""
    lot = lot_of(grant(minji, 100, key="order:1"))
    redeem(minji, 40, key="order:2")
    return lot


def test_what_expired_comes_back_in_a_new_lot_of_its_family(minji, lot):
    at = ENDED + days(5)
    sweep_all(now=ENDED)
    receipt = reinstate(minji, lot.pk, now=at, key="admin:1")
    assert (receipt.kind, receipt.points, receipt.balance, receipt.debt) == (Kind.REINSTATE, 60, 60, 0)
    assert (receipt.restored, receipt.spendable) == ((Restored(60, at + days(20)),), 60)
    new = Lot.objects.get(seq=receipt.seq)
    assert (new.family_seq, new.origin, new.policy_id) == (lot.seq, "purchase", lot.policy_id)
    assert (new.granted, new.remaining, new.spendable_at, new.expires_at) == (60, 60, at, at + days(20))
    entry = Entry.objects.get(kind="reinstate")
    assert (entry.amount, entry.undoes_seq, entry.reason, entry.actor) == (60, 3, "a mistake of ours", "staff:1")
    assert remainders(minji) == {1: 0, 4: 60}
    redeem(minji, 60, now=at)
    with nothing_changes():
        assert reinstate(minji, lot.pk, now=at + days(90), key="admin:1") == replace(receipt, replayed=True)
    assert list(audit()) == []


def test_a_lot_that_the_clock_ended_and_nobody_swept_is_ended_by_the_act_itself(minji, lot):
    reinstate(minji, lot.pk, now=ENDED)
    assert entries(minji)[2:] == [("expire", -60), ("reinstate", 60)]
    assert Entry.objects.get(kind="expire").effective_at == ENDED


def test_the_window_is_open_to_its_last_microsecond(minji, lot):
    late = ENDED + days(30)
    with nothing_changes(), pytest.raises(TooLateToReinstate) as refusal:
        reinstate(minji, lot.pk, now=late)
    assert refusal.value.field == "lot"
    assert reinstate(minji, lot.pk, now=late - TICK).points == 60


def test_a_policy_without_a_window_reinstates_nothing():
    minji = builders.minji(builders.moa(**(TEN_DAYS | {"reinstate_window_days": 0})))
    lot = lot_of(grant(minji, 100))
    sweep_all(now=ENDED)
    with nothing_changes(), pytest.raises(TooLateToReinstate):
        reinstate(minji, lot.pk, now=ENDED)


def test_a_family_is_reinstated_once(minji, lot):
    receipt = reinstate(minji, lot.pk, now=ENDED)
    again = Lot.objects.get(seq=receipt.seq)
    sweep_all(now=ENDED + days(20))
    for pk in (lot.pk, again.pk):
        with nothing_changes(), pytest.raises(AlreadyReinstated) as refusal:
            reinstate(minji, pk, now=ENDED + days(20))
        assert refusal.value.field == "lot"
    assert entries(minji)[-1] == ("expire", -60)


def test_a_refunded_lot_of_the_family_is_reinstated_if_nothing_of_it_was_before(minji, lot):
    sweep_all(now=ENDED)
    at = ENDED + days(3)
    builders.refund(minji, 40, "order:2", now=at)  # a lot of its own, for thirty days
    sweep_all(now=at + days(30))
    linked = Lot.objects.get(seq=4)
    assert reinstate(minji, linked.pk, now=at + days(31)).points == 40
    with nothing_changes(), pytest.raises(TooLateToReinstate):
        reinstate(minji, lot.pk, now=ENDED + days(5))  # time does not run backwards: it is the 34th day, not the 5th


def test_only_what_the_clock_has_ended_on_this_account_comes_back(minji, lot):
    jun = builders.jun(minji.programme)
    spent = lot_of(grant(minji, 5))
    theirs = lot_of(grant(jun, 5))
    sweep_all(now=NOW)
    for pk in (lot.pk, theirs.pk, 2**60):
        with nothing_changes(), pytest.raises(LotNotExpired) as refusal:
            reinstate(minji, pk, now=ENDED - TICK)
        assert refusal.value.field == "lot"
    redeem(minji, 65)
    with nothing_changes(), pytest.raises(LotNotExpired):
        reinstate(minji, spent.pk, now=ENDED)  # nothing of it was left to expire


def test_gated_points_past_their_date_have_not_expired():
    minji = builders.minji(builders.byeol(**TEN_DAYS))
    lot = lot_of(grant(minji, 100))
    assert lot.expires_at == NOW + days(33)
    with nothing_changes(), pytest.raises(LotNotExpired):
        reinstate(minji, lot.pk, now=NOW + days(40))


def test_reinstated_points_pay_debt_first_and_the_answer_says_so(minji, lot):
    sweep_all(now=ENDED)
    clawback(minji, 25, now=ENDED)
    receipt = reinstate(minji, lot.pk, now=ENDED, key="admin:1")
    assert (receipt.points, receipt.settled, receipt.spendable, receipt.balance, receipt.debt) == (60, 25, 35, 35, 0)
    assert entries(minji)[-2:] == [("reinstate", 60), ("settle", 0)]
    with nothing_changes():
        assert reinstate(minji, lot.pk, now=ENDED + days(1), key="admin:1") == replace(receipt, replayed=True)


def test_under_a_notice_duty_there_is_time_to_tell_and_the_gate_is_shut():
    minji = builders.minji(builders.byeol(**TEN_DAYS))
    lot = lot_of(grant(minji, 100))
    builders.tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    at = NOW + days(33)
    receipt = reinstate(minji, lot.pk, now=at)
    assert receipt.restored == (Restored(100, at + days(33)),)
    new = Lot.objects.get(seq=receipt.seq)
    assert (new.gated, new.notice_days, new.notice_slack) == (True, 30, 3)


def test_the_new_date_is_rounded_as_the_policy_rounds():
    minji = builders.minji(builders.moa(count=1, **LIFE))  # to the end of the month
    lot = lot_of(grant(minji, 100))  # through 30 April
    receipt = reinstate(minji, lot.pk, now=NOW + days(60))  # 9 May, and 20 days: through 31 May
    assert receipt.restored == (Restored(100, datetime(2025, 5, 31, 15, tzinfo=UTC)),)


def test_by_inactivity_the_later_of_the_life_and_the_last_activity_counts():
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, **TEN_DAYS))
    lot = lot_of(grant(minji, 100))
    sweep_all(now=ENDED)
    receipt = reinstate(minji, lot.pk, now=ENDED)
    assert receipt.restored == (Restored(100, ENDED + days(20)),)
    grant(minji, 1, now=ENDED + days(15))  # to its 25th day
    dates = Lot.objects.filter(account=minji, open=True).order_by("seq").values_list("expires_at", flat=True)
    assert list(dates) == [ENDED + days(25), ENDED + days(25)]
    assert list(audit()) == []


def test_a_clawback_can_take_what_was_reinstated(minji, lot):
    assert clawback(minji, 200, undoes="order:1", now=ENDED).points == 40  # 100 less the 60 that have expired
    receipt = reinstate(minji, lot.pk, now=ENDED)
    assert (receipt.settled, receipt.balance, receipt.debt) == (40, 20, 0)
    taken = clawback(minji, 200, undoes="order:1", now=ENDED)
    assert (taken.points, taken.available, taken.debt_added) == (60, 60, 40)
    assert slices(taken) == [(receipt.seq, -20)]
    assert list(audit()) == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reinstatement_says_why(minji, lot, reason):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        reinstatements.reinstate(account=minji, lot=lot.pk, now=ENDED, key="k", by=STAFF, reason=reason)
    assert refusal.value.field == "reason"


def test_another_lot_under_the_same_key_is_refused(minji, lot):
    reinstate(minji, lot.pk, now=ENDED, key="admin:1")
    with nothing_changes(), pytest.raises(KeyReused):
        reinstate(minji, lot.pk + 1, now=ENDED, key="admin:1")


def test_a_closed_account_gets_nothing_back(minji, lot):
    close(minji)
    sweep_all(now=NOW + days(15))
    with nothing_changes(), pytest.raises(AccountClosed):
        reinstate(minji, lot.pk, now=NOW + days(15))


def test_twice_in_one_batch_is_once(minji, lot):
    def order(key: str, pk: int):
        return reinstate_order(account_id=minji.pk, lot=pk, now=ENDED, key=key, by=SHOP, reason="why")

    first, second, third = post([order("1", lot.pk), order("2", lot.pk), order("1", lot.pk)])
    assert isinstance(first, Receipt)
    assert (first.points, type(second)) == (60, AlreadyReinstated)
    assert third == replace(first, replayed=True)
    assert row_of(minji) == (60, 0, 4)
    assert list(audit()) == []
