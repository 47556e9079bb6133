"""Moving the dates of live lots later: a recorded fact with a reason, all or none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.audit import audit
from ledger.errors import BadInput, EarlierDate, KeyReused, LotNotLive, PastExpiry
from ledger.extensions import extend as extend_act
from ledger.extensions import extend_by_days_order
from ledger.kinds import Kind, Origin
from ledger.models import Account, Entry, Extension, Lot
from ledger.policies import Model, Rounding
from ledger.posting import act
from tests import builders
from tests.builders import NOW, STAFF, days, extend, grant, lot_of, redeem
from tests.looking import entries, nothing_changes, remainders, row_of, slices

pytestmark = pytest.mark.django_db

UNTIL = date(2026, 6, 30)
GONE = datetime(2026, 6, 30, 15, tzinfo=UTC)  # the first instant of 1 July in Seoul


@pytest.fixture
def lot(minji):
    return lot_of(grant(minji, 100))  # valid through 31 March 2026


def by_days(account, lots, n, *, was=None, now=NOW, key="rule:1"):
    was = was or Lot.objects.get(pk=lots[0]).expires_at
    return act(
        extend_by_days_order(
            account_id=account.pk,
            lots=lots,
            was=was,
            days=n,
            now=now,
            key=key,
            by=STAFF,
            reason="active",
        )
    )


def test_a_lot_becomes_valid_through_the_day_that_was_named(minji, lot):
    receipt = extend(minji, [lot.pk], UNTIL, reason="a mistake of ours")
    assert (receipt.kind, receipt.points, receipt.balance) == (Kind.EXTEND, 0, 100)
    moved = Extension.objects.get()
    assert (moved.lot, moved.was, moved.until) == (lot, lot.expires_at, GONE)
    assert (moved.entry.kind, moved.entry.amount, moved.entry.actor) == ("extend", 0, "staff:1")
    assert moved.entry.reason == "a mistake of ours"
    lot.refresh_from_db()
    assert (lot.expires_at, lot.remaining, lot.gated) == (GONE, 100, False)
    assert row_of(minji) == (100, 0, 2)


def test_other_lots_and_other_accounts_stay(minji, lot, moa):
    theirs, other = lot_of(grant(builders.jun(moa), 5)), lot_of(grant(minji, 7))
    before = list(Lot.objects.filter(pk__in=[theirs.pk, other.pk]).order_by("pk").values())
    extend(minji, [lot.pk], UNTIL)
    assert list(Lot.objects.filter(pk__in=[theirs.pk, other.pk]).order_by("pk").values()) == before


def test_an_extended_lot_takes_its_new_place_in_the_order(minji, lot):
    second = grant(minji, 50, expires_at=GONE - days(10))
    extend(minji, [lot.pk], UNTIL)
    assert slices(redeem(minji, 60)) == [(second.seq, -50), (lot.seq, -10)]


def test_a_date_can_move_twice_and_each_move_is_kept(minji, lot):
    extend(minji, [lot.pk], UNTIL)
    extend(minji, [lot.pk], date(2026, 7, 31))
    rows = list(Extension.objects.order_by("pk").values_list("was", "until"))
    assert rows == [(lot.expires_at, GONE), (GONE, datetime(2026, 7, 31, 15, tzinfo=UTC))]


@pytest.mark.parametrize("until", [date(2026, 3, 31), date(2026, 3, 30), date(2025, 3, 11)])
def test_a_date_never_moves_earlier_nor_to_where_it_is(minji, lot, until):
    with nothing_changes(), pytest.raises(EarlierDate) as refusal:
        extend(minji, [lot.pk], until)
    assert refusal.value.field == "until"


def test_the_next_day_is_later(minji, lot):
    extend(minji, [lot.pk], date(2026, 4, 1))
    assert Lot.objects.get(pk=lot.pk).expires_at == lot.expires_at + days(1)


@pytest.mark.parametrize("until", [date(2025, 3, 9), date(1999, 1, 1), date.min])
def test_a_past_expiry_is_refused(minji, lot, until):
    with nothing_changes(), pytest.raises(PastExpiry) as refusal:
        extend(minji, [lot.pk], until)
    assert refusal.value.field == "until"


@pytest.mark.parametrize("until", [date.max, date(9999, 12, 30), date(2200, 1, 1)])
def test_a_day_beyond_the_calendar_is_refused(minji, lot, until):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        extend(minji, [lot.pk], until)
    assert refusal.value.field == "until"


def test_one_lot_that_cannot_move_stops_all_of_the_account(minji, lot):
    later = lot_of(grant(minji, 5, expires_at=GONE + days(5)))
    with nothing_changes(), pytest.raises(EarlierDate):
        extend(minji, [lot.pk, later.pk], UNTIL)


def test_a_lot_that_never_expires_cannot_be_extended(minji, moa):
    builders.policy(moa, origin=Origin.COMPENSATION, model=Model.NEVER, count=0)
    never = lot_of(grant(minji, 5, origin=Origin.COMPENSATION))
    with nothing_changes(), pytest.raises(EarlierDate):
        extend(minji, [never.pk], UNTIL)
    with nothing_changes(), pytest.raises(LotNotLive):
        by_days(minji, [never.pk], 10, was=NOW + days(5))


def test_only_live_lots_of_the_account_can_be_extended(minji, lot, moa):
    theirs = lot_of(grant(builders.jun(moa), 5))
    spent = lot_of(grant(minji, 5, expires_at=NOW + days(1)))
    redeem(minji, 5)
    for pk in (theirs.pk, spent.pk, 2**60):
        with nothing_changes(), pytest.raises(LotNotLive) as refusal:
            extend(minji, [lot.pk, pk], UNTIL)
        assert refusal.value.field == "lots"


def test_a_lot_whose_instant_has_come_is_beyond_rescue_though_nobody_swept(minji):
    lot = lot_of(grant(minji, 100, expires_at=NOW + days(5)))
    with pytest.raises(LotNotLive):
        extend(minji, [lot.pk], UNTIL, now=NOW + days(5))
    assert entries(minji) == [("grant", 100)]
    assert Extension.objects.count() == 0


def test_a_lot_can_be_extended_in_its_last_microsecond(minji):
    lot = lot_of(grant(minji, 100, expires_at=NOW + days(5)))
    extend(minji, [lot.pk], UNTIL, now=NOW + days(5) - timedelta(microseconds=1))
    assert remainders(minji) == {1: 100}
    assert Lot.objects.get().expires_at == GONE


def test_a_gated_lot_past_its_date_can_be_extended_from_today_on():
    minji = builders.minji(builders.byeol(count=1))
    lot = lot_of(grant(minji, 100))
    assert lot.expires_at is not None
    now = lot.expires_at + days(30)
    with nothing_changes(), pytest.raises(PastExpiry):
        extend(minji, [lot.pk], (now - days(1)).date(), now=now)
    extend(minji, [lot.pk], (now + days(10)).date(), now=now)
    assert Extension.objects.get().was == lot.expires_at


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_an_extension_needs_a_reason_that_can_be_kept(minji, lot, reason):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        extend(minji, [lot.pk], UNTIL, reason=reason)
    assert refusal.value.field == "reason"


def test_an_extension_names_at_least_one_lot(minji):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        extend(minji, [], UNTIL)
    assert refusal.value.field == "lots"


def test_a_lot_named_twice_moves_once(minji, lot):
    extend(minji, [lot.pk, lot.pk], UNTIL)
    assert Extension.objects.count() == 1


def test_the_same_extension_again_moves_nothing_and_another_day_is_refused(minji, lot):
    def once(until=UNTIL, now=NOW):
        return extend_act(
            account=minji, lots=[lot.pk], until=until, now=now, key="admin:1", by=STAFF, reason="a mistake of ours"
        )

    first = once()
    with nothing_changes():
        assert once(now=NOW + days(3)).replayed is True
        with pytest.raises(KeyReused):
            once(until=date(2026, 7, 31))
    assert first.replayed is False


def test_by_days_moves_lots_from_their_last_day_to_the_end_of_a_day(minji):
    midday = lot_of(grant(minji, 10, expires_at=NOW + days(5)))  # noon on 15 March in Seoul
    other = lot_of(grant(minji, 20, expires_at=NOW + days(5)))
    by_days(minji, [midday.pk, other.pk], 10)
    for lot in (midday, other):
        lot.refresh_from_db()
        assert lot.expires_at == datetime(2025, 3, 25, 15, tzinfo=UTC)  # through 25 March
    assert Entry.objects.filter(kind="extend").count() == 1


def test_by_days_moves_nothing_when_one_of_the_lots_has_moved_since(minji, lot):
    other = lot_of(grant(minji, 10))
    extend(minji, [lot.pk], UNTIL)
    with nothing_changes(), pytest.raises(LotNotLive, match="has moved since it was found"):
        by_days(minji, [other.pk, lot.pk], 10)


@pytest.mark.parametrize("n", [0, -1])
def test_by_days_moves_by_at_least_one(minji, lot, n):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        by_days(minji, [lot.pk], n)
    assert refusal.value.field == "days"


def test_points_that_go_by_inactivity_are_extended_together_each_with_its_own_row():
    moa = builders.moa(model=Model.INACTIVITY, rounding=Rounding.DAY)
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, count=1)
    minji = builders.minji(moa)
    first, second = lot_of(grant(minji, 10)), lot_of(grant(minji, 20))
    kept = lot_of(grant(minji, 30, expires_at=GONE + days(50)))
    rolling = lot_of(grant(minji, 40, origin=Origin.COMPENSATION))
    was = datetime(2026, 3, 10, 15, tzinfo=UTC)  # through 10 March 2026
    extend(minji, [first.pk], UNTIL)
    assert list(Extension.objects.order_by("lot_id").values_list("lot_id", "was", "until")) == [
        (first.pk, was, GONE),
        (second.pk, was, GONE),
    ]
    assert Account.objects.get().not_before == GONE
    dates = dict(Lot.objects.values_list("pk", "expires_at"))
    assert (dates[kept.pk], dates[rolling.pk]) == (GONE + days(50), rolling.expires_at)
    redeem(minji, 1, now=NOW + days(3))  # activity, and twelve months: earlier than what was promised
    assert Lot.objects.get(pk=second.pk).expires_at == GONE
    new = lot_of(grant(minji, 5, now=NOW + days(4)))
    assert new.expires_at == GONE
    assert list(audit()) == []


def test_lots_by_inactivity_and_others_are_extended_in_one_act():
    moa = builders.moa(model=Model.INACTIVITY, rounding=Rounding.DAY)
    builders.policy(moa, origin=Origin.COMPENSATION, effective_from=NOW, count=1)
    minji = builders.minji(moa)
    idle, rolling = lot_of(grant(minji, 10)), lot_of(grant(minji, 40, origin=Origin.COMPENSATION))
    extend(minji, [idle.pk, rolling.pk], UNTIL)
    assert set(Lot.objects.values_list("expires_at", flat=True)) == {GONE}
    assert Extension.objects.count() == 2
    assert list(audit()) == []
