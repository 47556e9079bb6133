"""Members against the clock: a redemption and the sweep at the very instant at which points go."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from ledger.accounts import open_account
from ledger.errors import InsufficientPoints
from ledger.expiry import Sweep, sweep, sweep_all
from ledger.models import Entry
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, days, grant, redeem
from tests.looking import entries, nothing_changes, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import (
    all_at_once,
    behind_a_sweep,
    behind_a_writer,
    somebody_writing_to,
    swept_while_writing,
)

pytestmark = pytest.mark.django_db(transaction=True)
GONE = NOW + days(1)
JUST_BEFORE = GONE - timedelta(microseconds=1)


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100, expires_at=GONE)
    return account


def test_a_sweep_leaves_the_account_that_a_redemption_is_writing_to_and_takes_the_rest_later(minji):
    swept, redeemed = swept_while_writing(GONE, partial(redeem, minji, 60, now=JUST_BEFORE))
    assert swept == Sweep(found=1, entries=0, left=frozenset({minji.pk}))
    assert isinstance(redeemed, Receipt)
    assert entries(minji) == [("grant", 100), ("redeem", -60)]
    assert sweep_all(now=GONE) == 1
    assert entries(minji)[-1] == ("expire", -40)
    assert adds_up(minji)


def test_a_redemption_that_waited_for_the_sweep_finds_the_points_gone(minji):
    swept, (declined,) = behind_a_sweep(GONE, partial(redeem, minji, 60, now=JUST_BEFORE))
    assert swept.entries == 1
    assert isinstance(declined, InsufficientPoints)
    assert (declined.receipt.available, declined.receipt.recorded_at) == (0, GONE)
    assert entries(minji) == [("grant", 100), ("expire", -100), ("decline", 0)]
    assert adds_up(minji)


def test_at_the_instant_itself_points_expire_once_whoever_writes_it(minji):
    answers = behind_a_writer(minji, [partial(redeem, minji, 60, now=GONE) for _ in range(3)])
    assert all(isinstance(found, InsufficientPoints) for found in answers)
    assert Entry.objects.filter(kind="expire").count() == 1
    assert row_of(minji) == (0, 0, 5)


def test_redemptions_and_sweeps_let_loose_at_each_other_write_every_point_off_once():
    moa = builders.moa()
    for n in range(8):
        account = open_account(programme=moa, reference=f"m{n}")
        grant(account, 100, expires_at=GONE)
        calls: list = [
            partial(redeem, account, 70, now=JUST_BEFORE),
            partial(sweep, now=GONE),
            partial(sweep, now=GONE),
        ]
        redeemed, *swept = all_at_once(calls)
        sweep_all(now=GONE)
        assert isinstance(redeemed, Receipt | InsufficientPoints)
        assert all(isinstance(found, Sweep) for found in swept)
        lost = 30 if isinstance(redeemed, Receipt) else 100
        assert sum(amount for kind, amount in entries(account) if kind == "expire") == -lost
        assert [kind for kind, _ in entries(account)].count("expire") == 1
        assert row_of(account)[0] == 0
        assert adds_up(account)


def test_a_sweep_skips_a_busy_account_and_the_next_pass_takes_it(minji):
    jun = builders.jun(minji.programme)
    grant(jun, 100, expires_at=GONE)
    with somebody_writing_to(minji):
        assert sweep(now=GONE) == Sweep(found=2, entries=1, left=frozenset({minji.pk}))
        assert entries(minji) == [("grant", 100)]
        assert entries(jun) == [("grant", 100), ("expire", -100)]
        with nothing_changes():
            assert sweep_all(now=GONE) == 0  # it gives up for now rather than spin
    assert sweep_all(now=GONE) == 1
    assert entries(minji) == [("grant", 100), ("expire", -100)]
    assert adds_up(minji)


def test_two_sweeps_at_once_share_the_work_and_write_nothing_twice(minji):
    moa = minji.programme
    accounts = [open_account(programme=moa, reference=f"m{n}") for n in range(30)]
    for account in accounts:
        grant(account, 10, expires_at=GONE)
    answers = all_at_once([partial(sweep_all, now=GONE) for _ in range(4)])
    assert all(isinstance(found, int) for found in answers)
    sweep_all(now=GONE)
    for account in accounts:
        assert entries(account) == [("grant", 10), ("expire", -10)]
    assert Entry.objects.filter(kind="expire").count() == 31
