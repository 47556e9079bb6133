"""Undoing an extension: only while the earlier date is still ahead, the lots still have the later one, and nobody was
told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import notices
from ledger.actors import Actor
from ledger.audit import audit
from ledger.errors import AccountClosed, BadInput, CannotUndo, KeyReused, NotAnExtension
from ledger.expiry import sweep_all
from ledger.extensions import extend_order, undo, undo_order
from ledger.kinds import Kind, Waiver
from ledger.models import Account, Entry, Extension, Lot
from ledger.notices import extend_untold_order
from ledger.policies import Model, Rounding
from ledger.posting import act, post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, STAFF, close, days, extend, grant, lot_of, redeem, tell
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
WAS = datetime(2026, 3, 31, 15, tzinfo=UTC)  # through March 2026
UNTIL = date(2026, 6, 30)
LATER = datetime(2026, 6, 30, 15, tzinfo=UTC)


@pytest.fixture
def lot(minji):
    lot = lot_of(grant(minji, 100))
    extend(minji, [lot.pk], UNTIL)
    return lot


def key_of(account) -> str:
    """The key of the account's newest extension."""
    entry = Entry.objects.filter(account=account, kind="extend").order_by("seq").last()
    assert entry is not None
    assert entry.key is not None
    return entry.key


def undone(account, *, key="undo:1", extension=None, now=NOW, reason="a wrong cohort") -> Receipt:
    return undo(account=account, extension=extension or key_of(account), now=now, key=key, by=STAFF, reason=reason)


def dates(*lots: Lot) -> list[datetime | None]:
    return [Lot.objects.get(pk=lot.pk).expires_at for lot in lots]


def test_the_dates_move_back_by_a_fact_of_their_own(minji, lot):
    extension = key_of(minji)
    receipt = undone(minji)
    assert (receipt.kind, receipt.points, receipt.balance) == (Kind.EXTEND, 0, 100)
    assert dates(lot) == [WAS]
    assert list(Extension.objects.order_by("pk").values_list("was", "until")) == [(WAS, LATER), (LATER, WAS)]
    entry = Entry.objects.get(key="undo:1")
    assert (entry.undoes_seq, entry.reason, entry.actor) == (2, "a wrong cohort", "staff:1")
    assert sweep_all(now=WAS) == 1
    with nothing_changes():
        assert undone(minji, extension=extension, now=WAS) == replace(receipt, replayed=True)
        with pytest.raises(KeyReused):
            undone(minji, extension=extension, now=WAS, reason="another")
    assert list(audit()) == []


def test_the_earlier_date_must_lie_ahead_to_the_microsecond(minji, lot):
    with nothing_changes(), pytest.raises(CannotUndo, match="The earlier date lies in the past"):
        undone(minji, now=WAS)
    undone(minji, now=WAS - TICK)
    assert dates(lot) == [WAS]


def test_an_extension_is_undone_once(minji, lot):
    extension = key_of(minji)
    undone(minji)
    with nothing_changes(), pytest.raises(CannotUndo, match="moved again") as refusal:
        undone(minji, extension=extension, key="undo:2")
    assert refusal.value.field == "extension"
    with nothing_changes(), pytest.raises(NotAnExtension):
        undone(minji, extension="undo:1", key="undo:2")  # the undoing itself


def test_a_date_that_moved_on_stays(minji, lot):
    extension = key_of(minji)
    extend(minji, [lot.pk], date(2026, 7, 31))
    with nothing_changes(), pytest.raises(CannotUndo, match="moved again"):
        undone(minji, extension=extension)
    undone(minji)
    undone(minji, extension=extension, key="undo:2")  # the newer one is undone: now it is the last again
    assert dates(lot) == [WAS]
    assert list(audit()) == []


def test_an_extension_is_undone_once_though_another_has_moved_the_lot_to_the_same_day(minji, lot):
    first = key_of(minji)
    undone(minji)
    extend(minji, [lot.pk], UNTIL)
    with nothing_changes(), pytest.raises(CannotUndo, match="has moved again"):
        undone(minji, extension=first, key="undo:2")
    assert dates(lot) == [LATER]
    undone(minji, key="undo:3")
    assert dates(lot) == [WAS]


def test_all_or_none_move_back(minji, lot):
    other = lot_of(grant(minji, 10))
    extend(minji, [lot.pk, other.pk], date(2026, 7, 31))
    redeem(minji, 100)  # nothing is left of the first
    assert lot.seq == 1
    with nothing_changes(), pytest.raises(CannotUndo, match="the points are gone"):
        undone(minji)


@pytest.fixture
def byeol_lot():
    """A lot of Minji's in Byeol, told of its own date, and then extended."""
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    extend(minji, [lot.pk], UNTIL)
    assert Lot.objects.get().gated is True
    return lot


def test_a_good_notice_of_the_earlier_date_opens_the_gate_again(byeol_lot):
    undone(byeol_lot.account)
    assert (dates(byeol_lot), Lot.objects.get().gated) == ([WAS], False)
    assert sweep_all(now=WAS) == 1
    assert list(audit()) == []


def test_without_one_the_gate_stays_shut():
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    extend(minji, [lot.pk], UNTIL)
    undone(minji)
    assert (dates(lot), Lot.objects.get().gated) == ([WAS], True)


def test_what_the_member_was_told_is_kept(byeol_lot):
    minji = byeol_lot.account
    tell(minji, [byeol_lot.pk], told_on=NOW.date(), now=NOW)
    with nothing_changes(), pytest.raises(CannotUndo, match="was told of the later date"):
        undone(minji)
    told = Entry.objects.filter(kind="notify").order_by("seq").last()
    assert told is not None
    assert told.key is not None
    notices.withdraw(account=minji, notice=told.key, now=NOW, key="back", by=Actor("alerts"), reason="came back")
    undone(minji)
    assert dates(byeol_lot) == [WAS]
    assert list(audit()) == []


def test_a_waiver_told_nobody(byeol_lot):
    minji = byeol_lot.account
    notices.waive(
        account=minji,
        lots=[byeol_lot.pk],
        expires_at=LATER,
        told_on=NOW.date(),
        waiver=Waiver.OPTED_OUT,
        evidence="contact:1",
        now=NOW,
        key="waiver",
        by=Actor("alerts"),
    )
    undone(minji)
    assert dates(byeol_lot) == [WAS]


def test_another_lots_notice_of_the_later_date_is_about_that_lot(byeol_lot):
    minji = byeol_lot.account
    other = lot_of(grant(minji, 5, expires_at=LATER))
    tell(minji, [other.pk], told_on=NOW.date(), now=NOW)
    undone(minji)
    assert dates(byeol_lot, other) == [WAS, LATER]


def test_a_full_notice_given_again_can_be_undone_while_the_earlier_date_is_ahead():
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    late = WAS - days(20)
    act(extend_untold_order(account_id=minji.pk, lots=[lot.pk], now=late, key="untold", by=Actor("alerts")))
    assert Lot.objects.get().moved_untold is True
    undone(minji, now=late)
    assert (dates(lot), Lot.objects.get().moved_untold) == ([WAS], False)
    assert list(audit()) == []


def test_points_that_go_by_inactivity_keep_the_later_date():
    minji = builders.minji(builders.moa(model=Model.INACTIVITY, rounding=Rounding.DAY))
    lot = lot_of(grant(minji, 100))
    extend(minji, [lot.pk], UNTIL)
    with nothing_changes(), pytest.raises(CannotUndo, match="go by inactivity"):
        undone(minji)
    assert Account.objects.get().not_before == LATER


@pytest.mark.parametrize("key", ["order:1", "order:9", "nothing"])
def test_only_an_extension_of_this_account_is_undone(minji, lot, key):
    grant(minji, 5, key="order:1")
    redeem(minji, 5, key="order:9")
    with nothing_changes(), pytest.raises(NotAnExtension) as refusal:
        undone(minji, extension=key)
    assert refusal.value.field == "extension"
    jun = builders.jun(minji.programme)
    with nothing_changes(), pytest.raises(NotAnExtension):
        undone(jun, extension=key_of(minji))


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_an_undoing_says_why(minji, lot, reason):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        undone(minji, reason=reason)
    assert refusal.value.field == "reason"


def test_a_closed_account_keeps_its_dates(minji, lot):
    close(minji)
    with nothing_changes(), pytest.raises(AccountClosed):
        undone(minji, now=NOW + days(15))


def test_extended_and_undone_in_one_batch_the_notice_of_the_earlier_date_is_good_again():
    """The notice is of an earlier transaction: the batch must know of it though its date is not the lot's now."""
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    common: dict = {"account_id": minji.pk, "now": NOW, "by": STAFF, "reason": "why"}
    outcomes = post(
        [
            extend_order(lots=[lot.pk], until=UNTIL, key="e", **common),
            undo_order(extension="e", key="u", **common),
            undo_order(extension="e", key="again", **common),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt, CannotUndo]
    assert (dates(lot), Lot.objects.get().gated) == ([WAS], False)
    assert list(audit()) == []
