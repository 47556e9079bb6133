"""The end of an account: until its very instant everything works, from then on nothing does, whoever writes it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from ledger import closures
from ledger.actors import Actor
from ledger.errors import AccountClosed, AlreadyClosing
from ledger.expiry import Sweep, sweep_all
from ledger.models import Account, Closure
from ledger.receipts import Receipt
from tests import builders
from tests.builders import NOW, a_key, close, days, grant, hold, redeem
from tests.looking import entries, nothing_changes, row_of
from tests.races.test_redemptions import adds_up
from tests.races.together import behind_a_sweep, behind_a_writer, in_this_order, swept_while_writing

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = [("grant", 100), ("close", 0)]


@pytest.fixture
def minji():
    account = builders.minji(builders.moa())
    grant(account, 100)
    close(account)
    return account


@pytest.fixture
def end(minji):
    return Closure.objects.get(account=minji).closes_at


@pytest.fixture
def just_before(end):
    return end - timedelta(microseconds=1)


def withdraw(account: Account, *, now) -> Receipt:
    return closures.withdraw(account=account, now=now, key=a_key("member"), by=Actor("member", "1"))


def test_whatever_waits_for_the_sweep_of_the_end_comes_too_late(minji, end, just_before):
    swept, refused = behind_a_sweep(
        end,
        partial(redeem, minji, 10, now=just_before),
        partial(grant, minji, 10, now=just_before),
        partial(withdraw, minji, now=just_before),
    )
    assert swept.entries == 1
    assert [type(found) for found in refused] == [AccountClosed] * 3
    assert entries(minji) == [*ASKED, ("forfeit", -100)]
    assert adds_up(minji)


@pytest.mark.parametrize(("act", "left"), [(redeem, 90), (grant, 110)])
def test_what_is_being_written_before_the_end_counts_and_the_next_sweep_takes_the_rest(
    minji, end, just_before, act, left
):
    swept, done = swept_while_writing(end, partial(act, minji, 10, now=just_before))
    assert swept == Sweep(found=1, entries=0, left=frozenset({minji.pk}))
    assert isinstance(done, Receipt)
    assert sweep_all(now=end) == 1
    assert entries(minji)[-1] == ("forfeit", -left)
    assert adds_up(minji)


def test_a_closure_withdrawn_just_before_its_end_takes_nothing(minji, end, just_before):
    swept, withdrawn = swept_while_writing(end, partial(withdraw, minji, now=just_before))
    assert (swept.entries, type(withdrawn)) == (0, Receipt)
    assert sweep_all(now=end) == 0
    assert entries(minji) == [*ASKED, ("close", 0)]
    assert row_of(minji)[0] == 100
    assert not Account.objects.get(pk=minji.pk).closed
    assert adds_up(minji)


def test_at_the_instant_itself_everything_is_refused_and_nothing_written(minji, end):
    calls: list = [partial(act, minji, 10, now=end) for act in (redeem, grant)]
    with nothing_changes():
        answers = behind_a_writer(minji, [*calls, partial(withdraw, minji, now=end), partial(close, minji, now=end)])
    assert [type(found) for found in answers] == [AccountClosed] * 4


def test_a_hold_that_is_made_before_the_end_comes_back_at_the_end_and_goes_with_the_rest(minji, end, just_before):
    _, held = swept_while_writing(end, partial(hold, minji, 30, lapses_at=end + days(1), now=just_before))
    assert isinstance(held, Receipt)
    assert sweep_all(now=end) == 2
    assert entries(minji)[2:] == [("hold", -30), ("release", 30), ("forfeit", -100)]
    assert adds_up(minji)


def test_a_redemption_behind_a_withdrawal_and_one_behind_a_closure_work(minji):
    answers = in_this_order(minji, partial(withdraw, minji, now=NOW), partial(redeem, minji, 10))
    answers += in_this_order(minji, partial(close, minji), partial(redeem, minji, 5))
    assert [type(found) for found in answers] == [Receipt] * 4
    assert entries(minji) == [*ASKED, ("close", 0), ("redeem", -10), ("close", 0), ("redeem", -5)]
    assert adds_up(minji)


def test_of_closures_asked_for_at_once_one_is_pending(minji):
    withdraw(minji, now=NOW)
    answers = behind_a_writer(minji, [partial(close, minji) for _ in range(4)])
    assert sorted(type(found).__name__ for found in answers) == [AlreadyClosing.__name__] * 3 + ["Receipt"]
    assert Closure.objects.filter(account=minji, open=True).count() == 1
    assert adds_up(minji)
