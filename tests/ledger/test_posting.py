"""The pen: keys and replays, time, independence of outcomes, and what the database refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from ledger import grants
from ledger.allocation import take
from ledger.book import Book
from ledger.clawbacks import clawback_order
from ledger.drafts import Draft, Signature
from ledger.errors import (
    AccountNotFound,
    BadInput,
    FutureAct,
    InsufficientPoints,
    KeyReused,
    LedgerBroken,
    NotAGrant,
)
from ledger.extensions import extend_order
from ledger.grants import grant_order
from ledger.kinds import Kind
from ledger.models import Account, Entry
from ledger.notes import note_order
from ledger.posting import CLOCK_SKEW, Order, act, post, tidy
from ledger.receipts import Receipt
from ledger.redemptions import redeem_order
from tests import builders
from tests.builders import NOW, SHOP, clawback, days, grant, redeem
from tests.chains import recomputed
from tests.looking import entries, nothing_changes, remainders, row_of

pytestmark = pytest.mark.django_db
NOBODY = 2**60  # the id of no account


def an_order(account: Account, points: int, key: str, **more) -> Order:
    terms: dict = {"now": NOW, "by": SHOP} | more
    return grant_order(account_id=account.pk, points=points, key=key, **terms)


def test_the_same_key_and_body_get_the_same_answer_for_ever(minji):
    grant(minji, 100)
    first = redeem(minji, 60, key="order:1")
    grant(minji, 500, now=NOW + days(1))
    redeem(minji, 300, now=NOW + days(2))
    clawback(minji, 5000, now=NOW + days(3))
    with nothing_changes():
        again = redeem(minji, 60, key="order:1", now=NOW + days(4))
    assert again == replace(first, replayed=True)
    assert (again.balance, again.points, again.recorded_at) == (40, 60, NOW)


def test_a_replay_does_not_even_write_what_the_clock_has_done():
    minji = builders.minji(builders.moa(count=1))
    first = grant(minji, 100, key="order:1")
    with nothing_changes():
        again = grant(minji, 100, key="order:1", now=NOW + days(90))
    assert again == replace(first, replayed=True)


def test_a_replay_after_the_date_that_was_given_is_still_a_replay(minji):
    first = grant(minji, 100, key="order:1", expires_at=NOW + days(1))
    with nothing_changes():
        again = grant(minji, 100, key="order:1", expires_at=NOW + days(1), now=NOW + days(9))
    assert again == replace(first, replayed=True)


def test_a_replayed_grant_tells_what_it_settled_then(minji):
    clawback(minji, 30)
    first = grant(minji, 100, key="order:1")
    assert (first.settled, first.balance, first.debt) == (30, 70, 0)
    redeem(minji, 70)
    clawback(minji, 1)
    with nothing_changes():
        assert grant(minji, 100, key="order:1") == replace(first, replayed=True)


def test_a_replayed_grant_does_not_take_a_later_grants_settling_for_its_own(minji):
    first = grant(minji, 10, key="order:1")
    clawback(minji, 30)
    grant(minji, 20, key="order:2")
    with nothing_changes():
        assert grant(minji, 10, key="order:1") == replace(first, replayed=True)
    assert first.settled == 0


def test_a_replayed_decline_declines_with_the_first_answer_though_there_is_enough_now(minji):
    grant(minji, 10)
    with pytest.raises(InsufficientPoints) as first:
        redeem(minji, 50, key="order:1")
    grant(minji, 1000)
    with nothing_changes(), pytest.raises(InsufficientPoints) as again:
        redeem(minji, 50, key="order:1")
    assert again.value.receipt == replace(first.value.receipt, replayed=True)
    assert (again.value.receipt.asked, again.value.receipt.available) == (50, 10)


def test_a_replayed_note_and_a_replayed_clawback_say_the_same(minji):
    grant(minji, 10, key="order:1")
    taken = clawback(minji, 30, undoes="order:1", key="return:1")
    noted = clawback(minji, 30, undoes="order:1", key="return:2")
    assert (taken.kind, noted.kind) == (Kind.CLAWBACK, Kind.NOTE)
    grant(minji, 500)
    with nothing_changes():
        assert clawback(minji, 30, undoes="order:1", key="return:1") == replace(taken, replayed=True)
        assert clawback(minji, 30, undoes="order:1", key="return:2") == replace(noted, replayed=True)


def test_a_replay_may_come_at_another_time(minji):
    first = grant(minji, 100, key="order:1")
    with nothing_changes():
        assert grant(minji, 100, key="order:1", now=NOW + days(30)) == replace(first, replayed=True)
        assert grant(minji, 100, key="order:1", now=NOW - days(30)) == replace(first, replayed=True)


def test_a_replay_may_name_the_same_instant_in_another_zone(minji):
    first = grant(minji, 100, key="order:1", effective_at=NOW - days(1))
    with nothing_changes():
        again = grant(minji, 100, key="order:1", effective_at=(NOW - days(1)).astimezone(builders.SEOUL))
    assert again == replace(first, replayed=True)


@pytest.mark.parametrize(
    "other",
    [
        {"points": 101},
        {"reference": "x"},
        {"reason": "x"},
        {"origin": builders.Origin.PROMOTION},
        {"effective_at": NOW - days(1)},
        {"expires_at": NOW + days(5)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_key_with_another_body_is_refused(minji, other):
    grant(minji, 100, key="order:1")
    with nothing_changes(), pytest.raises(KeyReused) as refusal:
        grants.grant(**({"account": minji, "points": 100, "now": NOW, "key": "order:1", "by": SHOP} | other))
    assert refusal.value.field == "key"


def test_a_key_of_another_kind_of_act_is_refused(minji):
    grant(minji, 100, key="order:1")
    with nothing_changes(), pytest.raises(KeyReused):
        redeem(minji, 100, key="order:1")
    with nothing_changes(), pytest.raises(KeyReused):
        clawback(minji, 100, key="order:1")


def test_a_key_is_used_once_in_a_programme_whoever_used_it(minji, moa):
    jun = builders.jun(moa)
    grant(minji, 100, key="order:1")
    with nothing_changes(), pytest.raises(KeyReused):
        grant(jun, 100, key="order:1")


def test_another_programme_has_keys_of_its_own(minji):
    elsewhere = builders.minji(builders.moa("other"))
    first, second = grant(minji, 100, key="order:1"), grant(elsewhere, 7, key="order:1")
    assert (first.replayed, second.replayed) == (False, False)
    assert second.points == 7


def test_what_was_refused_left_its_key_free(minji):
    with pytest.raises(NotAGrant):
        clawback(minji, 5, undoes="order:0", key="return:1")
    assert clawback(minji, 5, key="return:1").debt == 5


def test_the_same_key_twice_in_one_batch_is_written_once(minji):
    order = an_order(minji, 100, "order:1")
    first, second = post([order, order])
    assert isinstance(first, Receipt)
    assert second == replace(first, replayed=True)
    assert entries(minji) == [("grant", 100)]


def test_the_same_key_with_two_bodies_in_one_batch_refuses_the_second(minji, moa):
    jun = builders.jun(moa)
    outcomes = post([an_order(minji, 100, "order:1"), an_order(minji, 101, "order:1"), an_order(jun, 100, "order:1")])
    assert [type(outcome) for outcome in outcomes] == [Receipt, KeyReused, KeyReused]
    assert entries(minji) == [("grant", 100)]
    assert entries(jun) == []


def test_a_settling_grant_twice_in_one_batch_answers_the_same(minji):
    clawback(minji, 30)
    order = an_order(minji, 100, "order:1")
    first, second = post([order, order])
    assert isinstance(first, Receipt)
    assert (first.settled, first.balance) == (30, 70)
    assert second == replace(first, replayed=True)


def test_one_batch_of_two_programmes_keeps_their_keys_apart(minji):
    elsewhere = builders.minji(builders.moa("other"))
    outcomes = post([an_order(minji, 1, "order:1"), an_order(elsewhere, 2, "order:1")])
    assert [outcome.points for outcome in outcomes if isinstance(outcome, Receipt)] == [1, 2]


def test_an_act_on_an_account_that_does_not_exist_is_refused():
    with nothing_changes(), pytest.raises(AccountNotFound) as refusal:
        act(redeem_order(account_id=NOBODY, points=1, now=NOW, key="k", by=SHOP))
    assert refusal.value.field == "account"


def test_an_act_dated_after_the_real_clock_is_refused(minji):
    with nothing_changes(), pytest.raises(FutureAct) as refusal:
        grant(minji, 100, now=timezone.now() + CLOCK_SKEW + timedelta(seconds=20))
    assert refusal.value.field == "now"


def test_a_clock_that_runs_a_little_ahead_is_no_future(minji):
    assert grant(minji, 100, now=timezone.now() + timedelta(seconds=3)).points == 100


def test_a_sweep_dated_after_the_real_clock_is_refused(minji):
    grant(minji, 100)
    with nothing_changes(), pytest.raises(FutureAct):
        tidy({minji.pk}, timezone.now() + timedelta(hours=1))


def test_the_outcomes_of_a_batch_are_independent_and_in_order(minji, moa):
    jun = builders.jun(moa)
    future = timezone.now() + timedelta(hours=1)

    def redeemed(account_id: int, points: int, key: str, now=NOW) -> Order:
        return redeem_order(account_id=account_id, points=points, now=now, key=key, by=SHOP)

    outcomes = post(
        [
            an_order(minji, 100, "1"),
            redeemed(minji.pk, 500, "2"),
            redeemed(NOBODY, 1, "3"),
            redeemed(minji.pk, 1, "4", future),
            clawback_order(account_id=minji.pk, points=1, now=NOW, key="5", by=SHOP, undoes="nothing"),
            redeemed(minji.pk, 40, "1"),
            an_order(jun, 7, "7"),
            redeemed(minji.pk, 40, "8"),
        ]
    )
    kinds = [outcome.kind.value if isinstance(outcome, Receipt) else type(outcome) for outcome in outcomes]
    assert kinds == ["grant", "decline", AccountNotFound, FutureAct, NotAGrant, KeyReused, "grant", "redeem"]
    assert entries(minji) == [("grant", 100), ("decline", 0), ("redeem", -40)]
    assert entries(jun) == [("grant", 7)]
    assert row_of(minji) == (60, 0, 3)
    assert [outcome.seq for outcome in outcomes if isinstance(outcome, Receipt)] == [1, 2, 1, 3]
    assert set(Entry.objects.values_list("key", flat=True)) == {"1", "2", "7", "8"}
    assert recomputed(minji)[-1][1] == bytes(Account.objects.get(pk=minji.pk).head_hash)


def test_posting_nothing_writes_nothing():
    with nothing_changes():
        assert post([]) == []


def test_time_never_runs_backwards(minji):
    grant(minji, 100, now=NOW + days(2))
    receipt = redeem(minji, 10, now=NOW)
    assert (receipt.effective_at, receipt.recorded_at) == (NOW + days(2), NOW + days(2))
    assert Account.objects.get(pk=minji.pk).last_recorded_at == NOW + days(2)


def test_balances_and_numbers_chain_without_a_gap(minji):
    grant(minji, 100)
    redeem(minji, 10)
    clawback(minji, 200)
    grant(minji, 150)
    rows = Entry.objects.filter(account=minji).order_by("seq")
    assert [(row.seq, row.balance_after, row.debt_after) for row in rows] == [
        (1, 100, 0),
        (2, 90, 0),
        (3, 0, 110),
        (4, 150, 110),
        (5, 40, 0),
    ]
    assert row_of(minji) == (40, 0, 5)
    assert bytes(Account.objects.get(pk=minji.pk).head_hash) == bytes(rows[4].hash) == recomputed(minji)[-1][1]


def test_a_refused_act_leaves_nothing_behind(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    with nothing_changes(), pytest.raises(NotAGrant):
        clawback(minji, 1, undoes="nothing", now=NOW + days(2))


def test_a_refusal_among_other_orders_leaves_what_the_clock_did_and_alone_it_leaves_nothing(minji, moa):
    grant(minji, 100, expires_at=NOW + days(1))
    order = clawback_order(account_id=minji.pk, points=1, now=NOW + days(2), key="c", by=SHOP, undoes="nothing")
    with nothing_changes():
        (outcome,) = post([order])
    assert isinstance(outcome, NotAGrant)
    outcome, _ = post([order, an_order(builders.jun(moa), 5, "jun:1")])
    assert isinstance(outcome, NotAGrant)
    assert entries(minji) == [("grant", 100), ("expire", -100)]


def test_only_companions_have_no_key(minji):
    clawback(minji, 5)
    grant(minji, 100, expires_at=NOW + days(1))
    redeem(minji, 10)
    grant(minji, 1, now=NOW + days(2))
    without = Entry.objects.filter(key=None).values_list("kind", "actor")
    assert sorted(without) == [("expire", "system:clock"), ("settle", "system:clock")]


def test_a_note_holds_the_key_and_the_answer_and_changes_nothing_else(minji):
    order = note_order(account_id=minji.pk, now=NOW, key="order:1", by=SHOP, reason="worth no point", reference="r")
    receipt = act(order)
    assert (receipt.kind, receipt.points, receipt.balance, receipt.debt) == (Kind.NOTE, 0, 0, 0)
    entry = Entry.objects.get()
    assert (entry.kind, entry.amount, entry.key, entry.reason) == ("note", 0, "order:1", "worth no point")
    with nothing_changes():
        assert act(order) == replace(receipt, replayed=True)


def test_an_act_cannot_be_posted_inside_somebody_elses_transaction(minji, transactional_db):
    """A decline must be committed before it is raised: acts open the outermost transaction themselves."""
    with nothing_changes(), transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        grant(minji, 100)


def broken_order(account: Account, spoil) -> Order:
    """An order whose decision breaks a law after the fact, as a bug would."""

    def decide(book: Book, signature: Signature) -> Draft:
        draft = book.write(Kind.REDEEM, signature, take=take(book.lots(), 10))
        spoil(book, draft)
        return draft

    return Order(account_id=account.pk, now=NOW, by=SHOP, key="broken", content={}, decide=decide)


def wrong_amount(book: Book, draft: Draft) -> None:
    draft.amount -= 1


def wrong_time(book: Book, draft: Draft) -> None:
    draft.effective_at += days(1)


def wrong_number(book: Book, draft: Draft) -> None:
    draft.seq = 1


def too_much(book: Book, draft: Draft) -> None:
    draft.allocations[0][0].remaining = -1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("spoil", [wrong_amount, wrong_time, wrong_number, too_much])
def test_a_write_that_breaks_a_law_is_refused_by_the_database_and_nothing_is_written(spoil):
    moa = builders.moa()
    minji, jun = builders.minji(moa), builders.jun(moa)
    grant(minji, 100)
    with nothing_changes(), pytest.raises(LedgerBroken):
        post([an_order(jun, 5, "jun:1"), broken_order(minji, spoil)])
    assert remainders(minji) == {1: 100}


@pytest.mark.django_db(transaction=True)
def test_a_decline_is_committed_before_it_is_raised():
    minji = builders.minji(builders.moa())
    with pytest.raises(InsufficientPoints):
        redeem(minji, 1)
    assert entries(minji) == [("decline", 0)]


@pytest.mark.parametrize("text", ["x" * 201, "a\x00b", "\ud800"], ids=["too long", "a zero byte", "a lone surrogate"])
def test_a_reference_that_cannot_be_stored_is_refused_as_bad_input(minji, text):
    with nothing_changes(), pytest.raises(BadInput) as refusal:
        grant(minji, 100, reference=text)
    assert refusal.value.field == "reference"


def test_orders_of_different_kinds_go_into_one_statement(minji, django_assert_max_num_queries):
    lot = builders.lot_of(grant(minji, 100))
    until = (NOW + days(500)).date()
    orders = [
        an_order(minji, 50, "1"),
        redeem_order(account_id=minji.pk, points=120, now=NOW, key="2", by=SHOP),
        extend_order(account_id=minji.pk, lots=[lot.pk], until=until, now=NOW, key="3", by=SHOP, reason="why"),
        clawback_order(account_id=minji.pk, points=40, now=NOW, key="4", by=SHOP, undoes="1"),
        an_order(minji, 30, "5"),
    ]
    # Clock, lock, keys, lots, grants, the one write, and the transaction's own begin and end.
    with django_assert_max_num_queries(8):
        outcomes = post(orders)
    kinds = [outcome.kind.value if isinstance(outcome, Receipt) else type(outcome) for outcome in outcomes]
    assert kinds[:2] == ["grant", "redeem"]
    assert recomputed(minji)[-1][1] == bytes(Account.objects.get(pk=minji.pk).head_hash)
