"""Two people, one wallet: whatever comes at the same moment, no point is spent twice (law 10)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from ledger.errors import InsufficientPoints, KeyReused
from ledger.models import Account, Entry
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, SHOP, clawback, days, grant, redeem
from tests.chains import recomputed
from tests.looking import entries, remainders, row_of
from tests.races.together import all_at_once, behind_a_writer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def minji():
    return builders.minji(builders.moa())


def adds_up(account: Account) -> bool:
    """The account's cached numbers are those of its entries and lots, without a gap, and the chain recomputes."""
    row = Account.objects.get(pk=account.pk)
    rows = list(Entry.objects.filter(account=account).order_by("seq"))
    assert [entry.seq for entry in rows] == list(range(1, row.seq + 1))
    assert sum(entry.amount for entry in rows) == row.balance - row.debt
    assert sum(remainders(account).values()) == row.balance == rows[-1].balance_after
    assert [hash_ for _, hash_ in recomputed(account)] == [bytes(entry.hash) for entry in rows]
    assert bytes(row.head_hash) == bytes(rows[-1].hash)
    return True


def test_of_two_redemptions_of_the_last_points_exactly_one_wins_and_the_other_is_on_record(minji):
    grant(minji, 100)
    answers = behind_a_writer(minji, [partial(redeem, minji, 100), partial(redeem, minji, 100)])
    won = [found for found in answers if isinstance(found, Receipt)]
    lost = [found for found in answers if isinstance(found, InsufficientPoints)]
    assert (len(won), len(lost)) == (1, 1)
    assert (won[0].points, won[0].balance) == (100, 0)
    assert (lost[0].receipt.asked, lost[0].receipt.available) == (100, 0)
    assert entries(minji) == [("grant", 100), ("redeem", -100), ("decline", 0)]
    assert row_of(minji) == (0, 0, 3)
    assert adds_up(minji)


def test_eight_redemptions_of_points_for_three_let_three_through(minji):
    grant(minji, 60, expires_at=NOW + days(5))
    grant(minji, 60)
    answers = behind_a_writer(minji, [partial(redeem, minji, 40) for _ in range(8)])
    assert sorted(type(found).__name__ for found in answers) == ["InsufficientPoints"] * 5 + ["Receipt"] * 3
    assert row_of(minji) == (0, 0, 10)
    assert remainders(minji) == {1: 0, 2: 0}
    assert adds_up(minji)


def test_eight_times_the_same_key_is_one_write_and_eight_same_answers(minji):
    grant(minji, 1000)
    answers = behind_a_writer(minji, [partial(redeem, minji, 100, key="order:1") for _ in range(8)])
    assert all(isinstance(found, Receipt) for found in answers)
    receipts = [found for found in answers if isinstance(found, Receipt)]
    assert [receipt.replayed for receipt in receipts].count(False) == 1
    assert {replace(receipt, replayed=False) for receipt in receipts} == {replace(receipts[0], replayed=False)}
    assert entries(minji) == [("grant", 1000), ("redeem", -100)]
    assert row_of(minji) == (900, 0, 2)


def test_eight_times_the_same_declined_key_is_one_decline(minji):
    answers = behind_a_writer(minji, [partial(redeem, minji, 100, key="order:1") for _ in range(8)])
    receipts = [found.receipt for found in answers if isinstance(found, InsufficientPoints)]
    assert len(receipts) == 8
    assert [receipt.replayed for receipt in receipts].count(False) == 1
    assert entries(minji) == [("decline", 0)]


def test_one_key_with_two_bodies_at_once_lets_one_through(minji):
    grant(minji, 1000)
    answers = behind_a_writer(minji, [partial(redeem, minji, n, key="order:1") for n in (100, 200)])
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
    assert row_of(minji)[0] + row_of(jun)[0] == 100


def test_everything_at_once_on_one_account_adds_up(minji):
    """No order is wanted here, only that some order explains the end."""
    for n in range(10):
        grant(minji, 50, key=f"order:{n}")
    calls = [partial(redeem, minji, 30, key=f"redeem:{n}") for n in range(8)]
    calls += [partial(clawback, minji, 50, key=f"return:{n}", undoes=f"order:{n}") for n in range(4)]
    calls += [partial(clawback, minji, 45, key=f"more:{n}", undoes="order:5") for n in range(2)]
    calls += [partial(grant, minji, 10, key=f"late:{n}") for n in range(4)]
    answers = all_at_once(calls)
    assert [found for found in answers if not isinstance(found, Receipt | InsufficientPoints)] == []
    declined = sum(isinstance(found, InsufficientPoints) for found in answers)
    balance, debt, _ = row_of(minji)
    taken_of_the_sixth = 50  # 45, and of the second 45 only what the cap left
    assert balance - debt == 500 + 40 - 30 * (8 - declined) - 4 * 50 - taken_of_the_sixth
    assert adds_up(minji)


def test_clawbacks_of_one_grant_at_once_stay_within_its_cap(minji):
    grant(minji, 100, key="order:1")
    grant(minji, 500)
    calls = [partial(clawback, minji, 70, undoes="order:1", key=f"return:{n}") for n in range(4)]
    answers = behind_a_writer(minji, calls)
    assert sorted(found.points for found in answers if isinstance(found, Receipt)) == [0, 0, 30, 70]
    assert row_of(minji)[0] == 500
    assert adds_up(minji)


def test_the_actor_of_a_replay_is_the_first_one(minji):
    """Whoever comes second with the same key is told the first answer; nothing of theirs is written."""
    behind_a_writer(minji, [partial(grant, minji, 5, key="order:1") for _ in range(2)])
    assert list(Entry.objects.values_list("actor", flat=True)) == [str(SHOP)]
