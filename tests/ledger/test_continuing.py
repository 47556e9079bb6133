"""An account is told on from where it was last told clean: only what happened since is read, and nothing is missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import product
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from ledger import extensions, grants, posting, redemptions
from ledger.audit import audit
from ledger.errors import CannotUndo
from ledger.models import Account, AccountVerdict, Entry, Mode
from ledger.verdicts import Run
from tests import builders
from tests.builders import NOW, SHOP, STAFF
from tests.laws.sides import Sides, inside_a_test
from tests.laws.stages import START, programme_of
from tests.laws.test_seeds import STORIES, step
from tests.ledger.insiders import rechain, tamper

pytestmark = pytest.mark.django_db


def run(mode: Mode = Mode.MOVED) -> tuple[list[str], int]:
    """What a run of the audit finds, and how many entries it told."""
    going = Run(mode, NOW)
    said = [str(finding) for finding in going.findings()]
    return said, going.keep(ended_at=NOW).entries


def whole() -> list[str]:
    return [str(finding) for finding in audit()]


@pytest.fixture
def old(minji: Account) -> Account:
    """Minji with a grant, a redemption of 30 and eight entries more, told clean; then she gets 5, spends 7 and 2."""
    builders.grant(minji, 100, key="g")
    builders.redeem(minji, 30, key="r")
    for _ in range(8):
        builders.redeem(minji, 1)
    assert run() == ([], 10)
    builders.grant(minji, 5)  # 11
    builders.redeem(minji, 7)  # 12
    builders.redeem(minji, 2)  # 13
    return minji


def test_the_entries_since_are_told_alone_and_the_next_run_goes_on_from_there(old):
    assert run() == ([], 3)
    assert run() == ([], 0)
    builders.refund(old, 30, "r")
    builders.clawback(old, 100, undoes="g")
    assert run() == ([], 2)
    row = AccountVerdict.objects.get()
    assert (row.seq, bytes(row.head_hash)) == (15, bytes(Account.objects.get().head_hash))


@contextmanager
def rows_counted() -> Iterator[list[int]]:
    """How many rows each statement brought."""
    counts: list[int] = []

    def count(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if sql.lstrip().startswith(("SELECT", "WITH")):
            counts.append(context["cursor"].rowcount)
        return done

    with connection.execute_wrapper(count):
        yield counts


def live(account: Account, redemptions_before: int) -> None:
    """A grant, and so many redemptions of one point."""
    head: dict = {"account_id": account.pk, "now": NOW, "by": SHOP}
    orders = [grants.grant_order(**head, points=5_000, key="much")]
    orders += [redemptions.redeem_order(**head, points=1, key=f"r{n}") for n in range(redemptions_before)]
    posting.post(orders)


def rows_read_after(account: Account, redemptions_before: int) -> int:
    live(account, redemptions_before)
    assert run() == ([], redemptions_before + 1)
    builders.redeem(account, 3)
    builders.refund(account, 1, "r1")
    builders.grant(account, 4)
    with rows_counted() as counts:
        assert run() == ([], 3)
    return sum(counts)


def test_of_a_thousand_old_entries_no_more_is_read_than_of_ten(moa):
    read = rows_read_after(builders.minji(moa), 10)
    other = builders.jun(builders.moa("other"))
    assert rows_read_after(other, 1_000) <= read + 10  # of Minji's, who stands still
    assert read < 60


NEW = "WHERE account_id = {} AND seq = 12"
BROKEN = {
    "a new entry": f"UPDATE ledger_entry SET reason = 'because' {NEW}",
    "its numbers": f"UPDATE ledger_entry SET balance_after = balance_after + 1 {NEW}",
    "its link": f"UPDATE ledger_entry SET hash = '\\x00' {NEW}",
    "the link at the seam": "UPDATE ledger_entry SET hash = '\\x00' WHERE account_id = {} AND seq = 11",
    "its points": "UPDATE ledger_allocation SET delta = -6 WHERE delta = -7",
    "its time": f"UPDATE ledger_entry SET recorded_at = recorded_at + interval '1 hour' {NEW}",
    "a lot that it took from": "UPDATE ledger_lot SET remaining = remaining - 1 WHERE account_id = {} AND seq = 1",
    "a lot of which nobody spoke": "UPDATE ledger_lot SET gated = NOT gated, notice_days = 1 WHERE seq = 11",
    "the account": "UPDATE ledger_account SET active_at = active_at - interval '1 hour' WHERE id = {}",
    "its head": "UPDATE ledger_account SET head_hash = '\\x00' WHERE id = {}",
    "an entry that is gone": f"DELETE FROM ledger_allocation WHERE delta = -7; DELETE FROM ledger_entry {NEW}",
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("clever", [False, True], ids=["as it is", "with the chain computed anew"])
def test_what_is_broken_since_is_found_as_a_whole_run_finds_it(old, what, clever):
    tamper(BROKEN[what].format(old.pk))
    if clever and "gone" not in what:
        rechain(old)
    expected = whole()
    assert expected or clever
    assert run()[0] == expected


def test_a_kept_number_that_was_changed_before_the_entries_since_is_not_carried_over(minji):
    builders.grant(minji, 100)
    assert run() == ([], 1)
    tamper("UPDATE ledger_lot SET remaining = 90; UPDATE ledger_account SET balance = 90")
    builders.redeem(minji, 10)
    expected = whole()
    assert len(expected) > 1
    assert run()[0] == expected


def test_an_old_entry_that_was_written_anew_up_to_the_seam_is_noticed(old):
    tamper("UPDATE ledger_entry SET reference = 'another order' WHERE seq = 3")
    rechain(old)
    assert whole() == []  # by itself it adds up
    said, entries = run()
    assert said == [
        f"law 13: account {old.pk}, entry 10: it is not the entry that was there when the account was last told"
    ]
    assert entries == 13


def test_an_old_entry_that_was_changed_under_its_old_hash_is_found_by_a_full_run_only(old):
    tamper("UPDATE ledger_entry SET reason = 'because' WHERE seq = 3")
    assert run() == ([], 3)
    assert run(Mode.FULL)[0] == [f"law 13: account {old.pk}, entry 3: its hash does not recompute"]
    builders.redeem(old, 1)
    assert len(run()[0]) == 1  # who has findings is told whole until it is clean


def test_that_an_extension_was_undone_of_which_the_member_was_told_is_found_without_a_duty_too(minji):
    lot = builders.lot_of(builders.grant(minji, 10))
    builders.extend(minji, [lot.pk], date(2026, 7, 31))
    second = Entry.objects.latest("seq").key or ""
    builders.tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    builders.extend(minji, [lot.pk], date(2026, 8, 31))
    third = Entry.objects.latest("seq").key or ""
    assert run() == ([], 4)
    head: dict = {"account": minji, "now": NOW, "by": STAFF, "reason": "a mistake"}
    extensions.undo(**head, extension=third, key="u")
    with pytest.raises(CannotUndo, match="was told"):
        extensions.undo(**head, extension=second, key="v")
    with patch.object(extensions, "_check_can_go_back"):
        extensions.undo(**head, extension=second, key="w")
    expected = whole()
    assert [line.split(":")[0] for line in expected] == ["law 15"]
    assert run()[0] == expected


def test_more_than_a_window_of_entries_is_told_whole(old, monkeypatch):
    monkeypatch.setattr("ledger.continuing.ENTRIES_AT_ONCE", 2)
    assert run() == ([], 13)


# Of these lives the page cannot be gone back to at every place: points that went by inactivity came back to a lot that
# had been emptied, and which date that kept nobody says.
TOLD_WHOLE = {"an extension of idle points makes their notice stale, and activity moves them all": [6, 7]}


def go_through(sides: Sides, steps: Sequence[tuple[str, float, dict]]) -> None:
    for what, day, more in steps:
        step(sides, what, START + timedelta(days=day), more)


@pytest.mark.parametrize("story", STORIES)
def test_every_life_can_be_told_on_from_everywhere(story):
    stage, steps = STORIES[story]
    told_whole = []
    for place in range(1, len(steps)):
        with inside_a_test():
            sides = Sides(programme_of(stage), stage)
            go_through(sides, steps[:place])
            assert run()[0] == []
            before = Account.objects.get(pk=sides.accounts[0].pk).seq
            go_through(sides, steps[place:])
            since = Account.objects.get(pk=sides.accounts[0].pk).seq - before
            said, entries = run()
            assert said == []
            if before and entries != since:
                told_whole.append(place)
            transaction.set_rollback(True)
    assert told_whole == TOLD_WHOLE.get(story, [])


IN_A_LIFE = (
    "UPDATE ledger_entry SET reason = 'because' WHERE account_id = {0} AND seq = {1}",
    "UPDATE ledger_entry SET actor = 'clock' WHERE account_id = {0} AND seq = {1}",
    "UPDATE ledger_entry SET balance_after = balance_after + 1 WHERE account_id = {0} AND seq = {1}",
    "UPDATE ledger_entry SET recorded_at = recorded_at + interval '9 days' WHERE account_id = {0} AND seq = {1}",
    "UPDATE ledger_entry SET undoes_seq = 1 WHERE account_id = {0} AND seq = {1}",
    "UPDATE ledger_lot SET spendable_at = spendable_at + interval '1 day' WHERE account_id = {0} AND open",
    "UPDATE ledger_lot SET gated = NOT gated WHERE account_id = {0} AND notice_days > 0",
    "UPDATE ledger_lot SET moved_untold = NOT moved_untold WHERE account_id = {0}",
    "UPDATE ledger_lot SET expires_at = expires_at + interval '1 day' WHERE account_id = {0}",
    "UPDATE ledger_account SET active_at = active_at - interval '1 hour' WHERE id = {0}",
    "UPDATE ledger_hold SET open = NOT open WHERE account_id = {0}",
    "UPDATE ledger_extension SET until = until + interval '1 day' WHERE entry_id = "
    "(SELECT id FROM ledger_entry WHERE account_id = {0} AND seq = {1})",
    "UPDATE ledger_notice SET channel = 'letter' WHERE entry_id = "
    "(SELECT id FROM ledger_entry WHERE account_id = {0} AND seq = {1})",
)


@pytest.mark.parametrize("story", STORIES)
def test_whatever_is_broken_in_a_life_is_found_as_a_whole_run_finds_it(story):
    stage, steps = STORIES[story]
    sides = Sides(programme_of(stage), stage)
    go_through(sides, steps[: len(steps) // 2])
    assert run()[0] == []
    account = Account.objects.get(pk=sides.accounts[0].pk)
    first = account.seq + 1
    go_through(sides, steps[len(steps) // 2 :])
    account.refresh_from_db()
    found = 0
    for sql, seq in product(IN_A_LIFE, {first, account.seq}):
        with inside_a_test():
            tamper(sql.format(account.pk, seq))
            rechain(account)  # or every change of an entry would be found by its hash
            expected = whole()
            found += bool(expected)
            assert run()[0] == expected, sql
            transaction.set_rollback(True)
    assert found >= 3
