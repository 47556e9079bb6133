"""Correcting a balance by hand: up by a grant, down by a clawback without a grant; never without a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.adjustments import adjust_down, adjust_up
from ledger.audit import audit
from ledger.errors import AccountClosed, BadInput, BadPoints, KeyReused, NoPolicy
from ledger.kinds import Kind, Origin
from ledger.models import Entry, Lot
from ledger.policies import Beyond, Model
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, STAFF, clawback, close, days, grant, lot_of
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db


def up(account, points: int, *, now=NOW, key="admin:1", reason="a mistake of ours") -> Receipt:
    return adjust_up(account=account, points=points, now=now, key=key, by=STAFF, reason=reason)


def down(account, points: int, *, now=NOW, key="admin:2", reason="a mistake of ours") -> Receipt:
    return adjust_down(account=account, points=points, now=now, key=key, by=STAFF, reason=reason)


def test_an_adjustment_upwards_is_a_grant_of_its_own_origin(minji, moa):
    builders.policy(moa, origin=Origin.ADJUSTMENT, model=Model.NEVER, count=0, rounding="none")
    receipt = up(minji, 30)
    assert (receipt.kind, receipt.points, receipt.balance, receipt.settled) == (Kind.GRANT, 30, 30, 0)
    lot = lot_of(receipt)
    assert (lot.origin, lot.expires_at, lot.granted) == ("adjustment", None, 30)
    entry = Entry.objects.get()
    assert (entry.reason, entry.actor, entry.key) == ("a mistake of ours", "staff:1", "admin:1")
    with nothing_changes():
        assert up(minji, 30, now=NOW + days(3)) == replace(receipt, replayed=True)
    with nothing_changes(), pytest.raises(KeyReused):
        up(minji, 31)


def test_an_adjustment_upwards_pays_debt_first(minji):
    clawback(minji, 20)
    receipt = up(minji, 30)
    assert (receipt.settled, receipt.balance, receipt.debt) == (20, 10, 0)


def test_an_adjustment_downwards_takes_the_soonest_points_and_promised_ones_last(minji):
    grant(minji, 10, expires_at=NOW + days(5), spendable_at=NOW + days(2))
    grant(minji, 10, expires_at=NOW + days(9))
    grant(minji, 10, expires_at=NOW + days(7))
    receipt = down(minji, 25)
    assert (receipt.kind, receipt.points, receipt.debt_added, receipt.written_off) == (Kind.CLAWBACK, 25, 0, 0)
    assert (receipt.asked, receipt.available) == (25, None)
    assert slices(receipt) == [(3, -10), (2, -10), (1, -5)]
    assert remainders(minji) == {1: 5, 2: 0, 3: 0}
    assert Entry.objects.get(kind="clawback").undoes_seq is None


def test_what_is_not_there_becomes_debt_or_is_written_off_as_the_policy_for_adjustments_says(minji, moa):
    grant(minji, 10)
    owed = down(minji, 25)
    assert (owed.points, owed.debt_added, owed.written_off, owed.debt) == (25, 15, 0, 15)
    since = NOW + days(1)
    builders.policy(moa, origin=Origin.ADJUSTMENT, effective_from=since, clawback_beyond=Beyond.WRITE_OFF)
    jun = builders.jun(moa)
    grant(jun, 10, now=since)
    let_go = down(jun, 25, key="admin:3", now=since)
    assert (let_go.points, let_go.debt_added, let_go.written_off, let_go.debt) == (10, 0, 15, 0)
    assert row_of(jun) == (0, 0, 2)
    nothing = down(jun, 5, key="admin:4", now=since)
    assert (nothing.kind, nothing.points, nothing.written_off, nothing.balance) == (Kind.CLAWBACK, 0, 5, 0)
    assert entries(jun) == [("grant", 10), ("clawback", -10), ("clawback", 0)]
    with nothing_changes():
        assert down(jun, 25, key="admin:3") == replace(let_go, replayed=True)
        assert down(jun, 5, key="admin:4") == replace(nothing, replayed=True)
    assert list(audit()) == []


@pytest.mark.parametrize("act", [up, down])
@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00"])
def test_an_adjustment_says_why(minji, act, reason):
    grant(minji, 10)
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        act(minji, 5, reason=reason)
    assert refusal.value.field == "reason"


@pytest.mark.parametrize("act", [up, down])
@pytest.mark.parametrize("points", [0, -1, True, 1.5])
def test_an_amount_that_cannot_be_writes_nothing(minji, act, points):
    with nothing_changes(), pytest.raises(BadPoints):
        act(minji, points)


@pytest.mark.parametrize("act", [up, down])
def test_before_the_first_policy_nothing_is_adjusted(act):
    minji = builders.minji(builders.moa(effective_from=NOW + days(1)))
    with nothing_changes(), pytest.raises(NoPolicy):
        act(minji, 5)


@pytest.mark.parametrize("act", [up, down])
def test_a_closed_account_is_not_adjusted(minji, act):
    close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        act(minji, 5, now=NOW + days(15))
    assert Lot.objects.count() == 0
