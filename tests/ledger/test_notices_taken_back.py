"""Notices on several channels, waivers, bounds, and messages that come back. Granted on 10 March 2025, Byeol's points
are valid through 31 May here: the last day to tell is 1 May."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import notices
from ledger.actors import Actor
from ledger.audit import audit
from ledger.errors import BadInput, KeyReused, NotANotice
from ledger.expiry import sweep_all
from ledger.grants import grant_order
from ledger.kinds import Kind, Waiver
from ledger.models import Entry, Lot, Notice
from ledger.policies import Model, Rounding
from ledger.posting import post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SEOUL, days, extend, grant, hold, lot_of, redeem, tell
from tests.looking import entries, nothing_changes, remainders

pytestmark = pytest.mark.django_db

GONE = datetime(2025, 5, 31, 15, tzinfo=UTC)  # 1 June in Seoul
ALERTS = Actor("alerts")


def noon(month: int, day: int) -> datetime:
    return datetime(2025, month, day, 12, tzinfo=SEOUL).astimezone(UTC)


def in_byeol(**terms):
    """Minji in a Byeol with these terms, and her 100 points."""
    minji = builders.minji(builders.byeol(count=2, **terms))
    return minji, lot_of(grant(minji, 100, key="order:1"))


def gated(lot: Lot) -> bool:
    return Lot.objects.get(pk=lot.pk).gated


def told(account, lots, *, channel="email", on=date(2025, 5, 1), key="delivery:1", expires_at=GONE) -> Receipt:
    now = datetime(on.year, on.month, on.day, 12, tzinfo=SEOUL).astimezone(UTC)
    return notices.record(
        account=account,
        lots=[lot.pk for lot in lots],
        expires_at=expires_at,
        told_on=on,
        channel=channel,
        evidence="delivery:1",
        now=now,
        key=key,
        by=ALERTS,
    )


def waived(account, of, *, waiver=Waiver.OPTED_OUT, on=date(2025, 5, 1), key="waiver:1", **changes) -> Receipt:
    terms: dict = {
        "account": account,
        "lots": [lot.pk for lot in of],
        "expires_at": GONE,
        "told_on": on,
        "waiver": waiver,
        "evidence": "contact:1",
        "now": datetime(on.year, on.month, on.day, 12, tzinfo=SEOUL).astimezone(UTC),
        "key": key,
        "by": ALERTS,
    }
    return notices.waive(**(terms | changes))


def came_back(account, *, notice="delivery:1", now=None, key="back:1", reason="the mailbox is full") -> Receipt:
    return notices.withdraw(account=account, notice=notice, now=now or noon(5, 2), key=key, by=ALERTS, reason=reason)


def test_two_channels_are_told_on_two_channels():
    minji, lot = in_byeol(notice_channels=2)
    told(minji, [lot])
    told(minji, [lot], key="delivery:2", on=date(2025, 4, 1))  # never mind the order: the second is later on record
    assert gated(lot) is True
    told(minji, [lot], key="delivery:3", channel="sms")
    assert gated(lot) is False
    assert sweep_all(now=GONE) == 1
    assert list(audit()) == []


def test_a_second_channel_that_is_told_too_late_leaves_the_gate_shut():
    minji, lot = in_byeol(notice_channels=2)
    told(minji, [lot])
    told(minji, [lot], key="delivery:2", channel="sms", on=date(2025, 5, 2))
    assert gated(lot) is True
    assert sweep_all(now=GONE + days(50)) == 0


@pytest.mark.parametrize(
    ("on", "opens"), [(date(2025, 4, 1), True), (date(2025, 3, 31), False), (date(2025, 5, 1), True)]
)
def test_a_notice_that_comes_earlier_than_the_bound_does_not_count(on, opens):
    minji, lot = in_byeol(notice_max_days=60)  # 31 May less 60 days is 1 April
    told(minji, [lot], on=on)
    assert gated(lot) is not opens
    assert sweep_all(now=GONE) == opens
    assert list(audit()) == []


def test_a_waiver_opens_the_gate_where_the_policy_accepts_waivers_and_nowhere_else():
    minji, lot = in_byeol(accepts_waivers=True)
    receipt = waived(minji, [lot])
    assert (receipt.kind, receipt.points, receipt.balance) == (Kind.NOTIFY, 0, 100)
    notice = Notice.objects.get()
    assert (notice.waiver, notice.channel, notice.evidence, notice.lots) == ("opted_out", "", "contact:1", [lot.pk])
    assert gated(lot) is False
    assert sweep_all(now=GONE) == 1
    assert list(audit()) == []


def test_a_waiver_that_the_policy_does_not_accept_is_kept_and_opens_nothing():
    minji, lot = in_byeol()
    assert waived(minji, [lot]).kind == Kind.NOTIFY
    assert (gated(lot), Notice.objects.count()) == (True, 1)
    assert sweep_all(now=GONE) == 0


def test_a_waiver_keeps_to_the_days_of_a_notice():
    minji, lot = in_byeol(accepts_waivers=True)
    waived(minji, [lot], on=date(2025, 5, 2))
    assert gated(lot) is True


@pytest.mark.parametrize(
    ("field", "changes"),
    [("waiver", {"waiver": "too lazy"}), ("evidence", {"evidence": ""}), ("lots", {"lots": []})],
)
def test_a_waiver_names_its_reason_its_evidence_and_its_lots(field, changes):
    minji, lot = in_byeol(accepts_waivers=True)
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        waived(minji, [lot], **changes)
    assert refusal.value.field == field


def test_a_waiver_for_another_reason_under_the_same_key_is_refused():
    minji, lot = in_byeol(accepts_waivers=True)
    first = waived(minji, [lot])
    with nothing_changes():
        assert waived(minji, [lot]) == replace(first, replayed=True)
        with pytest.raises(KeyReused):
            waived(minji, [lot], waiver=Waiver.NO_CONTACT)


def test_a_message_that_comes_back_shuts_the_gate_again():
    minji, lot = in_byeol()
    told(minji, [lot])
    receipt = came_back(minji)
    assert (receipt.kind, receipt.points, gated(lot)) == (Kind.NOTIFY, 0, True)
    entry = Entry.objects.get(key="back:1")
    assert (entry.undoes_seq, entry.reason) == (2, "the mailbox is full")
    assert Notice.objects.count() == 1  # the fact stays
    assert sweep_all(now=GONE + days(9)) == 0
    with nothing_changes():
        assert came_back(minji, now=GONE) == replace(receipt, replayed=True)
    assert list(audit()) == []


def test_another_good_notice_keeps_the_gate_open():
    minji, lot = in_byeol()
    told(minji, [lot])
    told(minji, [lot], key="delivery:2", channel="sms")
    came_back(minji)
    assert gated(lot) is False
    came_back(minji, notice="delivery:2", key="back:2")
    assert gated(lot) is True
    assert came_back(minji, notice="delivery:2", key="back:3").kind == Kind.NOTE  # it was withdrawn before
    assert sweep_all(now=GONE) == 0


def test_of_two_channels_that_are_needed_one_that_comes_back_is_one_too_few():
    minji, lot = in_byeol(notice_channels=2)
    told(minji, [lot])
    told(minji, [lot], key="delivery:2", channel="sms")
    came_back(minji)
    assert gated(lot) is True
    assert list(audit()) == []


def test_a_waiver_is_withdrawn_like_a_notice():
    minji, lot = in_byeol(accepts_waivers=True)
    waived(minji, [lot])
    came_back(minji, notice="waiver:1")
    assert gated(lot) is True


def test_a_message_that_comes_back_after_the_points_have_expired_is_a_note():
    minji, lot = in_byeol()
    told(minji, [lot])
    receipt = came_back(minji, now=GONE)
    assert receipt.kind == Kind.NOTE
    assert entries(minji)[2:] == [("expire", -100), ("note", 0)]
    assert Entry.objects.get(key="back:1").reason == "the lots of this notice have moved or gone"
    assert list(audit()) == []


def test_a_message_about_a_date_that_has_moved_is_a_note():
    minji, lot = in_byeol()
    told(minji, [lot])
    extend(minji, [lot.pk], date(2025, 7, 31), now=noon(5, 1))
    assert came_back(minji).kind == Kind.NOTE


def test_a_message_that_comes_back_while_the_points_are_on_hold_is_withdrawn_for_them_too():
    """They are in no lot now, and yet they must not go unannounced when they are back in theirs."""
    minji, lot = in_byeol()
    told(minji, [lot], on=date(2025, 4, 1))
    hold(minji, 100, now=noon(4, 2), lapses_at=noon(4, 20))
    assert came_back(minji, now=noon(4, 10)).kind == Kind.NOTIFY
    assert sweep_all(now=GONE + days(9)) == 1  # the hold; nothing expires
    assert entries(minji)[-1] == ("release", 100)
    assert (remainders(minji), gated(lot)) == ({1: 100}, True)
    assert list(audit()) == []


def test_a_message_that_comes_back_is_withdrawn_for_those_of_its_lots_that_are_empty_and_those_that_are_not():
    minji, lot = in_byeol()
    other = lot_of(grant(minji, 50))
    told(minji, [lot, other], on=date(2025, 4, 1))
    redeem(minji, 120, now=noon(4, 2), key="order:9")
    came_back(minji, now=noon(4, 10))
    builders.refund(minji, 120, "order:9", now=noon(4, 11))
    assert (gated(lot), gated(other)) == (True, True)
    assert sweep_all(now=GONE) == 0
    assert list(audit()) == []


def test_what_expired_by_a_notice_before_it_came_back_in_the_same_act_has_expired_rightly():
    """One of its lots owes more days and is still there: for that one the notice is withdrawn, as it never was good."""
    minji, lot = in_byeol()
    builders.policy(minji.programme, effective_from=NOW + days(1), count=2, notice_days=40)
    strict = lot_of(grant(minji, 50, now=NOW + days(1)))
    told(minji, [lot, strict])
    assert (gated(lot), gated(strict)) == (False, True)
    came_back(minji, now=GONE)  # nobody has swept: the act itself writes the expiry first
    assert entries(minji)[3:] == [("expire", -100), ("notify", 0)]
    assert list(audit()) == []


@pytest.mark.parametrize("key", ["order:1", "back:1", "nothing", "delivery:jun"])
def test_only_a_notice_of_this_account_is_withdrawn(key):
    minji, lot = in_byeol()
    jun = builders.jun(minji.programme)
    told(jun, [lot_of(grant(jun, 5))], key="delivery:jun")
    told(minji, [lot])
    came_back(minji)
    with nothing_changes(), pytest.raises(NotANotice) as refusal:
        came_back(minji, notice=key, key="back:2")
    assert refusal.value.field == "notice"


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_withdrawal_says_why(reason):
    minji, lot = in_byeol()
    told(minji, [lot])
    with nothing_changes(), pytest.raises(BadInput):
        came_back(minji, reason=reason)


def test_told_and_taken_back_in_one_batch():
    minji, lot = in_byeol()
    common = {"account_id": minji.pk, "now": noon(5, 1), "by": ALERTS}
    (back,) = post([notices.withdraw_order(notice="nothing", key="0", reason="why", **common)])
    assert isinstance(back, NotANotice)
    told(minji, [lot])
    outcomes = post(
        [
            grant_order(points=5, key="1", **common),
            notices.withdraw_order(notice="delivery:1", key="2", reason="why", **common),
            notices.withdraw_order(notice="delivery:1", key="3", reason="why", **common),
        ]
    )
    kinds = [outcome.kind.value for outcome in outcomes if isinstance(outcome, Receipt)]
    assert kinds == ["grant", "notify", "note"]
    assert gated(lot) is True
    assert list(audit()) == []


def test_activity_makes_a_notice_of_the_earlier_date_stale():
    minji, lot = in_byeol(model=Model.INACTIVITY, rounding=Rounding.DAY)
    lot.refresh_from_db()
    assert lot.expires_at == datetime(2025, 5, 10, 15, tzinfo=UTC)  # 10 March and two months
    told(minji, [lot], on=date(2025, 4, 1), expires_at=lot.expires_at)
    assert gated(lot) is False
    redeem(minji, 1, now=noon(4, 2))
    lot.refresh_from_db()
    assert (lot.expires_at, lot.gated) == (datetime(2025, 6, 2, 15, tzinfo=UTC), True)
    assert came_back(minji, now=noon(4, 3)).kind == Kind.NOTE
    told(minji, [lot], on=date(2025, 5, 3), expires_at=lot.expires_at, key="delivery:2")
    assert sweep_all(now=lot.expires_at) == 1
    assert list(audit()) == []


def test_activity_on_the_same_day_that_changes_no_date_leaves_the_notice_good():
    minji, lot = in_byeol(model=Model.INACTIVITY, rounding=Rounding.MONTH)
    assert lot.expires_at == GONE
    told(minji, [lot], on=date(2025, 3, 20))
    redeem(minji, 1, now=noon(3, 31))  # and two months: 31 May
    assert gated(lot) is False
    redeem(minji, 1, now=noon(4, 1))
    assert gated(lot) is True


def test_points_on_hold_by_inactivity_come_back_to_the_date_that_activity_gave_and_wait_for_its_notice():
    minji, lot = in_byeol(model=Model.INACTIVITY, rounding=Rounding.DAY)
    lot.refresh_from_db()
    tell(minji, [lot.pk], told_on=date(2025, 3, 20), now=noon(3, 20))
    hold(minji, 100, now=noon(3, 21), lapses_at=noon(4, 1))
    sweep_all(now=noon(4, 1))
    lot.refresh_from_db()
    assert (lot.expires_at, lot.gated, lot.remaining) == (datetime(2025, 5, 21, 15, tzinfo=UTC), True, 100)
    assert list(audit()) == []


def test_the_day_before_the_first_notice_could_be_given_nothing_is_lost_to_a_tick():
    minji, lot = in_byeol()
    told(minji, [lot])
    assert sweep_all(now=GONE - timedelta(microseconds=1)) == 0
    came_back(minji, now=GONE - timedelta(microseconds=1))
    assert sweep_all(now=GONE) == 0
