"""Sealing while others act: who commits late is sealed next time, and two sealers never make the same number."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from ledger import writing
from ledger.grants import grant_order
from ledger.models import Account, Seal, SealLeaf
from ledger.posting import post
from ledger.seals import seal, verify
from tests import builders
from tests.builders import NOW, SHOP, days, grant
from tests.races.together import PATIENCE, all_at_once, other_connection, patiently, running, until_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def minji():
    return builders.minji(builders.moa())


@pytest.fixture
def jun(minji):
    return builders.jun(minji.programme)


def covered(number: int) -> list[tuple[int, int]]:
    return list(SealLeaf.objects.filter(seal=number).order_by("account").values_list("account", "seq"))


def test_a_transaction_that_commits_after_the_seal_is_in_the_next_one(minji, jun, monkeypatch):
    """Minji's entry has the lower id, and is not committed yet when Jun's is sealed."""
    written, go_on = threading.Event(), threading.Event()
    write = writing.write

    def write_and_wait(books):
        written_now = write(books)
        if not written.is_set():
            written.set()
            assert go_on.wait(PATIENCE)
        return written_now

    monkeypatch.setattr(writing, "write", write_and_wait)
    order = grant_order(account_id=minji.pk, points=100, now=NOW, key="order:1", by=SHOP)
    with running([partial(post, [order])]) as (late,):
        try:
            assert written.wait(PATIENCE)
            grant(jun, 50)
            seal(now=NOW)
        finally:
            go_on.set()
        late.result(PATIENCE)
    first, second = minji.entries.get(), jun.entries.get()
    assert first.pk < second.pk
    assert covered(1) == [(jun.pk, 1)]
    seal(now=NOW)
    assert covered(2) == [(minji.pk, 1)]
    assert list(verify()) == []


def the_table_of_seals_is_held(calls):
    """The answers of calls that all waited for another sealer, which in the end made nothing."""
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE ledger_seal IN SHARE ROW EXCLUSIVE MODE")
        with running([partial(patiently, call) for call in calls]) as futures:
            try:
                until_waiting(len(calls))
                yield
            finally:
                other.rollback()
            yield [future.result(PATIENCE) for future in futures]


def test_what_was_committed_while_a_sealer_waited_is_in_its_seal(minji, jun):
    grant(minji, 100)
    held = the_table_of_seals_is_held([partial(seal, now=NOW)])
    next(held)
    grant(jun, 50)
    (made,) = next(held)
    held.close()
    assert made.number == 1
    assert covered(1) == [(minji.pk, 1), (jun.pk, 1)]


def test_of_sealers_at_once_one_makes_the_seal_and_the_others_find_nothing_left(minji, jun):
    grant(minji, 100)
    held = the_table_of_seals_is_held([partial(seal, now=NOW)] * 3)
    next(held)
    answers = next(held)
    held.close()
    assert [type(answer) for answer in answers].count(Seal) == 1
    assert answers.count(None) == 2
    assert Seal.objects.count() == 1


def test_numbers_have_no_gap_whoever_seals_while_everybody_acts(minji, jun):
    def acts(account: Account) -> None:
        for _ in range(15):
            grant(account, 1)

    def seals() -> None:
        for n in range(10):
            seal(now=NOW + days(n))

    outcomes = all_at_once([partial(acts, minji), partial(acts, jun), seals, seals])
    assert outcomes == [None] * 4
    seal(now=NOW + days(20))
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert {account: max(n for who, n in SealLeaf.objects.values_list("account", "seq") if who == account)
            for account in (minji.pk, jun.pk)} == {minji.pk: 15, jun.pk: 15}  # fmt: skip
    assert list(verify()) == []


def test_who_waits_too_long_leaves_the_work_to_whoever_is_at_it(minji):
    grant(minji, 100)
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE ledger_seal IN SHARE ROW EXCLUSIVE MODE")
        assert seal(now=NOW) is None
        grant(minji, 1)  # sealing stands in nobody's way
        assert list(verify()) == []  # and who looks waits for nobody
        other.rollback()
    assert seal(now=NOW) is not None
    assert covered(1) == [(minji.pk, 2)]
