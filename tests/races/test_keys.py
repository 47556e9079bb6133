"""A key is good for one write, whoever comes with it how often at the same moment (law 1)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from ledger import (
    adjustments,
    clawbacks,
    closures,
    extensions,
    grants,
    holds,
    notes,
    notices,
    promises,
    redemptions,
    refunds,
    reinstatements,
    writing,
)
from ledger.errors import InsufficientPoints, KeyReused
from ledger.expiry import sweep_all
from ledger.extensions import Extended
from ledger.kinds import Kind, Waiver
from ledger.models import Account, Entry, Lot
from ledger.posting import act, post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, STAFF, close, days, extend, grant, hold, lot_of, redeem, tell
from tests.looking import entries, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import PATIENCE, all_at_once, behind_a_writer, running

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "the-key"
THEN = NOW + days(50)


@pytest.fixture
def minji():
    return builders.minji(builders.moa())


def rich(code: str) -> Account:
    """A Minji under a notice duty, with something of everything that an act can be about."""
    minji = builders.minji(builders.byeol(code, reinstate_window_days=90, accepts_waivers=True))
    gone = lot_of(grant(minji, 10, expires_at=NOW + days(40)))
    tell(minji, [gone.pk], told_on=date(2025, 3, 10), now=NOW)
    sweep_all(now=THEN - days(1))
    grant(minji, 100, now=THEN, key="granted", expires_at=THEN + days(60))
    grant(minji, 50, now=THEN, key="promised", spendable_at=THEN + days(5))
    redeem(minji, 20, now=THEN, key="redeemed")
    hold(minji, 10, now=THEN, lapses_at=THEN + days(1))
    return minji


def made_by(account: Account, key: str) -> int:
    return Lot.objects.get(account=account, seq=Entry.objects.get(account=account, key=key).seq).pk


def about(minji: Account, **more: object) -> dict:
    return {"account": minji, "now": THEN, "key": KEY, "by": STAFF, **more}


def capture_part(minji):
    return partial(holds.capture, **about(minji, hold="hold", points=4))


def reinstate_the_gone(minji):
    gone = Lot.objects.get(account=minji, seq=1).pk
    return partial(reinstatements.reinstate, **about(minji, lot=gone, reason="a mistake of ours"))


def extend_the_lot(minji):
    asked: dict = {"lots": [made_by(minji, "granted")], "until": date(2026, 1, 1), "reason": "a mistake of ours"}
    return partial(extensions.extend, **about(minji, **asked))


def undo_the_extension(minji):
    extend(minji, [made_by(minji, "granted")], date(2026, 1, 1), now=THEN)
    key = Entry.objects.get(account=minji, kind="extend").key
    return partial(extensions.undo, **about(minji, extension=key, reason="a mistake of ours"))


def extend_by_days(minji):
    common: dict = {"account_id": minji.pk, "now": THEN, "key": KEY, "by": STAFF, "reason": "a rule"}
    lots = [made_by(minji, "granted")]
    return partial(act, extensions.extend_by_days_order(lots=lots, was=THEN + days(60), days=3, **common))


def extend_the_untold(minji):
    lots, late = [made_by(minji, "granted")], THEN + days(40)  # less is left of its sixty days than the notice needs
    return partial(act, notices.extend_untold_order(account_id=minji.pk, lots=lots, now=late, key=KEY, by=STAFF))


def postpone_the_promise(minji):
    asked: dict = {"lots": [made_by(minji, "promised")], "spendable_at": THEN + days(9), "reason": "delivery"}
    return partial(promises.postpone, **about(minji, **asked))


def told(minji) -> dict:
    lot = Lot.objects.get(pk=made_by(minji, "granted"))
    return {"lots": [lot.pk], "expires_at": lot.expires_at, "told_on": THEN.date(), "evidence": "message 1"}


def withdraw_the_notice(minji):
    key = Entry.objects.get(account=minji, seq=tell_of_the_lot(minji).seq).key
    return partial(notices.withdraw, **about(minji, notice=key, reason="came back"))


def tell_of_the_lot(minji) -> Receipt:
    return tell(minji, [made_by(minji, "granted")], told_on=THEN.date(), now=THEN)


def withdraw_the_closure(minji):
    close(minji, now=THEN)
    return partial(closures.withdraw, **about(minji))


def note_something(minji):
    order = notes.note_order(account_id=minji.pk, now=THEN, key=KEY, by=SHOP, reason="worth no point")
    return partial(act, order)


# Each prepares what it needs, and is then one and the same call for everybody.
Prepare = Callable[[Account], Callable[[], object]]
KINDS: dict[str, tuple[str, Prepare]] = {
    "grant": ("grant", lambda minji: partial(grants.grant, **about(minji, points=5))),
    "redeem": ("redeem", lambda minji: partial(redemptions.redeem, **about(minji, points=5))),
    "decline": ("decline", lambda minji: partial(redemptions.redeem, **about(minji, points=5000))),
    "refund": ("refund", lambda minji: partial(refunds.refund, **about(minji, points=5, undoes="redeemed"))),
    "clawback": ("clawback", lambda minji: partial(clawbacks.clawback, **about(minji, points=90, undoes="granted"))),
    "clawback into debt": ("clawback", lambda minji: partial(clawbacks.clawback, **about(minji, points=900))),
    "hold": ("hold", lambda minji: partial(holds.hold, **about(minji, points=5, lapses_at=THEN + days(2)))),
    "capture": ("capture", lambda minji: partial(holds.capture, **about(minji, hold="hold"))),
    "capture in part": ("capture", capture_part),
    "release": ("release", lambda minji: partial(holds.release, **about(minji, hold="hold"))),
    "reinstate": ("reinstate", reinstate_the_gone),
    "extend": ("extend", extend_the_lot),
    "undo": ("extend", undo_the_extension),
    "extend by days": ("extend", extend_by_days),
    "extend the untold": ("extend", extend_the_untold),
    "postpone": ("postpone", postpone_the_promise),
    "notice": ("notify", lambda minji: partial(notices.record, **about(minji, channel="email", **told(minji)))),
    "waiver": ("notify", lambda minji: partial(notices.waive, **about(minji, waiver=Waiver.OPTED_OUT, **told(minji)))),
    "withdrawn notice": ("notify", withdraw_the_notice),
    "close": ("close", lambda minji: partial(closures.close, **about(minji))),
    "withdrawn closure": ("close", withdraw_the_closure),
    "adjust up": ("grant", lambda minji: partial(adjustments.adjust_up, **about(minji, points=5, reason="counted"))),
    "adjust down": ("clawback", lambda minji: partial(adjustments.adjust_down, **about(minji, points=5, reason="so"))),
    "note": ("note", note_something),
}


def test_every_kind_that_has_a_key_is_here():
    by_the_clock = {Kind.SETTLE, Kind.EXPIRE, Kind.FORFEIT}
    assert {Kind(kind) for kind, _ in KINDS.values()} == set(Kind) - by_the_clock


def test_eight_times_the_same_key_is_one_write_and_eight_same_answers():
    """For every kind of act, each in a programme of its own; one test, for to clear the database takes longer."""
    for n, (what, (kind, prepare)) in enumerate(KINDS.items()):
        minji = rich(f"byeol{n}")
        call = prepare(minji)
        keyed = Entry.objects.filter(account=minji, key__isnull=False)
        before = keyed.count()
        answers = behind_a_writer(minji, [call] * 8)
        receipts = [found.receipt if isinstance(found, InsufficientPoints) else found for found in answers]
        assert [type(found) for found in receipts] == [Receipt] * 8, (what, answers)
        assert [receipt.replayed for receipt in receipts].count(False) == 1, what  # type: ignore[attr-defined]
        assert len({replace(receipt, replayed=False) for receipt in receipts}) == 1, what  # type: ignore[type-var]
        assert keyed.get(key=KEY).kind == kind, what
        assert keyed.count() == before + 1, what
        assert adds_up(minji), what


def test_eight_bulk_extensions_with_the_same_key_move_each_lot_once(minji):
    jun = builders.jun(minji.programme)
    lots = [lot_of(grant(account, 10)).pk for account in (minji, jun)]
    call = partial(
        extensions.extend_many,
        lots=lots,
        until=date(2027, 1, 1),
        now=NOW,
        key=KEY,
        by=STAFF,
        reason="a mistake of ours",
    )
    answers = behind_a_writer(minji, [call] * 8)
    assert sorted(found.replayed for found in answers if isinstance(found, Extended)) == [False] + [True] * 7
    assert {(found.lots, found.accounts) for found in answers if isinstance(found, Extended)} == {(2, 2)}
    assert entries(minji) == entries(jun) == [("grant", 10), ("extend", 0)]


def test_one_key_with_two_bodies_at_once_lets_one_through(minji):
    grant(minji, 1000)
    answers = behind_a_writer(minji, [partial(redeem, minji, n, key=KEY) for n in (100, 200)])
    assert sorted(type(found).__name__ for found in answers) == ["KeyReused", "Receipt"]
    (receipt,) = (found for found in answers if isinstance(found, Receipt))
    assert entries(minji) == [("grant", 1000), ("redeem", -receipt.points)]


def test_one_key_on_two_accounts_at_once_lets_one_through(minji):
    """An account's lock orders its own keys only; between accounts the database's own constraint does."""
    jun = builders.jun(minji.programme)
    for n in range(10):
        answers = all_at_once([partial(grant, account, 10, key=f"order:{n}") for account in (minji, jun)])
        assert sorted(type(found).__name__ for found in answers) == ["KeyReused", "Receipt"]
        (refused,) = (found for found in answers if isinstance(found, KeyReused))
        assert refused.field == "key"
    assert Entry.objects.count() == 10


@pytest.mark.parametrize("in_bulk", [False, True])
def test_a_key_that_is_taken_on_another_account_between_looking_and_writing_is_refused(minji, monkeypatch, in_bulk):
    jun = builders.jun(minji.programme)
    looked, go_on = threading.Event(), threading.Event()
    write = writing.write

    def wait_and_write(books):
        if not looked.is_set():
            looked.set()
            assert go_on.wait(PATIENCE)
        write(books)

    monkeypatch.setattr(writing, "write", wait_and_write)
    orders = [grants.grant_order(account_id=minji.pk, points=5, now=NOW, key=key, by=SHOP) for key in (KEY, "other")]
    late = partial(post, orders) if in_bulk else partial(act, orders[0])
    with running([late]) as (future,):
        try:
            assert looked.wait(PATIENCE)
            grant(jun, 10, key=KEY)
        finally:
            go_on.set()
        refused = future.result(PATIENCE)
    assert isinstance(refused, KeyReused)
    assert (entries(minji), entries(jun)) == ([], [("grant", 10)])
    # By the next try the key is known: it costs only its own order.
    assert [type(found) for found in post(orders)] == [KeyReused, Receipt]


def test_the_actor_of_a_replay_is_the_first_one(minji):
    """Whoever comes second with the same key is told the first answer; nothing of theirs is written."""
    calls = [partial(grants.grant, account=minji, points=5, now=NOW, key=KEY, by=by) for by in (SHOP, STAFF)]
    answers = behind_a_writer(minji, calls)
    (first,) = (by for by, found in zip((SHOP, STAFF), answers, strict=True) if not found.replayed)  # type: ignore[attr-defined]
    assert list(Entry.objects.values_list("actor", flat=True)) == [str(first)]
    assert row_of(minji) == (5, 0, 1)
