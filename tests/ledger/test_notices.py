"""The gate: no point expires unannounced. Byeol owes its members thirty days; points live two months here.

Granted on 10 March 2025, the points are valid through 31 May: the last day to tell is 1 May.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import statements
from ledger.actors import Actor
from ledger.errors import AccountClosed, BadInput, BooksClosed, InsufficientPoints, KeyReused
from ledger.expiry import sweep_all
from ledger.kinds import Kind
from ledger.models import Entry, Extension, Lot, Notice, Programme
from ledger.notices import UNTOLD_REASON, extend_untold_order, is_too_late_to_tell, record
from ledger.posting import act
from ledger.rules import rules_of
from tests import builders
from tests.builders import NOW, SEOUL, days, extend, grant, lot_of, redeem, tell
from tests.looking import entries, nothing_changes, remainders

pytestmark = pytest.mark.django_db

GONE = datetime(2025, 5, 31, 15, tzinfo=UTC)  # 1 June in Seoul
LAST_TO_TELL = date(2025, 5, 1)
ALERTS = Actor("alerts")


def noon(month: int, day: int) -> datetime:
    return datetime(2025, month, day, 12, tzinfo=SEOUL).astimezone(UTC)


@pytest.fixture
def minji(db):
    return builders.minji(builders.byeol(count=2))


@pytest.fixture
def lot(minji):
    lot = lot_of(grant(minji, 100))
    assert (lot.expires_at, lot.gated) == (GONE, True)
    return lot


def gated(lot: Lot) -> bool:
    return Lot.objects.get(pk=lot.pk).gated


def extend_untold(account, lots, now, key="untold:1", again=False):
    return act(extend_untold_order(account_id=account.pk, lots=lots, now=now, key=key, by=ALERTS, again=again))


def test_a_notice_on_the_last_day_to_tell_opens_the_gate(minji, lot):
    receipt = tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert (receipt.kind, receipt.points, receipt.balance) == (Kind.NOTIFY, 0, 100)
    assert gated(lot) is False
    notice = Notice.objects.get()
    assert (notice.expires_at, notice.expires_on, notice.told_on) == (GONE, date(2025, 5, 31), LAST_TO_TELL)
    assert (notice.lots, notice.channel, notice.evidence) == ([lot.pk], "email", "delivery:1")
    assert sweep_all(now=GONE - timedelta(microseconds=1)) == 0
    assert sweep_all(now=GONE) == 1
    assert remainders(minji) == {1: 0}


def test_a_notice_a_day_later_is_kept_and_opens_nothing(minji, lot):
    assert tell(minji, [lot.pk], told_on=date(2025, 5, 2), now=noon(5, 2)).kind == Kind.NOTIFY
    assert gated(lot) is True
    assert Notice.objects.count() == 1
    assert sweep_all(now=GONE + days(100)) == 0
    assert remainders(minji) == {1: 100}


def test_a_notice_in_time_that_is_recorded_late_opens_the_gate_too(minji, lot):
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=GONE + days(3))
    assert gated(lot) is False
    assert statements.balance(minji, at=GONE + days(3)).live == 0
    assert sweep_all(now=GONE + days(3)) == 1
    expire = Entry.objects.get(kind="expire")
    assert (expire.amount, expire.effective_at, expire.recorded_at) == (-100, GONE, GONE + days(3))


def test_a_notice_that_is_recorded_after_the_books_of_its_date_were_closed_ends_nothing(minji, lot):
    """The points counted as there when they were closed, and the member may have read so."""
    late = GONE + days(60)
    Programme.objects.update(books_closed_until=(GONE + days(30)).date())
    with nothing_changes(), pytest.raises(BooksClosed, match="expires_at|effective_at"):
        tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=late)
    assert gated(lot) is True
    assert sweep_all(now=late) == 0
    assert redeem(minji, 100, now=late).balance == 0


def test_a_notice_that_is_recorded_late_counts_where_the_books_are_open(minji, lot):
    Programme.objects.update(books_closed_until=(GONE - days(1)).date())
    assert tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=GONE + days(3)).kind == Kind.NOTIFY
    assert sweep_all(now=GONE + days(3)) == 1


def test_a_gated_lot_is_live_past_its_date_and_can_be_spent(minji, lot):
    at = GONE + days(50)
    assert statements.balance(minji, at=at) == statements.Balance(spendable=100, promised=0, live=100, debt=0)
    assert redeem(minji, 40, now=at).balance == 60
    assert entries(minji) == [("grant", 100), ("redeem", -40)]
    assert sweep_all(now=at) == 0


def test_an_ungated_lot_cannot_be_spent_at_its_date(minji, lot):
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    with pytest.raises(InsufficientPoints) as refusal:
        redeem(minji, 1, now=GONE)
    assert refusal.value.receipt.available == 0
    assert entries(minji)[-2:] == [("expire", -100), ("decline", 0)]


def test_an_extension_makes_the_notice_stale_and_closes_the_gate_again(minji, lot):
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    extend(minji, [lot.pk], date(2025, 7, 31), now=noon(5, 20))
    assert gated(lot) is True
    later = datetime(2025, 7, 31, 15, tzinfo=UTC)
    assert sweep_all(now=later) == 0
    assert redeem(minji, 10, now=later).points == 10
    tell(minji, [lot.pk], told_on=date(2025, 7, 1), now=later)
    assert sweep_all(now=later) == 1
    assert entries(minji)[-1] == ("expire", -90)


def test_a_stale_notice_names_a_date_that_no_lot_has_any_more_and_is_a_note(minji, lot):
    extend(minji, [lot.pk], date(2025, 7, 31), now=noon(4, 1))
    receipt = record(
        account=minji,
        lots=[lot.pk],
        expires_at=GONE,
        told_on=date(2025, 4, 2),
        channel="email",
        evidence="delivery:1",
        now=noon(4, 2),
        key="delivery:1",
        by=ALERTS,
    )
    assert receipt.kind == Kind.NOTE
    assert Entry.objects.get(kind="note").reason == "the lots of this notice have moved or gone"
    assert Notice.objects.count() == 0
    assert gated(lot) is True


def test_a_notice_opens_the_gate_of_the_lots_it_names_and_no_other(minji, lot):
    other = lot_of(grant(minji, 50))
    assert other.expires_at == GONE
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert (gated(lot), gated(other)) == (False, True)
    assert sweep_all(now=GONE) == 1
    assert remainders(minji) == {1: 0, 2: 50}


def test_of_lots_that_partly_moved_only_those_left_are_named(minji, lot):
    other = lot_of(grant(minji, 50))
    extend(minji, [other.pk], date(2025, 7, 31), now=noon(4, 1))
    tell(minji, [lot.pk, other.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert Notice.objects.get().lots == [lot.pk]
    assert (gated(lot), gated(other)) == (False, True)


def test_somebody_elses_lot_is_not_opened(minji, lot):
    jun = builders.jun(minji.programme)
    theirs = lot_of(grant(jun, 5))
    receipt = tell(minji, [theirs.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert receipt.kind == Kind.NOTE
    assert gated(theirs) is True
    assert entries(jun) == [("grant", 5)]


def test_spent_lots_are_not_told_of(minji, lot):
    redeem(minji, 100)
    assert tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1)).kind == Kind.NOTE


def test_each_lots_own_duty_decides(minji, lot):
    builders.policy(minji.programme, effective_from=NOW, count=2, notice_days=40)
    strict = lot_of(grant(minji, 50))
    assert (strict.notice_days, strict.expires_at) == (40, GONE)
    tell(minji, [lot.pk, strict.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert (gated(lot), gated(strict)) == (False, True)
    assert sweep_all(now=GONE) == 1
    assert remainders(minji) == {1: 0, 2: 50}


def test_a_lot_without_a_duty_takes_a_notice_and_stays_ungated(minji):
    moa = builders.moa(count=2)
    jun = builders.jun(moa)
    lot = lot_of(grant(jun, 5))
    assert tell(jun, [lot.pk], told_on=date(2025, 5, 30), now=noon(5, 30)).kind == Kind.NOTIFY
    assert gated(lot) is False
    assert sweep_all(now=GONE) == 1


def test_nobody_is_told_tomorrow_what_is_recorded_today(minji, lot):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        tell(minji, [lot.pk], told_on=date(2025, 5, 2), now=noon(5, 1))
    assert refusal.value.field == "told_on"
    late_evening = datetime(2025, 5, 1, 16, tzinfo=UTC)  # already the 2nd in Seoul
    assert tell(minji, [lot.pk], told_on=date(2025, 5, 2), now=late_evening).kind == Kind.NOTIFY


def test_a_notice_names_at_least_one_lot(minji, lot):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        record(
            account=minji,
            lots=[],
            expires_at=GONE,
            told_on=LAST_TO_TELL,
            channel="email",
            evidence="delivery:1",
            now=noon(5, 1),
            key="delivery:1",
            by=ALERTS,
        )
    assert refusal.value.field == "lots"


def test_the_same_message_is_recorded_once(minji, lot):
    def told(**changes):
        terms = {"account": minji, "lots": [lot.pk], "expires_at": GONE, "told_on": LAST_TO_TELL, "channel": "email"}
        terms |= {"evidence": "delivery:1", "now": noon(5, 1), "key": "delivery:1", "by": ALERTS}
        return record(**(terms | changes))

    first = told()
    with nothing_changes():
        assert told(now=noon(5, 3)).replayed is True
        with pytest.raises(KeyReused):
            told(channel="sms")
        with pytest.raises(KeyReused):
            told(told_on=date(2025, 4, 1))
    assert first.replayed is False


def test_an_untold_lot_gets_the_full_notice_again_once(minji, lot):
    now = noon(5, 2)  # the first day on which it is too late
    receipt = extend_untold(minji, [lot.pk], now)
    assert (receipt.kind, receipt.points) == (Kind.EXTEND, 0)
    lot.refresh_from_db()
    assert lot.expires_at == datetime(2025, 6, 30, 15, tzinfo=UTC)  # 2 May + 33 days = 4 June, through the month
    assert lot.gated is True
    moved = Extension.objects.get()
    assert (moved.was, moved.until, moved.entry.reason) == (GONE, lot.expires_at, UNTOLD_REASON)
    with nothing_changes():
        assert extend_untold(minji, [lot.pk], now).replayed is True
    assert extend_untold(minji, [lot.pk], now, key="untold:2").kind == Kind.NOTE
    assert Extension.objects.count() == 1
    assert Lot.objects.get(pk=lot.pk).expires_at == lot.expires_at


def test_an_untold_lot_long_past_its_date_moves_ahead_of_today(minji, lot):
    extend_untold(minji, [lot.pk], GONE + days(100))
    lot.refresh_from_db()
    assert lot.expires_at == datetime(2025, 10, 31, 15, tzinfo=UTC)  # 9 September + 33 days = 12 October
    assert sweep_all(now=GONE + days(100)) == 0


def test_a_lot_of_which_people_can_still_be_told_stays(minji, lot):
    receipt = extend_untold(minji, [lot.pk], noon(5, 1))
    assert receipt.kind == Kind.NOTE
    assert Extension.objects.count() == 0


def test_a_lot_that_was_told_in_time_stays(minji, lot):
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    assert extend_untold(minji, [lot.pk], noon(5, 2)).kind == Kind.NOTE
    assert Extension.objects.count() == 0


def test_only_the_untold_of_several_lots_are_moved(minji, lot):
    other = lot_of(grant(minji, 50))
    tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
    extend_untold(minji, [lot.pk, other.pk], noon(5, 2))
    assert list(Extension.objects.values_list("lot_id", flat=True)) == [other.pk]


def test_the_rest_of_the_last_day_to_tell_is_not_too_late(minji, lot):
    rules = rules_of(minji.programme_id)
    assert is_too_late_to_tell(lot, date(2025, 5, 1), rules) is False
    assert is_too_late_to_tell(lot, date(2025, 5, 2), rules) is True
    lot.gated = False
    assert is_too_late_to_tell(lot, date(2025, 5, 2), rules) is False


def test_nobody_was_told_of_points_before_they_were_granted():
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 10))
    with pytest.raises(BadInput, match="told_on: Nobody can be told of points before they are granted."):
        tell(minji, [lot.pk], told_on=date(1900, 1, 1), now=NOW)
    assert Lot.objects.get().gated is True


def test_what_was_moved_because_nobody_was_told_is_moved_again_only_when_somebody_can_be_told(minji, lot):
    extend_untold(minji, [lot.pk], noon(5, 2))  # to the end of June
    assert Lot.objects.get().moved_untold is True
    too_late = noon(6, 1)
    assert extend_untold(minji, [lot.pk], too_late, key="untold:2").kind == Kind.NOTE
    assert Lot.objects.get().expires_at == datetime(2025, 6, 30, 15, tzinfo=UTC)
    assert extend_untold(minji, [lot.pk], too_late, key="untold:3", again=True).kind == Kind.EXTEND
    lot.refresh_from_db()
    assert (lot.expires_at, lot.moved_untold) == (datetime(2025, 7, 31, 15, tzinfo=UTC), True)  # 1 June + 33: 4 July
    assert redeem(minji, 5, now=GONE + days(400)).points == 5  # it stays, whatever the date


def test_once_somebody_was_told_the_next_time_counts_anew(minji, lot):
    extend_untold(minji, [lot.pk], noon(5, 2))
    tell(minji, [lot.pk], told_on=date(2025, 5, 20), now=noon(5, 20))
    assert (gated(lot), Lot.objects.get().moved_untold) == (False, False)
    extend(minji, [lot.pk], date(2025, 7, 31), now=noon(5, 21))
    assert extend_untold(minji, [lot.pk], noon(7, 10), key="untold:2").kind == Kind.EXTEND


def test_an_extension_by_hand_of_a_lot_moved_untold_is_a_new_beginning(minji, lot):
    extend_untold(minji, [lot.pk], noon(5, 2))
    extend(minji, [lot.pk], date(2025, 7, 31), now=noon(5, 21))
    assert Lot.objects.get().moved_untold is False
    assert extend_untold(minji, [lot.pk], noon(7, 10), key="untold:2").kind == Kind.EXTEND


def test_a_closed_account_is_told_nothing(minji, lot):
    builders.close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        tell(minji, [lot.pk], told_on=LAST_TO_TELL, now=noon(5, 1))
