"""A message comes back at the moment its points go: either the notice still stood, or the points stay."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest

from ledger import notices
from ledger.actors import Actor
from ledger.expiry import Sweep, sweep_all
from ledger.models import Entry, Lot
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, a_key, days, grant, tell
from tests.looking import entries, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import behind_a_sweep, behind_a_writer, swept_while_writing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lot():
    """Points of Minji's that go in 40 days, of which she was told today."""
    minji = builders.minji(builders.byeol())
    lot = builders.lot_of(grant(minji, 100, expires_at=NOW + days(40)))
    told = tell(minji, [lot.pk], told_on=date(2025, 3, 10), now=NOW)
    assert told.kind == "notify"
    return Lot.objects.select_related("account").get(pk=lot.pk)


def withdraw(lot: Lot, *, now) -> Receipt:
    notice = Entry.objects.get(account=lot.account, kind="notify", undoes_seq=None).key
    assert notice
    return notices.withdraw(
        account=lot.account, notice=notice, now=now, key=a_key("delivery"), by=Actor("alerts"), reason="came back"
    )


def test_a_withdrawal_behind_the_sweep_comes_too_late(lot):
    gone = lot.expires_at
    swept, (withdrawn,) = behind_a_sweep(gone, partial(withdraw, lot, now=gone - timedelta(microseconds=1)))
    assert swept.entries == 1
    assert isinstance(withdrawn, Receipt)
    assert withdrawn.kind == "note"
    assert entries(lot.account) == [("grant", 100), ("notify", 0), ("expire", -100), ("note", 0)]
    assert adds_up(lot.account)


def test_a_withdrawal_that_is_being_written_keeps_the_points(lot):
    gone = lot.expires_at
    swept, withdrawn = swept_while_writing(gone, partial(withdraw, lot, now=gone - timedelta(microseconds=1)))
    assert swept == Sweep(found=1, entries=0, left=frozenset({lot.account_id}))
    assert isinstance(withdrawn, Receipt)
    assert withdrawn.kind == "notify"
    assert sweep_all(now=gone + days(30)) == 0
    assert row_of(lot.account)[0] == 100
    assert adds_up(lot.account)


def test_of_withdrawals_at_once_one_withdraws_and_the_others_find_it_done(lot):
    answers = behind_a_writer(lot.account, [partial(withdraw, lot, now=NOW) for _ in range(4)])
    assert sorted(str(found.kind) for found in answers if isinstance(found, Receipt)) == ["note"] * 3 + ["notify"]
    assert adds_up(lot.account)
