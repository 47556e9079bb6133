"""Granting: a new lot with the dates of the policy in force; debt is paid first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import grants, statements
from ledger.audit import audit
from ledger.errors import (
    AccountClosed,
    BadInput,
    BadKey,
    BadPoints,
    BooksClosed,
    FutureAct,
    KeyReused,
    NoPolicy,
    PastExpiry,
)
from ledger.expiry import sweep_all
from ledger.grants import grant_order
from ledger.inputs import MOST
from ledger.kinds import Kind, Origin
from ledger.models import Account, Entry, Lot
from ledger.policies import Model, Rounding, Unit
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


def test_promised_points_live_from_the_day_they_can_be_spent(minji):
    promised = NOW + days(60)  # noon on 9 May in Seoul
    lot = lot_of(grant(minji, 100, spendable_at=promised))
    assert (lot.spendable_at, lot.first_spendable_at) == (promised, promised)
    assert (lot.expires_at, lot.first_expires_at) == (datetime(2026, 5, 31, 15, tzinfo=UTC),) * 2
    assert statements.balance(minji, at=NOW) == statements.Balance(spendable=0, promised=100, live=100, debt=0)


def test_points_of_a_policy_with_a_waiting_time_are_spendable_at_that_time_on_the_wall():
    """London goes to summer time in the night to 30 March 2025."""
    minji = builders.minji(builders.moa(zone="Europe/London", spendable_after_days=30))
    lot = lot_of(grant(minji, 100))
    assert lot.spendable_at == NOW + days(30) - timedelta(hours=1)
    assert lot.expires_at == datetime(2026, 4, 30, 23, tzinfo=UTC)  # 9 April and twelve months, through the month


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("spendable_at", {"spendable_at": datetime(2025, 6, 1)}),  # noqa: DTZ001  # without a zone
        ("spendable_at", {"spendable_at": NOW + days(36_526)}),
        ("spendable_at", {"spendable_at": NOW - days(2), "effective_at": NOW - days(1)}),
        ("spendable_at", {"spendable_at": NOW - timedelta(microseconds=1)}),
        ("expires_at", {"spendable_at": NOW + days(5), "expires_at": NOW + days(5)}),
        ("expires_at", {"spendable_at": NOW + days(5), "expires_at": NOW + days(4)}),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(minji, field, changes):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        grant(minji, 100, **changes)
    assert refusal.value.field == field


def test_a_promise_is_part_of_what_its_key_stands_for(minji):
    first = grant(minji, 100, key="order:1", spendable_at=NOW + days(5))
    with nothing_changes():
        again = grant(minji, 100, key="order:1", spendable_at=NOW + days(5), now=NOW + days(90))
        assert (again.replayed, again.seq, again.balance) == (True, first.seq, 100)
        with pytest.raises(KeyReused):
            grant(minji, 100, key="order:1", spendable_at=NOW + days(6))
        with pytest.raises(KeyReused):
            grant(minji, 100, key="order:1")


def test_closed_books_refuse_what_would_take_effect_before_their_day(minji, moa):
    moa.books_closed_until = (NOW - days(4)).date()  # 6 March
    moa.save()
    first = datetime(2025, 3, 5, 15, tzinfo=UTC)  # its first instant in Seoul
    with nothing_changes(), pytest.raises(BooksClosed, match="The books are closed until 2025-03-06") as refusal:
        grant(minji, 100, effective_at=first - timedelta(microseconds=1))
    assert refusal.value.field == "effective_at"
    assert grant(minji, 100, effective_at=first, key="order:1").effective_at == first
    moa.books_closed_until = (NOW + days(5)).date()
    moa.save()
    with nothing_changes():
        assert grant(minji, 100, effective_at=first, key="order:1").replayed is True
        with pytest.raises(BooksClosed):
            grant(minji, 100)


def test_the_clocks_own_entries_are_written_though_the_books_are_closed_for_their_day(minji, moa):
    grant(minji, 100, expires_at=NOW + days(2))
    moa.books_closed_until = (NOW + days(5)).date()
    moa.save()
    assert sweep_all(now=NOW + days(3)) == 1
    grant(minji, 5, now=NOW + days(5))
    assert entries(minji) == [("grant", 100), ("expire", -100), ("grant", 5)]


def test_a_closed_account_is_granted_nothing(minji):
    builders.close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        grant(minji, 5, now=NOW + days(15))


IDLE: dict = {"model": Model.INACTIVITY, "count": 100, "unit": Unit.DAYS, "rounding": Rounding.NONE}


@pytest.mark.parametrize("by_hand", [days(1), days(100) - timedelta(microseconds=1)])
def test_a_date_by_hand_that_activity_would_move_at_once_is_refused_by_its_name_and_rule(by_hand):
    minji = builders.minji(builders.moa(**IDLE))
    says = r"expires_at: Under an inactivity policy .* counted from activity, 2025-06-18: a date by hand .* later"
    with nothing_changes(), pytest.raises(BadInput, match=says) as refusal:
        grant(minji, 10, expires_at=NOW + by_hand)
    assert refusal.value.field == "expires_at"


def test_a_later_date_by_hand_holds_under_inactivity_and_is_measured_by_all_activity_and_extensions():
    minji = builders.minji(builders.moa(**IDLE))
    assert lot_of(grant(minji, 10, expires_at=NOW + days(100))).expires_at == NOW + days(100)  # the very date is none
    assert lot_of(grant(minji, 10, expires_at=NOW + days(130))).expires_at == NOW + days(130)
    later: dict = {"now": NOW + days(20)}
    assert lot_of(grant(minji, 5, **later)).expires_at == NOW + days(120)
    with nothing_changes(), pytest.raises(BadInput, match="2025-07-08"):  # dated back: activity since then counts
        grant(minji, 5, effective_at=NOW, expires_at=NOW + days(119), **later)
    builders.extend(minji, [Lot.objects.get(seq=1).pk], date(2025, 7, 31), **later)
    with nothing_changes(), pytest.raises(BadInput, match="2025-07-31"):
        grant(minji, 5, expires_at=NOW + days(121), **later)
    assert grant(minji, 5, expires_at=datetime(2025, 7, 31, 15, tzinfo=UTC), **later).points == 5
    assert list(audit()) == []


def test_points_by_inactivity_go_together_and_activity_moves_them_all():
    minji = builders.minji(builders.moa(**IDLE))
    first = lot_of(grant(minji, 10))
    assert (first.expires_at, Account.objects.get().active_at) == (NOW + days(100), NOW)
    grant(minji, 20, now=NOW + days(50))
    assert set(Lot.objects.values_list("expires_at", flat=True)) == {NOW + days(150)}
    first.refresh_from_db()
    assert first.first_expires_at == NOW + days(100)  # as it was made
    assert sweep_all(now=NOW + days(150) - timedelta(microseconds=1)) == 0
    assert sweep_all(now=NOW + days(150)) == 1
    assert entries(minji)[-1] == ("expire", -30)
    assert list(audit()) == []


def test_a_grant_dated_back_is_activity_of_its_own_day_and_moves_nothing_earlier():
    minji = builders.minji(builders.moa(**IDLE))
    grant(minji, 10)
    old = lot_of(grant(minji, 20, effective_at=NOW - days(30)))
    assert old.expires_at == NOW + days(100)
    assert Account.objects.get().active_at == NOW
    assert list(audit()) == []


def test_activity_in_the_last_microsecond_keeps_the_points_and_at_their_instant_it_is_too_late():
    moa = builders.moa(**IDLE)
    minji, jun = builders.minji(moa), builders.jun(moa)
    grant(minji, 10)
    grant(jun, 10)
    gone = NOW + days(100)
    grant(minji, 1, now=gone - timedelta(microseconds=1))
    grant(jun, 1, now=gone)
    assert remainders(minji) == {1: 10, 2: 1}
    assert remainders(jun) == {1: 0, 3: 1}
    assert list(audit()) == []


def test_clawbacks_extensions_of_others_and_refused_redemptions_are_no_activity():
    moa = builders.moa(**IDLE)
    minji = builders.minji(moa)
    grant(minji, 10)
    builders.clawback(minji, 1, now=NOW + days(10))
    with pytest.raises(Exception, match="can be spent"):
        builders.redeem(minji, 100, now=NOW + days(20))
    assert Account.objects.get().active_at == NOW
    assert Lot.objects.get().expires_at == NOW + days(100)


EARLIEST = NOW + days(33)  # 30 days of notice and 3 of slack: noon on 12 April


@pytest.mark.parametrize("terms", [{}, {"model": Model.NEVER, "count": 0, "rounding": Rounding.NONE}])
def test_under_a_notice_duty_a_date_by_hand_leaves_time_to_tell_or_is_refused_by_its_name_and_rule(terms):
    minji = builders.minji(builders.byeol(**terms))
    says = (
        "expires_at: Under a notice duty of 30 days and 3 days of slack the last day can be 2025-04-12 at the earliest"
    )
    for too_soon in (NOW + days(1), EARLIEST - timedelta(microseconds=1)):
        with nothing_changes(), pytest.raises(BadInput, match=says) as refusal:
            grant(minji, 10, expires_at=too_soon)
        assert refusal.value.field == "expires_at"
    assert lot_of(grant(minji, 10, expires_at=EARLIEST)).expires_at == EARLIEST
    end_of_that_day = datetime(2025, 4, 12, 15, tzinfo=UTC)
    assert lot_of(grant(minji, 10, expires_at=end_of_that_day)).expires_at == end_of_that_day


def test_the_time_to_tell_is_counted_from_when_a_grant_is_recorded_however_far_it_is_dated_back():
    minji = builders.minji(builders.byeol())
    back = NOW - days(100)
    with nothing_changes(), pytest.raises(BadInput, match="2025-04-12 at the earliest"):
        grant(minji, 10, effective_at=back, expires_at=EARLIEST - days(1), origin=Origin.MIGRATION)
    assert lot_of(grant(minji, 10, effective_at=back, expires_at=EARLIEST)).expires_at == EARLIEST
    # A row that tells its own time, as a feed's does, was recorded then.
    jun = builders.jun(minji.programme)
    assert lot_of(grant(jun, 10, now=back, expires_at=NOW)).expires_at == NOW


def test_a_date_by_hand_that_was_granted_is_answered_again_when_it_has_come_near():
    minji = builders.minji(builders.byeol())
    grant(minji, 10, key="order:1", expires_at=EARLIEST)
    assert grant(minji, 10, key="order:1", expires_at=EARLIEST, now=NOW + days(20)).replayed is True


def test_without_a_duty_a_date_by_hand_can_be_tomorrow(minji):
    assert lot_of(grant(minji, 10, expires_at=NOW + days(1))).expires_at == NOW + days(1)
