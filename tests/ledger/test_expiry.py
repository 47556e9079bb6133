"""The sweep: bookkeeping in batches; when it runs changes no number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone

from ledger import expiry, posting, statements
from ledger.accounts import open_account
from ledger.errors import AccountBusy, FutureAct, LedgerBroken, NoPolicy
from ledger.expiry import Sweep, sweep, sweep_all
from ledger.models import Entry
from ledger.posting import tidy
from tests import builders
from tests.builders import NOW, days, grant, lot_of, redeem, tell
from tests.looking import entries, nothing_changes, remainders, row_of

pytestmark = pytest.mark.django_db


def test_a_sweep_writes_off_what_the_clock_has_ended_and_nothing_else(minji, moa):
    jun = builders.jun(moa)
    grant(minji, 100, expires_at=NOW + days(1))
    grant(minji, 50, expires_at=NOW + days(3))
    grant(jun, 7, expires_at=NOW + days(9))
    redeem(minji, 30)
    assert sweep(now=NOW + days(2)) == Sweep(found=1, entries=1, left=frozenset())
    assert entries(minji) == [("grant", 100), ("grant", 50), ("redeem", -30), ("expire", -70)]
    assert entries(jun) == [("grant", 7)]
    expire = Entry.objects.get(kind="expire")
    assert (expire.effective_at, expire.recorded_at) == (NOW + days(1), NOW + days(2))
    assert (expire.key, expire.actor) == (None, "system:clock")
    with nothing_changes():
        assert sweep(now=NOW + days(2)) == Sweep(found=0, entries=0, left=frozenset())


def test_a_sweep_takes_a_lot_at_its_very_instant_and_not_before(minji):
    grant(minji, 100, expires_at=NOW + days(1))
    with nothing_changes():
        assert sweep(now=NOW + days(1) - timedelta(microseconds=1)).entries == 0
    assert sweep(now=NOW + days(1)).entries == 1
    assert row_of(minji) == (0, 0, 2)


def test_lots_of_one_instant_are_one_entry_and_of_two_are_two(minji):
    for offset in (1, 1, 2):
        grant(minji, 10, expires_at=NOW + days(offset))
    assert sweep(now=NOW + days(5)).entries == 2
    assert [amount for kind, amount in entries(minji) if kind == "expire"] == [-20, -10]


def test_gated_lots_are_not_swept():
    minji = builders.minji(builders.byeol(count=1))
    grant(minji, 100)
    with nothing_changes():
        assert sweep_all(now=NOW + days(200)) == 0


def test_told_lots_are_swept_at_their_date():
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 100))
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW + days(1))
    gone = datetime(2025, 5, 31, 15, tzinfo=UTC)
    assert lot.expires_at == gone
    assert sweep_all(now=gone - timedelta(microseconds=1)) == 0
    assert sweep_all(now=gone) == 1
    assert entries(minji) == [("grant", 100), ("notify", 0), ("expire", -100)]


def test_a_pass_is_bounded_takes_the_oldest_first_and_says_what_it_found(moa):
    accounts = [open_account(programme=moa, reference=f"m{n}") for n in range(5)]
    for n, account in enumerate(accounts):
        grant(account, 10, expires_at=NOW + days(9 - n))  # the last account's lot is the oldest
    now = NOW + days(20)
    assert sweep(now=now, limit=2) == Sweep(found=2, entries=2, left=frozenset())
    assert [row_of(account)[0] for account in accounts] == [10, 10, 10, 0, 0]
    assert sweep(now=now, limit=2).entries == 2
    assert sweep(now=now, limit=2) == Sweep(found=1, entries=1, left=frozenset())
    assert sweep(now=now, limit=2) == Sweep(found=0, entries=0, left=frozenset())
    assert [row_of(account)[0] for account in accounts] == [0, 0, 0, 0, 0]


def test_sweeping_until_nothing_is_left_counts_the_entries(minji, moa):
    jun = builders.jun(moa)
    for offset in (1, 2, 3):
        grant(minji, 10, expires_at=NOW + days(offset))
    grant(jun, 10, expires_at=NOW + days(1))
    assert sweep_all(now=NOW + days(20)) == 4
    assert sweep_all(now=NOW + days(20)) == 0


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LedgerBroken("this account cannot pass"), "this account cannot pass"),
        (NoPolicy(), "policy"),
        (DataError('value "m@example.com" is out of range'), "DataError"),
        (OverflowError("date value out of range"), "OverflowError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_account_that_cannot_be_swept_is_set_aside_and_holds_up_no_other(
    minji, moa, monkeypatch, caplog, error, told
):
    broken = builders.jun(moa)
    for account in (minji, broken):
        grant(account, 10, expires_at=NOW + days(1))

    def tidy(account_ids, now):
        if broken.pk in account_ids:
            raise error
        return posting.tidy(account_ids, now)

    monkeypatch.setattr(expiry, "tidy", tidy)
    assert sweep_all(now=NOW + days(2)) == 1
    assert remainders(minji) == {1: 0}
    assert remainders(broken) == {1: 10}
    assert f"account {broken.pk} cannot be swept: " in caplog.text
    assert told in caplog.text
    assert "m@example" not in caplog.text


@pytest.mark.parametrize("error", [OperationalError("the connection is gone"), AccountBusy(), FutureAct(field="now")])
def test_what_holds_of_all_accounts_ends_the_sweep(minji, moa, monkeypatch, error):
    for account in (minji, builders.jun(moa)):
        grant(account, 10, expires_at=NOW + days(1))
    asked = []

    def tidy(account_ids, now):
        asked.append(account_ids)
        raise error

    monkeypatch.setattr(expiry, "tidy", tidy)
    with pytest.raises(type(error)):
        sweep_all(now=NOW + days(2))
    assert len(asked) == 1


def test_another_programme_can_be_left_alone(minji):
    elsewhere = builders.minji(builders.moa("other"))
    grant(minji, 10, expires_at=NOW + days(1))
    grant(elsewhere, 10, expires_at=NOW + days(1))
    assert sweep_all(now=NOW + days(2), programme_id=elsewhere.programme_id) == 1
    assert remainders(minji) == {1: 10}
    assert remainders(elsewhere) == {1: 0}


def test_a_sweep_is_not_dated_after_the_real_clock(minji):
    receipt = grant(minji, 10, now=timezone.now(), expires_at=timezone.now() + timedelta(minutes=30))
    with nothing_changes(), pytest.raises(FutureAct):
        sweep(now=receipt.recorded_at + timedelta(hours=1))


def test_the_numbers_are_the_same_whether_swept_at_once_late_or_never(moa):
    members = {name: open_account(programme=moa, reference=name) for name in ("at once", "late")}
    never = open_account(programme=moa, reference="never")

    def everybody(act, *args, **more):
        for account in (*members.values(), never):
            act(account, *args, **more)

    everybody(grant, 100, expires_at=NOW + days(1))
    everybody(grant, 100, expires_at=NOW + days(5))
    everybody(grant, 100, expires_at=NOW + days(9))
    tidy({members["at once"].pk}, NOW + days(1))
    everybody(redeem, 30, now=NOW + days(2))
    tidy({members["at once"].pk}, NOW + days(5))
    tidy({members["at once"].pk, members["late"].pk}, NOW + days(6))
    everybody(redeem, 20, now=NOW + days(7))
    looks = {
        at: {name: statements.balance(account, at=NOW + days(at)) for name, account in (*members.items(), ("n", never))}
        for at in (7, 8, 9)
    }
    for at, by_name in looks.items():
        assert set(by_name.values()) == {statements.Balance(80 if at < 9 else 0, 0, 80 if at < 9 else 0, 0)}
    assert entries(members["at once"]) == entries(members["late"]) == entries(never)
