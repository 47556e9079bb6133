"""The one statement: final states, each row once, all or nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.actors import Actor
from ledger.clawbacks import clawback_order
from ledger.drafts import Move
from ledger.grants import grant_order
from ledger.kinds import Kind
from ledger.models import Account, Allocation, Entry, Extension, Lot, Notice
from ledger.posting import Order, post
from ledger.redemptions import redeem_order
from ledger.writing import write
from tests import builders
from tests.builders import NOW, SHOP, days, grant, lot_of, redeem
from tests.calls import statements
from tests.chains import recomputed
from tests.looking import nothing_changes, remainders, row_of

pytestmark = pytest.mark.django_db


def test_nothing_drafted_is_nothing_written(django_assert_num_queries):
    with django_assert_num_queries(0):
        write([])


def test_every_batch_is_written_in_one_statement(minji, moa):
    jun = builders.jun(moa)
    grant(jun, 10)
    orders = [
        grant_order(account_id=minji.pk, points=5, now=NOW, key="1", by=SHOP),
        redeem_order(account_id=minji.pk, points=3, now=NOW, key="2", by=SHOP),
        redeem_order(account_id=jun.pk, points=3, now=NOW, key="3", by=SHOP),
    ]
    with statements() as seen:
        post(orders)
    assert [sql for sql in seen if not sql.lstrip().startswith("SELECT")] == []
    assert [sql for sql in seen if "ledger_write" in sql] == ["SELECT ledger_write($1)"]
    assert row_of(minji) == (2, 0, 2)
    assert row_of(jun) == (7, 0, 2)


def test_a_lot_made_and_used_in_one_batch_is_written_in_its_final_state(minji):
    post(
        [
            grant_order(account_id=minji.pk, points=50, now=NOW, key="1", by=SHOP),
            redeem_order(account_id=minji.pk, points=20, now=NOW, key="2", by=SHOP),
            clawback_order(account_id=minji.pk, points=30, now=NOW, key="3", by=SHOP, undoes="1"),
        ]
    )
    lot = Lot.objects.get()
    assert (lot.granted, lot.remaining, lot.open) == (50, 0, False)
    rows = Allocation.objects.order_by("pk").values_list("entry__seq", "lot_id", "delta")
    assert list(rows) == [(1, lot.pk, 50), (2, lot.pk, -20), (3, lot.pk, -30)]


def test_a_lot_touched_by_several_acts_of_a_batch_is_updated_once_to_the_last_state(minji):
    lot = lot_of(grant(minji, 100))
    post(
        [
            redeem_order(account_id=minji.pk, points=points, now=NOW, key=f"r{points}", by=SHOP)
            for points in (10, 20, 30)
        ]
    )
    lot.refresh_from_db()
    assert (lot.remaining, lot.open) == (40, True)


def test_a_lot_made_and_moved_in_one_batch_keeps_its_first_date_in_the_extension(minji):
    until = NOW + days(600)

    def decide(book, signature):
        (lot,) = book.live()
        return book.write(Kind.EXTEND, signature, moves=[Move(lot, lot.expires_at, until)], reason="why")

    staff = Actor("staff", "1")
    post(
        [
            grant_order(account_id=minji.pk, points=50, now=NOW, key="1", by=SHOP),
            Order(account_id=minji.pk, now=NOW, by=staff, key="2", content={}, decide=decide),
        ]
    )
    lot, moved = Lot.objects.get(), Extension.objects.get()
    assert (lot.expires_at, moved.lot, moved.until) == (until, lot, until)
    assert moved.was == lot_of(grant(minji, 1)).expires_at
    assert [hash_ for _, hash_ in recomputed(minji)] == [bytes(e.hash) for e in Entry.objects.order_by("seq")]


def test_the_ids_of_lots_and_allocations_rise_in_the_order_of_what_happened(minji):
    post([grant_order(account_id=minji.pk, points=1, now=NOW, key=f"{n}", by=SHOP) for n in range(1, 31)])
    redeem(minji, 30)
    assert list(Lot.objects.order_by("pk").values_list("seq", flat=True)) == list(range(1, 31))
    taken = Allocation.objects.filter(entry__kind="redeem").order_by("pk")
    assert list(taken.values_list("lot__seq", flat=True)) == list(range(1, 31))


def test_an_extension_and_a_notice_are_written_with_their_entry():
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 100))
    builders.extend(minji, [lot.pk], (NOW + days(100)).date(), reason="a mistake of ours")
    builders.tell(minji, [lot.pk], told_on=NOW.date(), now=NOW + days(1))
    moved, told = Extension.objects.get(), Notice.objects.get()
    assert (moved.entry.kind, moved.entry.reason, moved.entry.actor) == ("extend", "a mistake of ours", "staff:1")
    assert (moved.was, moved.until) == (lot.expires_at, Lot.objects.get().expires_at)
    assert (told.entry.kind, told.entry.actor, told.account_id) == ("notify", "alerts", minji.pk)
    assert (told.lots, told.told_on, told.channel, told.evidence) == ([lot.pk], NOW.date(), "email", "delivery:1")
    assert told.expires_at == moved.until
    assert told.expires_on == (NOW + days(100)).date()


def test_an_account_that_nothing_happened_to_is_not_touched(minji, moa):
    jun = builders.jun(moa)
    grant(jun, 5)
    before = Account.objects.filter(pk=jun.pk).values().get()
    grant(minji, 5)
    with nothing_changes():
        post([])
    assert Account.objects.filter(pk=jun.pk).values().get() == before


def test_big_amounts_and_exact_microseconds_survive_the_arrays(minji):
    at = NOW + timedelta(microseconds=1)
    grant(minji, 10**12, now=at)
    redeem(minji, 10**12 - 1, now=at)
    assert remainders(minji) == {1: 1}
    assert set(Entry.objects.values_list("recorded_at", flat=True)) == {at}
