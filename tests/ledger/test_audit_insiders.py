"""The auditor finds what was changed even where somebody computed the whole hash chain anew: another law catches it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from ledger import closures, extensions, notices
from ledger.audit import audit
from ledger.expiry import sweep_all
from ledger.models import Account, Entry
from tests import builders
from tests.builders import NOW, STAFF, days
from tests.ledger.insiders import found, rechain, tamper

pytestmark = pytest.mark.django_db


def spent() -> Account:
    """Redemptions, a refund, and a hold of each end."""
    account = builders.minji(builders.moa())
    builders.grant(account, 100)  # 1
    builders.grant(account, 50, expires_at=NOW + days(500))  # 2
    builders.redeem(account, 120, key="r")  # 3: 100 and 20
    builders.refund(account, 30, "r")  # 4: 20 and 10
    builders.hold(account, 40)  # 5
    builders.capture(account, 25)  # 6, and 7: a release of the rest
    builders.hold(account, 10, key="second")  # 8
    builders.release(account, hold="second")  # 9
    builders.hold(account, 10, key="third")  # 10
    builders.redeem(account, 5, now=NOW + days(2))  # 12; 11: the hold lapsed
    with pytest.raises(Exception, match="points were asked for"):
        builders.redeem(account, 500, now=NOW + days(2))  # 13
    return account


def clawed_back() -> Account:
    """A grant that was undone when it was spent, and the debt paid."""
    account = builders.minji(builders.moa())
    builders.grant(account, 100, key="g")  # 1
    builders.grant(account, 50)  # 2
    builders.redeem(account, 120)  # 3
    builders.clawback(account, 100, undoes="g")  # 4: 30 of the other lot, 70 of debt
    builders.grant(account, 100)  # 5, and 6: it settles
    builders.grant(account, 10, key="last")  # 7
    builders.clawback(account, 10, undoes="last")  # 8
    builders.clawback(account, 10, undoes="last")  # 9: a note, the cap is 0
    return account


def written_off() -> Account:
    account = builders.minji(builders.moa(clawback_beyond="write_off"))
    builders.grant(account, 100, key="g")  # 1
    builders.redeem(account, 60)  # 2
    builders.clawback(account, 100, undoes="g")  # 3: 40 of it, 60 written off
    return account


def reinstated() -> Account:
    account = builders.minji(builders.moa(reinstate_window_days=30))
    first = builders.lot_of(builders.grant(account, 60))  # 1
    second = builders.lot_of(builders.grant(account, 60))  # 2
    assert first.expires_at is not None
    sweep_all(now=first.expires_at)  # 3
    builders.reinstate(account, first.pk, now=first.expires_at + days(1))  # 4
    builders.reinstate(account, second.pk, now=first.expires_at + days(2))  # 5
    return account


def moved() -> Account:
    """An extension that was undone, one that was told of, a promise that was postponed."""
    account = builders.minji(builders.byeol())
    lot = builders.lot_of(builders.grant(account, 100))  # 1
    builders.extend(account, [lot.pk], date(2026, 6, 30))  # 2
    key = Entry.objects.get(account=account, seq=2).key
    assert key is not None
    extensions.undo(account=account, extension=key, now=NOW, key="undo", by=STAFF, reason="a mistake")  # 3
    builders.extend(account, [lot.pk], date(2026, 7, 31))  # 4
    builders.tell(account, [lot.pk], told_on=NOW.date(), now=NOW)  # 5
    builders.extend(account, [lot.pk], date(2026, 8, 31))  # 6
    promised = builders.lot_of(builders.grant(account, 10, spendable_at=NOW + days(9)))  # 7
    builders.postpone(account, [promised.pk], NOW + days(20))  # 8
    return account


def told() -> Account:
    """Two notices, one of them withdrawn; then the points go."""
    account = builders.minji(builders.byeol())
    lot = builders.lot_of(builders.grant(account, 100))  # 1
    assert lot.expires_at is not None
    builders.tell(account, [lot.pk], told_on=NOW.date(), now=NOW)  # 2
    builders.tell(account, [lot.pk], told_on=NOW.date(), now=NOW)  # 3
    second = Entry.objects.get(account=account, seq=3).key
    assert second is not None
    notices.withdraw(account=account, notice=second, now=NOW, key="back", by=STAFF, reason="it came back")  # 4
    sweep_all(now=lot.expires_at)  # 5
    return account


def closed() -> Account:
    account = builders.minji(builders.moa())
    builders.grant(account, 100)  # 1
    builders.close(account)  # 2
    closures.withdraw(account=account, now=NOW, key="w", by=STAFF)  # 3
    builders.close(account)  # 4
    builders.grant(account, 10, now=NOW + days(5))  # 5
    sweep_all(now=NOW + days(40))  # 6
    return account


def of(seq: int) -> str:
    return f"entry_id = (SELECT id FROM ledger_entry WHERE seq = {seq})"


def lot(seq: int) -> str:
    return f"(SELECT id FROM ledger_lot WHERE seq = {seq} AND number = 0)"


def entry(seq: int, change: str) -> str:
    return f"UPDATE ledger_entry SET {change} WHERE seq = {seq};"


def balance(points: int, since: int) -> str:
    return f"UPDATE ledger_entry SET balance_after = balance_after + {points} WHERE seq >= {since};"


def allocation(seq: int, change: str) -> str:
    return f"UPDATE ledger_allocation SET {change} WHERE {of(seq)};"


def exchanged(seq: int, one: int, other: int) -> str:
    """The lots of entries `one` and `other` change places in what entry `seq` moved."""
    return allocation(seq, f"lot_id = CASE lot_id WHEN {lot(one)} THEN {lot(other)} ELSE {lot(one)} END")


A_NOTE = """
  INSERT INTO ledger_entry (account_id, programme_id, seq, kind, amount, debt_delta, balance_after, debt_after, key,
         body_hash, actor, reason, reference, effective_at, recorded_at, hash_version, hash)
  SELECT account_id, programme_id, seq + 1, 'note', 0, 0, balance_after, debt_after, 'late', '\\x00', 'api:shop', '',
         '', recorded_at, recorded_at, hash_version, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1;
  UPDATE ledger_account SET seq = seq + 1"""

# The whole reinstatement happened forty days later than it did.
LATE = """
  UPDATE ledger_entry SET recorded_at = recorded_at + interval '40 day', effective_at = effective_at + interval '40 day'
   WHERE seq >= 4;
  UPDATE ledger_lot SET spendable_at = spendable_at + interval '40 day', expires_at = expires_at + interval '40 day',
         first_spendable_at = spendable_at + interval '40 day', first_expires_at = expires_at + interval '40 day'
   WHERE seq >= 4"""


def allocated(seq: int, lot_seq: int, points: int) -> str:
    return f"""INSERT INTO ledger_allocation (entry_id, lot_id, delta)
               SELECT id, {lot(lot_seq)}, {points} FROM ledger_entry WHERE seq = {seq};"""


DIES_EARLY = "UPDATE ledger_lot SET first_expires_at = '2025-03-11', expires_at = '2025-03-11' WHERE seq = 1"
PAID_LESS = entry(6, "debt_delta = -60, debt_after = 10") + allocation(6, "delta = -60") + balance(10, 6)
WENT_BACK = (
    entry(6, "undoes_seq = 4")
    + f"""
  UPDATE ledger_extension x SET until = l.first_expires_at FROM ledger_lot l WHERE l.id = x.lot_id AND {of(6)}"""
)
EXPIRED_IN_PART = (
    f"UPDATE ledger_allocation SET delta = delta + 1 WHERE {of(3)} AND lot_id = {lot(1)};"
    + entry(3, "amount = -119")
    + balance(1, 3)
)
FEWER_BACK = (
    "UPDATE ledger_lot SET granted = 50, remaining = 50 WHERE seq = 4;"
    + allocation(4, "delta = 50")
    + entry(4, "amount = 50")
    + balance(-10, 4)
)
STORIES = (spent, clawed_back, written_off, reinstated, moved, told, closed)


@pytest.mark.parametrize("story", STORIES)
def test_what_the_acts_wrote_is_clean_and_so_is_its_chain_when_it_is_computed_anew(story):
    account = story()
    assert list(audit()) == []
    head = bytes(Account.objects.get(pk=account.pk).head_hash)
    tamper("SELECT 1")
    rechain(account)
    assert bytes(Account.objects.get(pk=account.pk).head_hash) == head
    assert list(audit()) == []


@pytest.mark.parametrize(
    ("story", "sql", "expected"),
    [
        # (what happened, what somebody changed and signed with a new chain, the (law, entry) that must be found)
        (spent, exchanged(1, 1, 2), (3, 1)),
        (spent, "UPDATE ledger_lot SET granted = 200 WHERE seq = 1", (3, 1)),
        (spent, "UPDATE ledger_lot SET spendable_at = '2025-01-01', first_spendable_at = '2025-01-01'", (12, 1)),
        (spent, DIES_EARLY, (6, 4)),
        (spent, entry(3, "amount = -121") + balance(-1, 3), (3, 3)),
        (spent, exchanged(12, 1, 2), (5, 12)),
        (spent, entry(12, "effective_at = effective_at - interval '1 hour'"), (11, 12)),
        (spent, entry(12, "debt_delta = 1, amount = -6, debt_after = 1"), (8, 12)),
        (spent, entry(12, "actor = 'system:clock'"), (1, 12)),
        (spent, entry(12, "key = NULL, body_hash = NULL"), (1, 12)),
        (spent, entry(13, "available = 0"), (5, 13)),
        (spent, entry(13, "asked = 1"), (5, 13)),
        (spent, exchanged(4, 1, 2), (6, 4)),
        (spent, entry(4, "undoes_seq = 1"), (5, 4)),
        (spent, entry(4, "undoes_seq = 12"), (5, 4)),
        (spent, entry(4, "hash_version = 1"), (13, 4)),
        (spent, allocation(4, "until = until + interval '1 day'"), (6, 4)),
        (spent, allocation(4, "until = NULL"), (6, 4)),
        (spent, allocation(3, "until = '2030-01-01'"), (6, 3)),
        (spent, entry(6, "asked = 41"), (5, 6)),
        (spent, entry(6, "asked = 10"), (5, 7)),
        (spent, entry(6, "asked = 40"), (5, 7)),
        (spent, entry(6, "undoes_seq = 4"), (5, 6)),
        (spent, "DELETE FROM ledger_hold WHERE seq = 5", (13, 5)),
        (spent, "UPDATE ledger_hold SET points = 9 WHERE seq = 8", (5, 8)),
        (spent, "UPDATE ledger_hold SET lapses_at = lapses_at + interval '1 hour' WHERE seq = 10", (11, 11)),
        (spent, "UPDATE ledger_hold SET lapses_at = lapses_at - interval '1 hour' WHERE seq = 10", (11, 11)),
        (spent, "UPDATE ledger_hold SET lapses_at = '2025-03-10 03:00+00' WHERE seq = 5", (5, 5)),
        (spent, allocation(9, "delta = 6") + entry(9, "amount = 6") + balance(-4, 9), (5, 9)),
        (
            spent,
            f"DELETE FROM ledger_allocation WHERE {of(11)};"
            + entry(11, "kind = 'capture', amount = 0, asked = 10, key = 'c', body_hash = '\\x00', actor = 'api:shop'")
            + entry(11, "effective_at = recorded_at")
            + balance(-10, 11),
            (5, 11),
        ),
        (spent, entry(11, "effective_at = effective_at + interval '1 hour'"), (11, 11)),
        (spent, entry(9, "kind = 'refund'"), (5, 9)),
        (clawed_back, entry(4, "undoes_seq = 2"), (7, 4)),
        (clawed_back, entry(4, "undoes_seq = 3"), (7, 4)),
        (clawed_back, entry(4, "asked = 90"), (7, 4)),
        (clawed_back, entry(4, "available = 120"), (7, 4)),
        (
            clawed_back,
            entry(4, "debt_delta = 0, amount = -30, written_off = 70")
            + "UPDATE ledger_entry SET debt_after = debt_after - 70 WHERE seq IN (4, 5);",
            (7, 4),
        ),
        (clawed_back, exchanged(8, 5, 7), (7, 8)),
        (clawed_back, PAID_LESS, (8, 6)),
        (clawed_back, entry(9, "undoes_seq = 5"), (7, 9)),
        (clawed_back, allocated(9, 5, -5) + allocated(9, 7, 5), (3, 9)),
        (written_off, entry(3, "written_off = 0, debt_delta = 60, amount = -100, debt_after = 60"), (7, 3)),
        (written_off, entry(3, "written_off = 50"), (7, 3)),
        (reinstated, LATE, (6, 4)),
        (reinstated, FEWER_BACK, (6, 4)),
        (reinstated, "UPDATE ledger_lot SET family_seq = 1 WHERE seq = 5", (6, 5)),
        (reinstated, entry(4, "undoes_seq = 1"), (6, 4)),
        (reinstated, "UPDATE ledger_lot SET first_expires_at = NULL, expires_at = NULL WHERE seq = 4", (6, 4)),
        (reinstated, EXPIRED_IN_PART, (9, 3)),
        (reinstated, entry(3, "effective_at = effective_at - interval '1 day'"), (9, 3)),
        (reinstated, entry(4, "recorded_at = recorded_at + interval '9 day'"), (13, 5)),
        (moved, entry(3, "undoes_seq = NULL"), (13, 3)),
        (moved, entry(3, "undoes_seq = 1"), (13, 3)),
        (moved, f"UPDATE ledger_extension SET until = was - interval '1 day' WHERE {of(2)}", (13, 2)),
        (moved, f"UPDATE ledger_extension SET was = was - interval '1 day' WHERE {of(2)}", (13, 2)),
        (moved, f"DELETE FROM ledger_extension WHERE {of(2)}", (13, 2)),
        (moved, WENT_BACK, (15, 6)),
        (moved, entry(2, "reference = 'untold'"), (15, 2)),
        (moved, f"UPDATE ledger_extension SET spendable_until = '2025-03-11' WHERE {of(8)}", (13, 8)),
        (moved, f"UPDATE ledger_extension SET spendable_was = '2025-03-11' WHERE {of(8)}", (13, 8)),
        (moved, f"UPDATE ledger_extension SET until = until + interval '1 day' WHERE {of(8)}", (12, 8)),
        (told, f"UPDATE ledger_notice SET waiver = 'opted_out' WHERE {of(2)}", (15, 5)),
        (told, f"UPDATE ledger_notice SET told_on = '2026-03-20' WHERE {of(2)}", (15, 5)),
        (told, f"UPDATE ledger_notice SET told_on = '2025-03-09' WHERE {of(2)}", (15, 2)),
        (told, f"UPDATE ledger_notice SET expires_on = expires_on + 30 WHERE {of(2)}", (15, 2)),
        (told, f"UPDATE ledger_notice SET lots = '{{}}' WHERE {of(2)}", (15, 5)),
        (told, f"UPDATE ledger_notice SET lots = '{{0}}' WHERE {of(2)}", (3, 2)),
        (told, f"UPDATE ledger_notice SET expires_at = expires_at + interval '1 day' WHERE {of(2)}", (15, 2)),
        (told, f"UPDATE ledger_notice SET evidence = '' WHERE {of(2)}", (15, 2)),
        (told, entry(4, "undoes_seq = 2") + f"UPDATE ledger_notice SET told_on = '2026-03-20' WHERE {of(3)}", (15, 5)),
        (told, entry(4, "undoes_seq = 1"), (15, 4)),
        (told, "UPDATE ledger_lot SET notice_days = 0", (12, 1)),
        (told, "UPDATE ledger_policy SET notice_channels = 2", (15, 5)),
        (closed, allocation(6, "delta = delta + 1") + entry(6, "amount = amount + 2") + balance(2, 6), (9, 6)),
        (closed, "UPDATE ledger_closure SET closes_at = closes_at + interval '1 day' WHERE seq = 4", (11, 6)),
        (closed, "UPDATE ledger_closure SET closes_at = '2025-03-12' WHERE seq = 4", (11, 5)),
        (closed, "UPDATE ledger_closure SET closes_at = '2025-03-01' WHERE seq = 2", (13, 2)),
        (closed, "UPDATE ledger_closure SET points = 5 WHERE seq = 4", (13, 4)),
        (closed, entry(3, "undoes_seq = 1"), (13, 3)),
        (closed, entry(6, "effective_at = effective_at + interval '1 hour'"), (11, 6)),
        (closed, A_NOTE, (13, 7)),
        (
            closed,
            f"DELETE FROM ledger_allocation WHERE {of(6)};"
            + balance(110, 6)
            + entry(6, "kind = 'note', amount = 0, reason = 'closed with nothing left'"),
            (9, 6),
        ),
    ],
)
def test_what_somebody_changed_and_signed_anew_is_found(story: Callable[[], Account], sql, expected):
    account = story()
    tamper(sql)
    rechain(account)
    assert expected in found()


@pytest.mark.parametrize("terms", [{"count": 24}, {"origin": "promotion"}, {"effective_from": NOW + days(300)}])
def test_a_lot_of_a_policy_that_was_not_in_force_for_it_is_found(minji, terms):
    other = builders.policy(minji.programme, **({"effective_from": NOW + days(200)} | terms))
    builders.grant(minji, 100)
    tamper(f"UPDATE ledger_lot SET policy_id = {other.pk}")
    rechain(minji)
    assert (12, 1) in found()


def test_a_kind_that_is_not_declared_is_found(minji):
    builders.grant(minji, 100)
    tamper("ALTER TABLE ledger_entry DROP CONSTRAINT IF EXISTS entry_kind_is_declared_with_its_sign")
    tamper("UPDATE ledger_entry SET kind = 'gift'")
    assert (13, 1) in found()


def test_facts_that_make_no_sense_stop_one_story_and_no_other(minji):
    builders.grant(minji, 100, key="g")
    builders.redeem(minji, 10)
    builders.grant(builders.jun(minji.programme), 5)
    tamper(f"UPDATE ledger_lot SET policy_id = 0 WHERE account_id = {minji.pk}; UPDATE ledger_account SET debt = 0")
    tamper(f"UPDATE ledger_lot SET remaining = 4 WHERE account_id <> {minji.pk}")
    assert {(12, 1), (3, None)} <= found()


OF_ACCOUNT = (
    "balance = balance + 1", "debt = 1, balance = 0", "seq = seq - 1", "head_hash = '\\x00'",
    "last_recorded_at = last_recorded_at + interval '1 day'", "active_at = NULL", "not_before = now()",
    "lapses_at = NULL", "closes_at = NULL",
)  # fmt: skip
OF_A_LOT = (
    "remaining = remaining - 1", "remaining = 0, open = false", "spendable_at = now()", "expires_at = now()",
    "expires_at = NULL, gated = false", "gated = NOT gated", "moved_untold = NOT moved_untold",
)  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "law"),
    [
        *((f"UPDATE ledger_account SET {change}", 4) for change in OF_ACCOUNT),
        *((f"UPDATE ledger_lot SET {change}", 3) for change in OF_A_LOT),
        ("UPDATE ledger_hold SET open = false", 4),
        ("UPDATE ledger_closure SET open = false", 4),
    ],
)
def test_a_kept_number_that_was_changed_is_found(sql, law):
    account = builders.minji(builders.byeol())
    builders.grant(account, 100)
    builders.hold(account, 10)
    builders.close(account)
    assert list(audit()) == []
    tamper(sql)
    assert (law, None) in found()


def test_an_extension_that_was_undone_twice_is_found():
    account = builders.minji(builders.moa())
    lot = builders.lot_of(builders.grant(account, 100))  # 1
    for number in (1, 2):
        builders.extend(account, [lot.pk], date(2026, 6, 30))  # 2 and 4, undone by 3 and 5
        key = Entry.objects.filter(account=account).latest("seq").key
        assert key is not None
        extensions.undo(account=account, extension=key, now=NOW, key=f"undo {number}", by=STAFF, reason="a mistake")
    assert found() == set()
    tamper(entry(5, "undoes_seq = 2"))
    rechain(account)
    assert found() == {(13, 5)}
