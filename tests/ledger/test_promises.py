"""Promised points: live at once, spendable by the clock alone; a promise can be postponed and the date follows.

Moa's points live twelve months to the end of the month, counted from the day they can be spent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import asof, promises, statements
from ledger.audit import audit
from ledger.errors import (
    AccountClosed,
    BadInput,
    EarlierDate,
    InsufficientPoints,
    LotNotLive,
    LotNotPromised,
    NotAnExtension,
)
from ledger.extensions import undo
from ledger.grants import grant_order
from ledger.kinds import Kind
from ledger.models import Account, Entry, Extension, Lot
from ledger.policies import Model, Rounding, Unit
from ledger.posting import post
from ledger.promises import postpone_order
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, STAFF, clawback, close, days, grant, hold, lot_of, postpone, redeem
from tests.looking import entries, nothing_changes, row_of, slices

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
DELIVERY = NOW + days(30)  # noon on 9 April in Seoul
LATER = NOW + days(60)  # noon on 9 May
APRIL_2026 = datetime(2026, 4, 30, 15, tzinfo=UTC)  # through April
MAY_2026 = datetime(2026, 5, 31, 15, tzinfo=UTC)


@pytest.fixture
def lot(minji):
    return lot_of(grant(minji, 100, spendable_at=DELIVERY))


def dates(lot: Lot) -> tuple[datetime, datetime | None]:
    return Lot.objects.values_list("spendable_at", "expires_at").get(pk=lot.pk)


def test_a_promise_is_live_at_once_and_spendable_from_its_instant_on_by_the_clock_alone(minji, lot):
    assert dates(lot) == (DELIVERY, APRIL_2026)
    assert statements.balance(minji, at=DELIVERY - TICK) == statements.Balance(0, 100, 100, 0)
    assert statements.balance(minji, at=DELIVERY) == statements.Balance(100, 0, 100, 0)
    with pytest.raises(InsufficientPoints):
        redeem(minji, 1, now=DELIVERY - TICK)
    with pytest.raises(InsufficientPoints):
        hold(minji, 1, now=DELIVERY - TICK, lapses_at=LATER)
    assert redeem(minji, 100, now=DELIVERY).points == 100


def test_points_that_can_be_spent_go_before_promised_ones_whatever_their_dates(minji):
    grant(minji, 10, spendable_at=DELIVERY, expires_at=DELIVERY + days(1))
    grant(minji, 10)
    assert slices(redeem(minji, 10)) == [(2, -10)]


def test_a_postponed_promise_is_spendable_later_and_its_date_follows_by_the_same_model(minji, lot):
    receipt = postpone(minji, [lot.pk], LATER)
    assert (receipt.kind, receipt.points, receipt.balance) == (Kind.POSTPONE, 0, 100)
    assert dates(lot) == (LATER, MAY_2026)
    moved = Extension.objects.get()
    assert (moved.was, moved.until) == (APRIL_2026, MAY_2026)
    assert (moved.spendable_was, moved.spendable_until) == (DELIVERY, LATER)
    entry = Entry.objects.get(kind="postpone")
    assert (entry.amount, entry.reason, entry.actor) == (0, "delivery", "staff:1")
    made = Lot.objects.get()
    assert (made.first_spendable_at, made.first_expires_at) == (DELIVERY, APRIL_2026)
    with pytest.raises(InsufficientPoints):
        redeem(minji, 1, now=DELIVERY)
    assert redeem(minji, 1, now=LATER).points == 1
    assert list(audit()) == []


def test_the_date_stays_where_the_model_gives_the_same_one(minji, lot):
    postpone(minji, [lot.pk], DELIVERY + TICK)
    assert dates(lot) == (DELIVERY + TICK, APRIL_2026)
    assert list(audit()) == []


def test_a_date_by_hand_is_never_earlier_than_it_was(minji):
    long = lot_of(grant(minji, 10, spendable_at=DELIVERY, expires_at=NOW + days(900)))
    short = lot_of(grant(minji, 10, spendable_at=DELIVERY, expires_at=DELIVERY + days(1)))
    postpone(minji, [long.pk, short.pk], LATER)
    assert dates(long) == (LATER, NOW + days(900))
    assert dates(short) == (LATER, MAY_2026)


def test_without_a_model_that_dates_a_date_by_hand_keeps_its_distance_and_no_date_stays_none():
    minji = builders.minji(builders.moa(model=Model.NEVER, count=0))
    by_hand = lot_of(grant(minji, 10, spendable_at=DELIVERY, expires_at=DELIVERY + days(1)))
    never = lot_of(grant(minji, 10, spendable_at=DELIVERY))
    postpone(minji, [by_hand.pk, never.pk], LATER)
    assert dates(by_hand) == (LATER, LATER + days(1))
    assert dates(never) == (LATER, None)
    assert list(audit()) == []


@pytest.mark.parametrize("spendable_at", [DELIVERY, DELIVERY - TICK, NOW, NOW - days(1)])
def test_a_promise_only_moves_later(minji, lot, spendable_at):
    with nothing_changes(), pytest.raises(EarlierDate) as refusal:
        postpone(minji, [lot.pk], spendable_at)
    assert refusal.value.field == "spendable_at"


def test_to_its_last_microsecond_a_promise_can_be_postponed_and_then_it_is_kept(minji, lot):
    with nothing_changes(), pytest.raises(LotNotPromised) as refusal:
        postpone(minji, [lot.pk], LATER, now=DELIVERY)
    assert refusal.value.field == "lots"
    postpone(minji, [lot.pk], LATER, now=DELIVERY - TICK)
    assert dates(lot)[0] == LATER


def test_all_or_none_are_postponed(minji, lot):
    there = lot_of(grant(minji, 10))
    jun = builders.jun(minji.programme)
    theirs = lot_of(grant(jun, 10, spendable_at=DELIVERY))
    with nothing_changes(), pytest.raises(LotNotPromised):
        postpone(minji, [lot.pk, there.pk], LATER)
    for pk in (theirs.pk, 2**60):
        with nothing_changes(), pytest.raises(LotNotLive):
            postpone(minji, [lot.pk, pk], LATER)


def test_a_postponement_makes_an_earlier_notice_stale():
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100, spendable_at=DELIVERY))
    builders.tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    assert Lot.objects.get().gated is False
    postpone(minji, [lot.pk], DELIVERY + days(5))  # the policy rounds to the month: the date that was told stands
    assert Lot.objects.get().gated is False
    postpone(minji, [lot.pk], LATER)
    assert Lot.objects.get().gated is True
    assert list(audit()) == []


def test_promised_points_pay_debt_and_clawbacks_pay_with_them_last(minji):
    clawback(minji, 30)
    receipt = grant(minji, 100, spendable_at=DELIVERY, key="order:1")
    assert (receipt.settled, receipt.balance, receipt.debt) == (30, 70, 0)
    grant(minji, 10)
    assert slices(clawback(minji, 20)) == [(4, -10), (2, -10)]
    assert row_of(minji) == (60, 0, 5)


def test_after_n_days_by_the_policy_is_a_promise_too():
    minji = builders.minji(builders.moa(spendable_after_days=14, count=10, unit=Unit.DAYS, rounding=Rounding.NONE))
    lot = lot_of(grant(minji, 100))
    assert dates(lot) == (NOW + days(14), NOW + days(24))
    postpone(minji, [lot.pk], NOW + days(20))
    assert dates(lot) == (NOW + days(20), NOW + days(30))


def test_the_fixed_day_is_counted_from_the_day_of_spending():
    policy: dict = {"model": Model.FIXED_DAY, "count": 3, "fixed_month": 6, "fixed_day": 30, "rounding": Rounding.NONE}
    minji = builders.minji(builders.moa(**policy))
    lot = lot_of(grant(minji, 100, spendable_at=NOW + days(20)))  # 30 March, and three months: through 30 June
    assert dates(lot)[1] == datetime(2025, 6, 30, 15, tzinfo=UTC)
    postpone(minji, [lot.pk], NOW + days(23))  # 2 April: next year's
    assert dates(lot)[1] == datetime(2026, 6, 30, 15, tzinfo=UTC)


IDLE: dict = {"model": Model.INACTIVITY, "count": 100, "unit": Unit.DAYS, "rounding": Rounding.NONE}


def test_a_postponed_promise_by_inactivity_is_dated_as_a_new_one_would_be_and_moves_no_other_lot():
    minji = builders.minji(builders.moa(**IDLE))
    promised = lot_of(grant(minji, 100, spendable_at=DELIVERY))
    other = lot_of(grant(minji, 10))
    assert (dates(promised)[1], dates(other)[1]) == (DELIVERY + days(100), NOW + days(100))
    postpone(minji, [promised.pk], LATER)
    assert (dates(promised), dates(other)[1]) == ((LATER, LATER + days(100)), NOW + days(100))
    assert Account.objects.get().not_before is None
    # Activity counts from its own day: neither the promise moves back, nor the other lot to the date of the promise.
    redeem(minji, 5, now=NOW + days(1), key="order:9")
    assert (dates(promised)[1], dates(other)[1]) == (LATER + days(100), NOW + days(101))
    builders.refund(minji, 5, "order:9", now=NOW + days(2))
    postpone(minji, [promised.pk], DELIVERY + days(100), now=NOW + days(3))  # the very day of its first date
    assert dates(promised) == (DELIVERY + days(100), DELIVERY + days(200))
    known = {"at": NOW + days(2), "known_at": NOW + days(2)}
    assert [lot.expires_at for lot in asof.lots(minji, **known)] == [NOW + days(101), LATER + days(100)]
    assert [lot.expires_at for lot in asof.lots(minji, at=NOW + days(4))] == [NOW + days(101), DELIVERY + days(200)]
    redeem(minji, 1, now=DELIVERY + days(120), key="order:10")  # spendable at last, and activity moves it on
    assert dates(promised)[1] == DELIVERY + days(220)
    builders.refund(minji, 1, "order:10", now=DELIVERY + days(121))
    assert list(audit()) == []


def test_a_promise_by_inactivity_that_was_extended_is_never_postponed_to_an_earlier_date():
    minji = builders.minji(builders.moa(**IDLE))
    promised = lot_of(grant(minji, 100, spendable_at=DELIVERY))
    builders.extend(minji, [promised.pk], date(2025, 12, 31))
    postpone(minji, [promised.pk], LATER)
    assert dates(promised) == (LATER, datetime(2025, 12, 31, 15, tzinfo=UTC))
    assert list(audit()) == []


def test_a_postponement_by_inactivity_makes_a_notice_of_the_earlier_date_stale():
    minji = builders.minji(builders.byeol(**IDLE))
    promised = lot_of(grant(minji, 100, spendable_at=DELIVERY))
    builders.tell(minji, [promised.pk], told_on=NOW.date(), now=NOW)
    assert Lot.objects.get().gated is False
    postpone(minji, [promised.pk], LATER)
    assert Lot.objects.get().gated is True
    grant(minji, 1, now=NOW + days(1))  # activity that moves its date nowhere leaves the gate as it is
    assert (dates(promised)[1], Lot.objects.get(seq=1).gated) == (LATER + days(100), True)
    assert list(audit()) == []


def test_points_that_come_back_after_a_postponement_by_inactivity_go_back_to_the_date_they_have():
    """A refund is no activity: the lot keeps its date, and the auditor says the same."""
    policy: dict = {"model": Model.INACTIVITY, "count": 100, "unit": Unit.DAYS, "rounding": Rounding.NONE}
    minji = builders.minji(builders.moa(**policy))
    grant(minji, 10)
    promised = lot_of(grant(minji, 100, spendable_at=DELIVERY))
    redeem(minji, 5, key="order:9")
    postpone(minji, [promised.pk], LATER)
    receipt = builders.refund(minji, 5, "order:9")
    assert receipt.restored[0].expires_at == NOW + days(100)
    assert Lot.objects.get(seq=1).expires_at == NOW + days(100)
    assert list(audit()) == []


def test_a_postponement_is_no_extension_to_be_undone(minji, lot):
    postpone(minji, [lot.pk], LATER)
    key = Entry.objects.get(kind="postpone").key
    assert key is not None
    with nothing_changes(), pytest.raises(NotAnExtension):
        undo(account=minji, extension=key, now=NOW, key="undo", by=STAFF, reason="why")


def test_the_same_postponement_again_is_the_same_answer(minji, lot):
    def once(now=NOW) -> Receipt:
        return promises.postpone(
            account=minji, lots=[lot.pk], spendable_at=LATER, now=now, key="admin:1", by=STAFF, reason="delivery"
        )

    first = once()
    redeem(minji, 100, now=LATER)
    with nothing_changes():
        assert once(now=LATER + days(1)) == replace(first, replayed=True)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("reason", {"reason": " "}),
        ("lots", {"lots": []}),
        ("spendable_at", {"spendable_at": datetime(2025, 6, 1)}),  # noqa: DTZ001  # without a zone
        ("spendable_at", {"spendable_at": NOW + days(36_526)}),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_name(minji, lot, field, changes):
    terms: dict = {"account": minji, "lots": [lot.pk], "spendable_at": LATER, "now": NOW, "key": "k", "by": STAFF}
    terms |= {"reason": "delivery"} | changes
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        promises.postpone(**terms)
    assert refusal.value.field == field


def test_a_closed_account_promises_nothing(minji, lot):
    close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        postpone(minji, [lot.pk], LATER, now=NOW + days(15))


def test_points_that_are_promised_and_postponed_in_one_batch_keep_their_first_dates_as_facts(minji):
    common = {"account_id": minji.pk, "now": NOW, "by": SHOP}
    (made,) = post([grant_order(points=5, key="1", spendable_at=DELIVERY, **common)])
    assert isinstance(made, Receipt)
    lot = lot_of(made)
    outcomes = post(
        [
            postpone_order(lots=[lot.pk], spendable_at=LATER, key="2", reason="why", **common),
            postpone_order(lots=[lot.pk], spendable_at=LATER + days(30), key="3", reason="why", **common),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt]
    assert list(Extension.objects.order_by("pk").values_list("spendable_was", "spendable_until")) == [
        (DELIVERY, LATER),
        (LATER, LATER + days(30)),
    ]
    assert dates(lot) == (LATER + days(30), datetime(2026, 6, 30, 15, tzinfo=UTC))
    assert date(2026, 6, 30) == statements.expiring(minji, at=NOW)[0].last_day
    assert entries(minji) == [("grant", 5), ("postpone", 0), ("postpone", 0)]
    assert list(audit()) == []
