"""Closing an account: told before, time to think again, and then nothing more.

Moa gives fourteen days: asked for at noon on 10 March 2025, the end comes with the first instant of 25 March in Seoul.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger import closures, statements
from ledger.audit import audit
from ledger.closures import Loss, close_order, pending, preview, withdraw_order
from ledger.errors import AccountClosed, AlreadyClosing, BadInput, KeyReused, LedgerError, NotClosing
from ledger.expiry import sweep, sweep_all
from ledger.grants import grant_order
from ledger.kinds import Kind, Origin
from ledger.models import Account, Closure, Entry
from ledger.posting import post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, STAFF, clawback, close, days, grant, hold, lot_of, redeem
from tests.looking import entries, nothing_changes, remainders, row_of

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
CLOSES = datetime(2025, 3, 24, 15, tzinfo=UTC)


def withdraw(account, *, now=NOW, key="withdraw:1") -> Receipt:
    return closures.withdraw(account=account, now=now, key=key, by=STAFF)


def state(account) -> tuple:
    return Account.objects.values_list("closes_at", "closed").get(pk=account.pk)


def test_a_closure_is_asked_for_with_what_would_go_and_when(minji):
    grant(minji, 100)
    grant(minji, 30, spendable_at=NOW + days(40))
    receipt = close(minji, key="member:1")
    assert (receipt.kind, receipt.points, receipt.balance, receipt.debt) == (Kind.CLOSE, 0, 130, 0)
    asked = Closure.objects.get()
    assert (asked.account_id, asked.programme_id, asked.seq) == (minji.pk, minji.programme_id, 3)
    assert (asked.closes_at, asked.points, asked.open) == (CLOSES, 130, True)
    assert state(minji) == (CLOSES, False)
    assert pending([minji]) == {minji.pk: asked}
    with nothing_changes():
        assert close(minji, key="member:1", now=NOW + days(40)) == replace(receipt, replayed=True)
        with pytest.raises(KeyReused):
            closures.close(account=minji, now=NOW, key="member:1", by=STAFF, reason="another")


def test_until_its_last_microsecond_everything_works(minji):
    grant(minji, 100)
    close(minji)
    at = CLOSES - TICK
    assert grant(minji, 5, now=at).balance == 105
    assert redeem(minji, 5, now=at).balance == 100
    assert withdraw(minji, now=at).kind == Kind.CLOSE
    assert sweep_all(now=CLOSES) == 0
    assert grant(minji, 5, now=CLOSES).balance == 105


def test_from_its_instant_on_every_act_is_refused_and_nothing_is_written_by_it(minji):
    lot = lot_of(grant(minji, 100, key="order:1"))
    redeem(minji, 10, key="order:2")
    close(minji)
    acts = [
        lambda: grant(minji, 5, now=CLOSES),
        lambda: redeem(minji, 5, now=CLOSES),
        lambda: clawback(minji, 5, now=CLOSES, undoes="order:1"),
        lambda: builders.refund(minji, 5, "order:2", now=CLOSES),
        lambda: hold(minji, 5, now=CLOSES, lapses_at=CLOSES + days(1)),
        lambda: builders.extend(minji, [lot.pk], date(2027, 1, 1), now=CLOSES),
        lambda: withdraw(minji, now=CLOSES),
        lambda: close(minji, now=CLOSES),
    ]
    for act in acts:
        with nothing_changes(), pytest.raises(AccountClosed) as refusal:
            act()
        assert refusal.value.field == "account"
    sweep_all(now=CLOSES)
    for act in acts:
        with nothing_changes(), pytest.raises(AccountClosed):
            act()


def test_the_sweep_takes_all_that_is_left_promised_and_gated_too():
    minji = builders.minji(builders.byeol(count=1))
    grant(minji, 100)
    grant(minji, 30, spendable_at=NOW + days(5))
    close(minji)
    assert sweep(now=CLOSES - TICK).found == 0
    assert sweep_all(now=CLOSES + days(3)) == 1
    end = Entry.objects.get(kind="forfeit")
    assert (end.amount, end.effective_at, end.recorded_at, end.key) == (-130, CLOSES, CLOSES + days(3), None)
    assert remainders(minji) == {1: 0, 2: 0}
    assert (state(minji), Closure.objects.get().open) == ((CLOSES, True), False)
    assert sweep_all(now=CLOSES + days(90)) == 0
    assert list(audit()) == []


def test_what_the_clock_ended_before_the_closure_has_expired_and_is_not_forfeited(minji):
    grant(minji, 100, expires_at=CLOSES)
    grant(minji, 30, expires_at=CLOSES + TICK)
    close(minji)
    sweep_all(now=CLOSES + days(1))
    rows = Entry.objects.filter(account=minji).order_by("seq").values_list("kind", "amount", "effective_at")
    assert list(rows)[3:] == [("expire", -100, CLOSES), ("forfeit", -30, CLOSES)]


def test_open_holds_come_back_before_everything_goes(minji):
    grant(minji, 100)
    hold(minji, 30, lapses_at=CLOSES + days(5))
    hold(minji, 20, key="second", lapses_at=CLOSES)
    close(minji)
    assert Closure.objects.get().points == 50  # what is held was not told as lost
    sweep_all(now=CLOSES)
    assert entries(minji)[4:] == [("release", 20), ("release", 30), ("forfeit", -100)]
    reasons = Entry.objects.filter(account=minji, kind="release").order_by("seq").values_list("amount", "reason")
    assert list(reasons) == [(20, "lapsed"), (30, "the account was closed")]  # one reached its lapse, one did not
    assert row_of(minji) == (0, 0, 7)
    assert list(audit()) == []


def test_an_empty_account_is_closed_by_a_note_of_the_clock(minji):
    close(minji)
    assert sweep_all(now=CLOSES) == 1
    note = Entry.objects.get(kind="note")
    assert (note.key, note.reason, note.effective_at) == (None, "closed with nothing left", CLOSES)
    assert state(minji) == (CLOSES, True)
    with nothing_changes(), pytest.raises(AccountClosed):
        grant(minji, 1, now=CLOSES + days(1))
    assert list(audit()) == []


def test_debt_stays_on_a_closed_account_and_held_points_pay_it_first(minji):
    grant(minji, 100)
    hold(minji, 30, lapses_at=CLOSES + days(5))
    clawback(minji, 90)
    assert row_of(minji) == (0, 20, 3)
    close(minji)
    sweep_all(now=CLOSES)
    assert entries(minji)[4:] == [("release", 30), ("settle", 0), ("forfeit", -10)]
    jun = builders.jun(minji.programme)
    clawback(jun, 7)
    close(jun)
    sweep_all(now=CLOSES)
    assert row_of(jun) == (0, 7, 3)
    assert statements.balance(jun, at=CLOSES).debt == 7


def test_withdrawing_loses_nothing_and_a_new_closure_begins_anew(minji):
    grant(minji, 100)
    close(minji)
    receipt = withdraw(minji, now=NOW + days(3))
    assert (receipt.kind, receipt.balance) == (Kind.CLOSE, 100)
    assert Entry.objects.order_by("seq").last().undoes_seq == 2  # type: ignore[union-attr]
    assert (state(minji), Closure.objects.get().open, pending([minji])) == ((None, False), False, {})
    with nothing_changes(), pytest.raises(NotClosing):
        withdraw(minji, now=NOW + days(3), key="again")
    with nothing_changes():
        assert withdraw(minji, now=NOW + days(9)) == replace(receipt, replayed=True)
    close(minji, now=NOW + days(3))
    assert state(minji) == (CLOSES + days(3), False)
    assert sweep_all(now=CLOSES + days(3)) == 1
    assert entries(minji)[-1] == ("forfeit", -100)


def test_a_closure_is_asked_for_once(minji):
    close(minji)
    with nothing_changes(), pytest.raises(AlreadyClosing) as refusal:
        close(minji, now=NOW + days(1))
    assert refusal.value.field == "account"


def test_an_account_that_nobody_closes_has_nothing_to_withdraw(minji):
    with nothing_changes(), pytest.raises(NotClosing):
        withdraw(minji)


def test_the_last_day_is_counted_in_the_programmes_zone(minji):
    late = datetime(2025, 3, 10, 15, 30, tzinfo=UTC)  # half past midnight on the 11th in Seoul
    close(minji, now=late)
    assert state(minji) == (CLOSES + days(1), False)


def test_without_cooling_off_the_account_ends_with_the_day():
    programme = builders.moa()
    programme.cooling_off_days = 0
    programme.save()
    minji = builders.minji(programme)
    close(minji)
    assert state(minji)[0] == datetime(2025, 3, 10, 15, tzinfo=UTC)


def test_the_clocks_of_london_change_while_a_member_thinks():
    minji = builders.minji(builders.moa(zone="Europe/London"))
    close(minji, now=datetime(2025, 3, 20, 12, tzinfo=UTC))
    assert state(minji)[0] == datetime(2025, 4, 3, 23, tzinfo=UTC)  # midnight, in summer time by then


def test_a_preview_says_what_would_go_and_writes_nothing(minji):
    grant(minji, 100)
    grant(minji, 30, spendable_at=NOW + days(40))
    grant(minji, 7, expires_at=NOW + days(1))
    hold(minji, 27, lapses_at=NOW + days(3))
    with nothing_changes():
        loss = preview(minji, at=NOW + days(2))
    last = date(2025, 3, 26)
    assert loss == Loss(points=110, promised=30, on_hold=27, debt=0, closes_at=CLOSES + days(2), last_day=last)
    jun = builders.jun(minji.programme)
    clawback(jun, 5)
    assert preview(jun, at=NOW).debt == 5


def test_a_preview_counts_a_lapsed_hold_as_given_back_swept_or_not(minji):
    grant(minji, 100)
    hold(minji, 27, lapses_at=NOW + days(2))
    hold(minji, 3, key="later", lapses_at=NOW + days(3))
    before = preview(minji, at=NOW + days(2) - TICK)
    assert (before.points, before.on_hold) == (70, 30)
    for _ in ("never swept", "swept"):
        after = preview(minji, at=NOW + days(2))
        assert (after.points, after.on_hold, after.debt) == (97, 3, 0)
        sweep_all(now=NOW + days(2))
    close(minji, now=NOW + days(2))
    assert Closure.objects.get().points == 97  # as the member had been told


@pytest.mark.parametrize("reason", ["x" * 501, "a\x00"])
def test_a_reason_that_cannot_be_kept_is_refused(minji, reason):
    for act in (closures.close, closures.withdraw):
        with nothing_changes(), pytest.raises(BadInput) as refusal:
            act(account=minji, now=NOW, key="k", by=STAFF, reason=reason)
        assert refusal.value.field == "reason"


def test_asked_for_withdrawn_and_asked_for_again_in_one_batch(minji):
    common = {"account_id": minji.pk, "by": SHOP}
    outcomes = post(
        [
            grant_order(points=100, key="1", now=NOW, origin=Origin.PROMOTION, **common),
            close_order(key="2", now=NOW, **common),
            close_order(key="3", now=NOW, **common),
            withdraw_order(key="4", now=NOW, **common),
            close_order(key="5", now=NOW, **common),
            grant_order(points=5, key="6", now=CLOSES, **common),
            close_order(key="2", now=CLOSES, **common),
        ]
    )
    said = [type(outcome) if isinstance(outcome, LedgerError) else outcome.kind.value for outcome in outcomes]
    assert said == ["grant", "close", AlreadyClosing, "close", "close", AccountClosed, "close"]
    assert entries(minji)[-1] == ("forfeit", -100)
    assert list(Closure.objects.order_by("seq").values_list("seq", "open")) == [(2, False), (4, False)]
    assert list(audit()) == []
