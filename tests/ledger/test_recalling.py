"""What acts must know of earlier entries, as it is read from the rows: the same as a page that saw them happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import transaction

from ledger import extensions, notices
from ledger.actors import Actor
from ledger.book import Book
from ledger.expiry import sweep_all
from ledger.kinds import Waiver
from ledger.models import Account, Lot
from ledger.reading import lock_accounts
from ledger.recalling import recall
from ledger.undoing import ExtensionFacts, GrantFacts, NoticeFacts, SpendingFacts
from tests import builders
from tests.builders import NOW, capture, clawback, days, extend, grant, hold, lot_of, redeem, reinstate, tell

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Ask:
    """An order, as far as it asks about earlier entries."""

    account_id: int
    key: str = "new"
    undoes: str | None = None
    dates: tuple[datetime, ...] = ()
    lot: int | None = None


def recalled(account: Account, *asks: Ask) -> Book:
    with transaction.atomic():
        books = lock_accounts([account.pk]).books
        recall(books, asks)
    return books[account.pk]


def undo(account: Account, key: str) -> object:
    return recalled(account, Ask(account.pk, undoes=key)).known.by_key.get(key)


def test_a_grant_counts_clawbacks_whoever_paid_and_the_expired_part_of_its_family(minji):
    policy = Lot.objects.get(pk=lot_of(grant(minji, 100, key="order:1", expires_at=NOW + days(5))).pk).policy_id
    grant(minji, 50, key="order:2", expires_at=NOW + days(5))
    redeem(minji, 20, key="order:9")
    clawback(minji, 30, undoes="order:1")
    clawback(minji, 7)
    grant(minji, 1, key="order:3", now=NOW + days(6))
    asks = [Ask(minji.pk, undoes=f"order:{n}") for n in (1, 2, 3, 4)]
    assert recalled(minji, *asks).known.by_key == {
        "order:1": GrantFacts(seq=1, policy_id=policy, granted=100, clawed_back=30, expired=43),
        "order:2": GrantFacts(seq=2, policy_id=policy, granted=50, clawed_back=0, expired=50),
        "order:3": GrantFacts(seq=7, policy_id=policy, granted=1, clawed_back=0, expired=0),
    }


def test_a_grant_counts_what_was_written_off_what_expired_of_refunded_lots_and_what_was_reinstated():
    moa = builders.moa(clawback_beyond="write_off", reinstate_window_days=30)
    minji = builders.minji(moa)
    lot = lot_of(grant(minji, 100, key="order:1", expires_at=NOW + days(5)))
    redeem(minji, 60, key="order:9")
    clawback(minji, 50, undoes="order:1")  # 40 of its own, 10 written off
    builders.refund(minji, 60, "order:9")  # a lot of the family
    sweep_all(now=NOW + days(30))
    reinstate(minji, Lot.objects.get(family_seq=1, seq__gt=1).pk, now=NOW + days(30))
    assert undo(minji, "order:1") == GrantFacts(1, lot.policy_id, 100, reinstated=60, clawed_back=50, expired=60)


def test_a_redemption_is_known_by_its_slices_and_what_came_back_of_it(minji):
    grant(minji, 50, expires_at=NOW + days(50))
    grant(minji, 60)
    redeem(minji, 80, key="order:9")
    builders.refund(minji, 35, "order:9")
    spent = undo(minji, "order:9")
    assert isinstance(spent, SpendingFacts)
    assert ([(part.lot.seq, part.points) for part in spent.slices], spent.refunded, spent.seq) == (
        [(1, 50), (2, 30)],
        35,
        3,
    )


def test_a_capture_is_known_by_the_first_points_of_its_hold(minji):
    grant(minji, 50, expires_at=NOW + days(50))
    grant(minji, 60)
    hold(minji, 80)
    capture(minji, 55)
    spent = undo(minji, "capture:hold")
    assert isinstance(spent, SpendingFacts)
    assert ([(part.lot.seq, part.points) for part in spent.slices], spent.refunded, spent.seq) == (
        [(1, 50), (2, 5)],
        0,
        4,
    )
    assert undo(minji, "hold") is None  # a hold is neither spent nor refunded


def test_an_extension_is_known_with_the_notices_of_both_its_dates():
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    extensions.extend(
        account=minji,
        lots=[lot.pk],
        until=(NOW + days(500)).date(),
        now=NOW,
        key="e",
        by=builders.STAFF,
        reason="why",
    )
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    book = recalled(minji, Ask(minji.pk, undoes="e"))
    done = book.known.by_key["e"]
    assert isinstance(done, ExtensionFacts)
    (move,) = done.moves
    assert (move.was, move.until, move.lot) == (lot.expires_at, Lot.objects.get().expires_at, next(book.lots()))
    assert {date: len(told) for date, told in book.known.notices.items()} == {move.was: 1, move.until: 1}


def test_a_notice_is_known_with_its_lots_the_empty_ones_too_and_whether_it_was_withdrawn():
    minji = builders.minji(builders.byeol())
    lot, other = lot_of(grant(minji, 100)), lot_of(grant(minji, 5))
    redeem(minji, 100, now=NOW, key="order:9")
    assert lot.expires_at is not None
    builders.refund(minji, 1, "order:9")
    common = {"account": minji, "expires_at": lot.expires_at, "now": NOW, "by": Actor("alerts"), "evidence": "d:1"}
    common |= {"told_on": NOW.date(), "lots": [lot.pk, other.pk]}
    notices.record(key="n1", channel="email", **common)  # type: ignore[arg-type]
    notices.waive(key="n2", waiver=Waiver.OPTED_OUT, **common)  # type: ignore[arg-type]
    notices.withdraw(account=minji, notice="n1", now=NOW, key="back", by=Actor("alerts"), reason="why")
    redeem(minji, 1)
    book = recalled(minji, Ask(minji.pk, undoes="n1"), Ask(minji.pk, dates=(lot.expires_at,)))
    first, second = book.known.notices[lot.expires_at]
    assert book.known.by_key == {"n1": first}
    assert isinstance(first, NoticeFacts)
    assert (first.channel, first.waiver, first.withdrawn, first.lots) == ("email", "", True, {(1, 0), (2, 0)})
    assert (second.channel, second.waiver, second.withdrawn) == ("", "opted_out", False)
    assert [named.remaining for named in book.named(first.lots)] == [0, 5]


def test_how_a_lot_ended_is_the_newest_end_and_whether_its_family_was_reinstated_before():
    minji = builders.minji(builders.moa(reinstate_window_days=30))
    lot = lot_of(grant(minji, 100, expires_at=NOW + days(5)))
    book = recalled(minji, Ask(minji.pk, lot=lot.pk))
    ended = book.known.ended[lot.pk]
    assert (ended.seq, ended.ended_at, ended.points, ended.reinstated_before) == (None, None, 0, False)
    assert ended.lot is next(book.lots())
    reinstate(minji, lot.pk, now=NOW + days(6))
    ended = recalled(minji, Ask(minji.pk, lot=lot.pk)).known.ended[lot.pk]
    assert (ended.seq, ended.ended_at, ended.points, ended.reinstated_before) == (2, NOW + days(5), 100, True)


def test_what_belongs_to_somebody_else_or_does_not_exist_stays_unknown(minji, moa):
    jun = builders.jun(moa)
    lot = lot_of(grant(jun, 5, key="order:jun"))
    book = recalled(minji, Ask(minji.pk, undoes="order:jun"), Ask(minji.pk, lot=lot.pk), Ask(minji.pk, undoes="none"))
    assert (book.known.by_key, book.known.by_seq, book.known.ended) == ({}, {}, {})
    assert recalled(minji, Ask(2**60, undoes="order:jun")).known.by_key == {}


def test_orders_that_ask_nothing_read_nothing(minji, django_assert_num_queries):
    grant(minji, 5)
    with transaction.atomic():
        books = lock_accounts([minji.pk]).books
        with django_assert_num_queries(0):
            recall(books, [Ask(minji.pk), Ask(2**60, undoes="x")])


def test_what_is_undone_in_the_batch_that_did_it_may_need_any_notice_of_the_account():
    minji = builders.minji(builders.byeol())
    lot = lot_of(grant(minji, 100))
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    extend(minji, [lot.pk], (NOW + days(500)).date())
    book = recalled(minji, Ask(minji.pk, key="e"), Ask(minji.pk, key="u", undoes="e"))
    assert lot.expires_at is not None
    assert [told.told_on for told in book.known.notices[lot.expires_at]] == [NOW.date()]
