"""The answers already given, built again from rows: for every kind of act the very receipt that was given first."""

from __future__ import annotations

import pytest

from ledger import adjustments, closures, extensions, notices
from ledger.actors import Actor
from ledger.answers import read_answers
from ledger.expiry import sweep_all
from ledger.models import Entry
from ledger.notes import note_order
from ledger.posting import act
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, STAFF, capture, clawback, close, days, grant, hold, lot_of, postpone, redeem
from tests.looking import every_row

pytestmark = pytest.mark.django_db


def test_every_kind_of_act_is_answered_again_as_it_was_whatever_happened_since():
    """One life of Minji's with every act that has a key; then dates, points and holds change, and the account ends."""
    minji = builders.minji(builders.byeol(reinstate_window_days=30))
    told: list[Receipt] = []
    lot = lot_of(grant(minji, 100, key="order:1"))
    promised = lot_of(grant(minji, 50, spendable_at=NOW + days(20), expires_at=NOW + days(90)))
    told += [redeem(minji, 60, key="order:2"), clawback(minji, 500, undoes="order:1"), grant(minji, 4)]
    told += [builders.refund(minji, 30, "order:2"), builders.refund(minji, 30, "order:2")]
    told += [grant(minji, 90, now=NOW + days(1)), hold(minji, 70, now=NOW + days(1), lapses_at=NOW + days(3))]
    told += [clawback(minji, 90, now=NOW + days(1)), capture(minji, 40, now=NOW + days(1))]
    told += [hold(minji, 5, key="h2", now=NOW + days(1), lapses_at=NOW + days(3))]
    told += [builders.release(minji, hold="h2", now=NOW + days(2)), clawback(minji, 1, undoes="order:1")]
    told += [adjustments.adjust_up(account=minji, points=7, now=NOW + days(2), key="up", by=STAFF, reason="why")]
    told += [adjustments.adjust_down(account=minji, points=3, now=NOW + days(2), key="down", by=STAFF, reason="why")]
    later = lot_of(grant(minji, 40, spendable_at=NOW + days(20), now=NOW + days(2)))
    told += [postpone(minji, [later.pk], NOW + days(25), now=NOW + days(2))]
    told += [builders.extend(minji, [later.pk], (NOW + days(900)).date(), now=NOW + days(2))]
    key = Entry.objects.get(kind="extend").key
    assert key is not None
    told += [extensions.undo(account=minji, extension=key, now=NOW + days(2), key="undo", by=STAFF, reason="why")]
    told += [builders.tell(minji, [later.pk], told_on=(NOW + days(2)).date(), now=NOW + days(2))]
    notice = Entry.objects.get(kind="notify").key
    assert notice is not None
    told += [notices.withdraw(account=minji, notice=notice, now=NOW, key="w", by=Actor("alerts"), reason="why")]
    told += [act(note_order(account_id=minji.pk, now=NOW, key="note", by=SHOP, reason="no point"))]
    told += [close(minji, now=NOW + days(3)), closures.withdraw(account=minji, now=NOW, key="stay", by=STAFF)]
    assert (lot.seq, promised.seq) == (1, 2)

    grant(minji, 500, now=NOW + days(4))
    hold(minji, 20, key="h3", now=NOW + days(4), lapses_at=NOW + days(30))
    close(minji, now=NOW + days(4))
    sweep_all(now=NOW + days(60))
    keys = {receipt.seq: Entry.objects.get(account=minji, seq=receipt.seq).key or "" for receipt in told}
    answers = read_answers({minji.programme_id}, list(keys.values()))
    for receipt in told:
        assert answers[minji.programme_id, keys[receipt.seq]].receipt == receipt
    assert len({receipt.kind for receipt in told}) == 12
    settled = [(receipt.kind.value, receipt.settled) for receipt in told if receipt.settled]
    assert settled == [("grant", 4), ("refund", 6), ("capture", 16)]


def test_answers_are_found_by_programme_and_key(minji):
    elsewhere = builders.minji(builders.moa("other"))
    here, there = grant(minji, 1, key="k"), grant(elsewhere, 2, key="k")
    grant(minji, 3, key="l")
    before = every_row()
    answers = read_answers({minji.programme_id, elsewhere.programme_id}, ["k", "m"])
    assert {name: answer.receipt for name, answer in answers.items()} == {
        (minji.programme_id, "k"): here,
        (elsewhere.programme_id, "k"): there,
    }
    assert every_row() == before


def test_keys_that_nobody_used_have_no_answer_and_cost_one_question(minji, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert read_answers({minji.programme_id}, ["k"]) == {}


def test_a_capture_does_not_take_a_later_release_for_what_it_left(minji):
    grant(minji, 100)
    hold(minji, 10)
    hold(minji, 20, key="second")
    whole = capture(minji)
    builders.release(minji, hold="second")
    assert read_answers({minji.programme_id}, ["capture:hold"])[minji.programme_id, "capture:hold"].receipt == whole
    assert whole.restored == ()


def test_a_redemption_does_not_take_the_settling_of_a_lapsed_hold_for_its_own(minji):
    grant(minji, 100)
    hold(minji, 60)
    clawed = clawback(minji, 70, key="c")
    sweep_all(now=NOW + days(2))
    assert read_answers({minji.programme_id}, ["c"])[minji.programme_id, "c"].receipt == clawed
    assert (clawed.settled, clawed.debt) == (0, 30)
