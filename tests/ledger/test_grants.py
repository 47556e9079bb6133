"""Granting: a new lot with the dates of the policy in force; debt is paid first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger import grants, statements
from ledger.errors import BadInput, BadKey, BadPoints, FutureAct, NoPolicy, PastExpiry
from ledger.grants import grant_order
from ledger.inputs import MOST
from ledger.kinds import Kind, Origin
from ledger.models import Entry, Lot
from ledger.policies import Model
from tests import builders
from tests.builders import NOW, SHOP, days, grant, lot_of
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db
APRIL_2026 = datetime(2026, 3, 31, 15, tzinfo=UTC)  # 1 April in Seoul


def test_a_grant_makes_one_lot_with_the_date_of_the_policy(minji):
    receipt = grant(minji, 100, key="order:1", reference="order 1", reason="welcome")
    assert (receipt.kind, receipt.points, receipt.settled, receipt.debt_added) == (Kind.GRANT, 100, 0, 0)
    assert (receipt.balance, receipt.debt, receipt.seq, receipt.replayed) == (100, 0, 1, False)
    assert (receipt.effective_at, receipt.recorded_at) == (NOW, NOW)
    lot = lot_of(receipt)
    assert (lot.granted, lot.remaining, lot.open) == (100, 100, True)
    assert (lot.spendable_at, lot.expires_at, lot.gated) == (NOW, APRIL_2026, False)
    assert (lot.seq, lot.number, lot.family_seq, lot.origin) == (1, 0, 1, "purchase")
    assert (lot.programme_id, lot.policy.count) == (minji.programme_id, 12)
    entry = Entry.objects.get()
    assert (entry.kind, entry.amount, entry.balance_after, entry.debt_after) == ("grant", 100, 100, 0)
    assert (entry.key, entry.actor, entry.reference, entry.reason) == ("order:1", "api:shop", "order 1", "welcome")
    assert (entry.undoes_seq, entry.asked, entry.available) == (None, None, None)
    assert slices(receipt) == [(1, 100)]
    assert row_of(minji) == (100, 0, 1)


def test_a_grant_to_minji_leaves_jun_alone(minji, moa):
    jun = builders.jun(moa)
    grant(minji, 100)
    assert row_of(jun) == (0, 0, 0)
    assert entries(jun) == []


@pytest.mark.parametrize("points", [0, -5, 1.5, MOST + 1, True, "7", None])
def test_an_amount_that_cannot_be_granted_writes_nothing(minji, points):
    with nothing_changes(), pytest.raises(BadPoints) as refusal:
        grant(minji, points)
    assert refusal.value.field == "points"


def test_the_most_that_can_be_granted_fits(minji):
    assert grant(minji, MOST).balance == MOST


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b"])
def test_a_key_that_cannot_be_stored_writes_nothing(minji, key):
    with nothing_changes(), pytest.raises(BadKey) as refusal:
        grants.grant(account=minji, points=1, now=NOW, key=key, by=SHOP)
    assert refusal.value.field == "key"


def test_the_longest_key_fits(minji):
    grant(minji, 1, key="열" * 200)
    assert Entry.objects.get().key == "열" * 200


def test_a_grant_dated_back_counts_its_life_from_then(minji):
    receipt = grant(minji, 100, effective_at=NOW - days(40))
    lot = lot_of(receipt)
    assert (receipt.effective_at, receipt.recorded_at) == (NOW - days(40), NOW)
    assert lot.spendable_at == NOW - days(40)
    assert lot.expires_at == datetime(2026, 1, 31, 15, tzinfo=UTC)  # granted on 29 January in Seoul


def test_a_grant_is_never_dated_forward(minji):
    with nothing_changes(), pytest.raises(FutureAct) as refusal:
        grant(minji, 100, effective_at=NOW + timedelta(microseconds=1))
    assert refusal.value.field == "effective_at"


def test_a_given_date_replaces_that_of_the_policy(minji):
    lot = lot_of(grant(minji, 100, expires_at=NOW + days(2)))
    assert lot.expires_at == NOW + days(2)


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(microseconds=-1), -days(400)])
def test_a_given_date_must_lie_ahead(minji, offset):
    with nothing_changes(), pytest.raises(PastExpiry) as refusal:
        grant(minji, 100, expires_at=NOW + offset)
    assert refusal.value.field == "expires_at"


def test_an_unknown_origin_is_refused_with_those_there_are(minji):
    with nothing_changes(), pytest.raises(BadInput, match="purchase, promotion") as refusal:
        grant(minji, 100, origin="lottery")
    assert refusal.value.field == "origin"


def test_a_grant_from_before_the_first_policy_is_refused():
    programme = builders.moa(effective_from=NOW)
    minji = builders.minji(programme)
    with nothing_changes(), pytest.raises(NoPolicy):
        grant(minji, 100, effective_at=NOW - timedelta(microseconds=1))
    assert grant(minji, 100).balance == 100


def test_points_of_an_origin_follow_its_own_policy(minji, moa):
    never = builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, model=Model.NEVER, count=0)
    lot = lot_of(grant(minji, 100, origin=Origin.COMPENSATION))
    assert (lot.expires_at, lot.policy_id, lot.origin) == (None, never.pk, "compensation")
    assert lot_of(grant(minji, 100)).expires_at == APRIL_2026


def test_a_new_policy_changes_no_lot_that_exists(minji, moa):
    lot = lot_of(grant(minji, 100))
    before = Lot.objects.filter(pk=lot.pk).values().get()
    builders.policy(moa, effective_from=NOW + days(1), count=1)
    grant(minji, 1, now=NOW + days(1))
    assert Lot.objects.filter(pk=lot.pk).values().get() == before
    assert Lot.objects.latest("seq").expires_at == datetime(2025, 4, 30, 15, tzinfo=UTC)


def test_a_notice_duty_is_copied_to_the_lot_which_is_gated_from_the_start():
    lot = lot_of(grant(builders.minji(builders.byeol(notice_slack=5)), 100))
    assert (lot.gated, lot.notice_days, lot.notice_slack) == (True, 30, 5)


def test_a_lot_without_a_date_is_not_gated_whatever_the_duty():
    programme = builders.byeol(model=Model.NEVER, count=0)
    lot = lot_of(grant(builders.minji(programme), 100))
    assert (lot.expires_at, lot.gated, lot.notice_days, lot.notice_slack) == (None, False, 0, 0)


def test_new_points_pay_debt_first_and_only_the_rest_is_there(minji):
    builders.clawback(minji, 30)
    assert row_of(minji) == (0, 30, 1)
    receipt = grant(minji, 100)
    assert (receipt.points, receipt.settled, receipt.balance, receipt.debt) == (100, 30, 70, 0)
    assert entries(minji) == [("clawback", -30), ("grant", 100), ("settle", 0)]
    settle = Entry.objects.get(kind="settle")
    assert (settle.key, settle.body_hash, settle.actor, settle.debt_delta) == (None, None, "system:clock", -30)
    assert remainders(minji) == {2: 70}
    assert lot_of(receipt).granted == 100


def test_points_below_the_debt_all_pay_and_nothing_is_there(minji):
    builders.clawback(minji, 30)
    receipt = grant(minji, 10)
    assert (receipt.points, receipt.settled, receipt.balance, receipt.debt) == (10, 10, 0, 20)
    assert lot_of(receipt).open is False
    receipt = grant(minji, 20)
    assert (receipt.settled, receipt.balance, receipt.debt) == (20, 0, 0)
    assert grant(minji, 5).settled == 0
    assert row_of(minji) == (5, 0, 6)


def test_points_that_paid_debt_do_not_expire():
    programme = builders.moa(count=1)
    minji = builders.minji(programme)
    builders.clawback(minji, 30)
    grant(minji, 100)
    builders.redeem(minji, 1, now=NOW + days(1))
    grant(minji, 1, now=NOW + days(60))
    assert entries(minji)[-2:] == [("expire", -69), ("grant", 1)]


def test_a_back_dated_grant_that_is_already_over_is_never_live(moa):
    programme = builders.moa("short", count=1)
    minji = builders.minji(programme)
    grant(minji, 100, effective_at=NOW - days(100))
    assert statements.balance(minji, at=NOW) == statements.Balance(spendable=0, promised=0, live=0, debt=0)
    builders.grant(minji, 1)
    assert entries(minji) == [("grant", 100), ("expire", -100), ("grant", 1)]


def test_a_back_dated_grant_that_is_already_over_still_pays_debt_first():
    minji = builders.minji(builders.moa(count=1))
    builders.clawback(minji, 30)
    receipt = grant(minji, 100, effective_at=NOW - days(100))
    assert (receipt.settled, receipt.debt) == (30, 0)
    assert statements.balance(minji, at=NOW).live == 0


def test_deciding_waits_until_the_order_is_posted(minji):
    with nothing_changes():
        order = grant_order(account_id=minji.pk, points=5, now=NOW, key="k", by=SHOP)
    assert order.key == "k"
