"""Batches that share keys: between accounts only the database orders them, so two batches can wait in a circle.

What must not happen: that a key is written twice, that half a batch stays, or that a batch is lost without its caller
being told. One of them may be told to try again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

import pytest

from ledger import writing
from ledger.accounts import open_account
from ledger.audit import audit
from ledger.errors import AccountBusy, KeyReused
from ledger.grants import grant_order
from ledger.models import Account, Entry
from ledger.posting import Order, post
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP
from tests.looking import entries
from tests.races.test_redemptions import adds_up
from tests.races.together import PATIENCE, all_at_once, patiently, running, until_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eight() -> list[Account]:
    """Eight accounts of one programme in the order of their ids."""
    moa = builders.moa()
    return [open_account(programme=moa, reference=f"m{n}") for n in range(8)]


def batch(accounts: Sequence[Account], *keys: str) -> list[Order]:
    """Five points for each account, under these keys."""
    return [
        grant_order(account_id=account.pk, points=5, now=NOW, key=key, by=SHOP)
        for account, key in zip(accounts, keys, strict=True)
    ]


class Undone(Exception):
    """Of a batch that had written and is taken back."""


@contextmanager
def written_and_then_undone(monkeypatch: pytest.MonkeyPatch, orders: Sequence[Order]) -> Iterator[None]:
    """In the block these orders stand in an open transaction, so that whoever uses their keys waits; then it ends."""
    accounts = {order.account_id for order in orders}
    written, go_on = threading.Event(), threading.Event()
    write = writing.write

    def write_and_wait(books) -> None:
        books = list(books)
        write(books)
        if accounts & {book.account_id for book in books}:
            written.set()
            assert go_on.wait(PATIENCE)
            raise Undone

    monkeypatch.setattr(writing, "write", write_and_wait)
    with running([partial(post, orders)]) as (future,):
        try:
            assert written.wait(PATIENCE)
            yield
        finally:
            go_on.set()
        assert isinstance(future.result(PATIENCE), Undone)


def test_two_batches_that_wait_for_each_others_keys_lose_nothing(eight, monkeypatch):
    """Each has written its first key when the other asks for it; what stood between them has gone by then."""
    first = batch(eight[:3], "a", "between:1", "b")
    second = batch(eight[3:6], "b", "between:2", "a")
    futures: list = []
    with ExitStack() as stack:
        with written_and_then_undone(monkeypatch, batch(eight[6:], "between:1", "between:2")):
            for number, orders in enumerate((first, second), start=1):
                futures += stack.enter_context(running([partial(patiently, partial(post, orders))]))
                until_waiting(number)
        answers = [future.result(PATIENCE) for future in futures]

    (won,) = (n for n, found in enumerate(answers) if not isinstance(found, Exception))
    assert [type(outcome) for outcome in answers[won]] == [Receipt] * 3
    assert isinstance(answers[1 - won], AccountBusy | KeyReused)  # and not whatever the database calls it
    theirs, others = ((eight[:3], eight[3:6]), (eight[3:6], eight[:3]))[won]
    assert [entries(account) for account in theirs] == [[("grant", 5)]] * 3
    assert [entries(account) for account in [*others, *eight[6:]]] == [[]] * 5  # nothing of a batch that was refused

    again = [post(orders) for orders in (first, second)]
    assert again[won] == [replace(receipt, replayed=True) for receipt in answers[won]]
    assert [type(outcome) for outcome in again[1 - won]] == [KeyReused, Receipt, KeyReused]
    keys = ["a", "b", "between:1", "between:2"]
    assert sorted(map(str, Entry.objects.values_list("key", flat=True))) == keys
    assert all(adds_up(account) for account in [*theirs, others[1]])
    assert list(audit()) == []


def test_batches_with_the_same_keys_in_opposite_orders_at_once_write_each_key_once(eight):
    """Unstaged, again and again: whichever way it goes, one gets both keys, and the other is told."""
    for n in range(5):
        keys = [f"a:{n}", f"b:{n}"]
        calls = [partial(post, batch(eight[:2], *keys)), partial(post, batch(eight[2:4], *reversed(keys)))]
        answers = all_at_once(calls)
        outcomes = [
            [type(outcome).__name__ for outcome in found] if isinstance(found, list) else type(found).__name__
            for found in answers
        ]
        assert outcomes.count(["Receipt", "Receipt"]) == 1, outcomes
        assert any(one in ("KeyReused", "AccountBusy", ["KeyReused", "KeyReused"]) for one in outcomes), outcomes
    written = [str(key) for key in Entry.objects.values_list("key", flat=True)]
    assert sorted(written) == sorted({*written})
    assert len(written) == 10
    assert sum(len(entries(account)) for account in eight[:4]) == 10
    assert all(adds_up(account) for account in eight[:4] if entries(account))


def test_the_same_batch_in_opposite_orders_at_once_is_answered_alike(eight):
    orders = batch(eight[:4], *"abcd")
    for n, found in enumerate(all_at_once([partial(post, orders), partial(post, orders[::-1])] * 3)):
        assert isinstance(found, list)
        receipts = found if n % 2 == 0 else found[::-1]
        assert [(receipt.account_id, receipt.seq, receipt.points) for receipt in receipts] == [
            (account.pk, 1, 5) for account in eight[:4]
        ]
    assert [entries(account) for account in eight[:4]] == [[("grant", 5)]] * 4
