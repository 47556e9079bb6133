"""Seals cover whoever moved, and show what was rewritten behind the ledger's back, whole hash chains included."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, connection, transaction

from ledger import sealing, seals
from ledger.accounts import open_account
from ledger.errors import BadInput
from ledger.models import Account, Entry, Member, Seal, SealLeaf
from ledger.seals import known_keys, seal, verify
from tests import builders
from tests.builders import NOW, days, grant, redeem
from tests.chains import recomputed

pytestmark = pytest.mark.django_db

FIRST_KEY, SECOND_KEY = b"1" * 32, b"2" * 32
FIRST_PUBLIC, SECOND_PUBLIC = sealing.public_key(FIRST_KEY), sealing.public_key(SECOND_KEY)


@pytest.fixture(autouse=True)
def keys(settings):
    settings.SEAL_KEY = FIRST_KEY
    settings.SEAL_PUBLIC_KEYS = []
    return settings


@pytest.fixture
def jun(moa) -> Account:
    return builders.jun(moa)


@pytest.fixture
def line(minji, jun) -> list[Seal]:
    """Three seals: of both accounts, of Minji's, of Jun's."""
    grant(minji, 100)
    redeem(minji, 30)
    grant(jun, 50)
    made = [seal(now=NOW)]
    redeem(minji, 10)
    made.append(seal(now=NOW + days(1)))
    redeem(jun, 5)
    made.append(seal(now=NOW + days(2)))
    assert list(verify()) == []
    return [row for row in made if row]


def leaves_of(made: Seal | None) -> list[tuple[int, int]]:
    """(account, entries) of each leaf, in the order of the tree."""
    assert made is not None
    return list(SealLeaf.objects.filter(seal=made).order_by("account").values_list("account", "seq"))


def tamper(*statements: str) -> None:
    """Change facts as only the tables' owner could: with the triggers switched off, those of the keys included."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("entry", "allocation", "account", "seal", "sealleaf"):
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER ALL")
        for statement in statements:
            cursor.execute(statement)


def found(**options) -> list[tuple[int | None, int | None, str]]:
    return [(finding.account_id, finding.seq, finding.what) for finding in verify(**options)]


def test_a_seal_covers_the_accounts_with_entries(minji, jun):
    grant(minji, 100)
    made = seal(now=NOW)
    minji.refresh_from_db()
    leaf = sealing.leaf_hash(minji.pk, minji.programme_id, minji.member_id, 1, minji.head_hash)
    row = Seal.objects.get()
    assert row == made
    assert (row.number, row.accounts, row.sealed_at, bytes(row.root)) == (1, 1, NOW, leaf)
    assert (bytes(row.previous_hash), row.key_id) == (bytes(32), sealing.key_id(FIRST_PUBLIC))
    assert bytes(row.hash) == sealing.seal_hash(row)
    assert sealing.is_signed(row, row.signature, FIRST_PUBLIC)
    assert leaves_of(made) == [(minji.pk, 1)]
    assert list(verify()) == []


def test_the_next_covers_only_who_moved_since_and_names_the_one_before(line, minji, jun):
    assert [made.number for made in line] == [1, 2, 3]
    assert [leaves_of(made) for made in line] == [[(minji.pk, 2), (jun.pk, 1)], [(minji.pk, 3)], [(jun.pk, 2)]]
    assert [bytes(made.previous_hash) for made in line] == [bytes(32), line[0].hash, line[1].hash]


def test_when_nothing_moved_there_is_no_seal(line):
    assert seal(now=NOW + days(3)) is None
    assert (Seal.objects.count(), SealLeaf.objects.count()) == (3, 4)


def test_a_changed_owner_is_a_move(line, minji, moa):
    other = Member.objects.create(programme=moa, reference="hana")
    tamper(f"UPDATE ledger_account SET member_id = {other.pk} WHERE id = {minji.pk}")
    assert leaves_of(seal(now=NOW + days(3))) == [(minji.pk, 3)]
    assert SealLeaf.objects.get(seal=4).member_id == other.pk
    assert [(account, seq, what[:6]) for account, seq, what in found()] == [
        (minji.pk, 2, "seal 1"),
        (minji.pk, 3, "seal 2"),
    ]


def test_a_bound_leaves_nobody_behind(moa, minji, jun):
    hana = open_account(programme=moa, reference="hana")
    covered = []
    for account in (minji, jun, hana):
        grant(account, 10)
    for _ in range(4):
        covered += leaves_of(seal(now=NOW, most=1))
        grant(minji, 10)  # always ready to be sealed again
    assert covered == [(minji.pk, 1), (jun.pk, 1), (hana.pk, 1), (minji.pk, 4)]
    assert leaves_of(seal(now=NOW, most=2)) == [(minji.pk, 5)]
    assert list(verify()) == []


def test_a_seal_is_never_earlier_than_the_one_before(minji):
    grant(minji, 10)
    seal(now=NOW + days(1))
    grant(minji, 10)
    late = seal(now=NOW)
    assert late is not None
    assert late.sealed_at == NOW + days(1)
    assert list(verify()) == []


def test_an_instant_needs_a_zone(minji):
    with pytest.raises(BadInput, match="Must be a time with a zone"):
        seal(now=NOW.replace(tzinfo=None))
    grant(minji, 10)
    made = seal(now=NOW.astimezone(timezone(timedelta(hours=9))))
    assert made is not None
    assert list(verify()) == []


def test_without_a_key_nothing_is_sealed_and_whoever_asks_is_told(minji, keys):
    grant(minji, 10)
    keys.SEAL_KEY = b""
    with pytest.raises(ImproperlyConfigured, match="SEAL_KEY is not set"):
        seal(now=NOW)
    assert not Seal.objects.exists()


def test_many_leaves_and_seals_are_gone_through_in_pages(moa, monkeypatch):
    monkeypatch.setattr(seals, "LEAVES_AT_ONCE", 2)
    monkeypatch.setattr(seals, "SEALS_AT_ONCE", 2)
    everybody = [open_account(programme=moa, reference=f"m{n}") for n in range(5)]
    for size in (5, 4, 2, 1, 3):
        for account in everybody[:size]:
            grant(account, 10)
        assert len(leaves_of(seal(now=NOW))) == size
    steps: list[int] = []
    assert list(verify(progress=steps.append)) == []
    assert steps == [5, 4, 2, 1, 3]
    tamper("UPDATE ledger_entry SET hash = '\\x00' WHERE seq = 1")
    assert [account for account, *_ in found()] == [account.pk for account in everybody]


# --- What somebody did, and what is found


def rewritten(account: Account) -> None:
    """Every entry's hash anew from its content, and the account's head: a chain that recomputes."""
    chain = recomputed(account)
    tamper(
        *(
            f"UPDATE ledger_entry SET hash = '\\x{h.hex()}' WHERE account_id = {account.pk} AND seq = {n}"
            for n, h in chain
        ),
        f"UPDATE ledger_account SET head_hash = '\\x{chain[-1][1].hex()}' WHERE id = {account.pk}",
    )
    assert recomputed(account) == [
        (e.seq, bytes(e.hash)) for e in Entry.objects.filter(account=account).order_by("seq")
    ]


def test_an_account_rewritten_with_its_whole_chain_is_found(line, minji):
    tamper(f"UPDATE ledger_entry SET reference = 'another' WHERE account_id = {minji.pk} AND seq = 2")
    assert found() == []  # that an entry's hash is not of its content is for the audit to find
    rewritten(minji)
    assert found() == [
        (minji.pk, 2, "seal 1: the entry is not the one that it covers"),
        (minji.pk, 3, "seal 2: the entry is not the one that it covers"),
    ]
    assert (
        str(next(verify())) == f"law 13: account {minji.pk}, entry 2: seal 1: the entry is not the one that it covers"
    )


def cut_off(account: Account, seq: int) -> None:
    """The account's entries from `seq` on, away, and the account as it was before."""
    rows = f"account_id = {account.pk} AND seq >= {seq}"
    tamper(
        f"DELETE FROM ledger_allocation WHERE entry_id IN (SELECT id FROM ledger_entry WHERE {rows})",
        f"DELETE FROM ledger_entry WHERE {rows}",
        f"""UPDATE ledger_account a SET seq = e.seq, head_hash = e.hash
              FROM ledger_entry e WHERE e.account_id = a.id AND e.seq = {seq - 1} AND a.id = {account.pk}""",
    )


def test_entries_cut_off_at_the_end_are_found_and_a_further_seal_hides_nothing(line, jun):
    cut_off(jun, 2)
    gone = (jun.pk, 2, "seal 3: it covers this entry, which is gone")
    assert found() == [gone]
    assert leaves_of(seal(now=NOW + days(3))) == [(jun.pk, 1)]
    assert found() == [gone]


def test_an_account_that_is_gone_is_found(line, jun):
    tamper(f"DELETE FROM ledger_account WHERE id = {jun.pk}")
    assert found() == [
        (jun.pk, 1, "seal 1: it covers this account, which is gone"),
        (jun.pk, 2, "seal 3: it covers this account, which is gone"),
    ]


def test_an_account_whose_number_of_entries_was_set_back_is_found(line, jun):
    tamper(f"UPDATE ledger_account SET seq = 1 WHERE id = {jun.pk}")
    assert found() == [(jun.pk, 2, "seal 3: the account says that it has 1 entries only")]


def test_two_accounts_whose_owners_were_swapped_are_found(line, minji, jun, moa):
    tamper(
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_member_id_key",
        f"UPDATE ledger_account SET member_id = {minji.member_id + jun.member_id} - member_id",
    )
    then = f"the account was that of member {jun.member_id} of programme {moa.pk}, and now is that of "
    now = f"{minji.member_id} of {moa.pk}"
    assert (jun.pk, 2, f"seal 3: {then}{now}") in found()
    assert {account for account, *_ in found()} == {minji.pk, jun.pk}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE ledger_sealleaf SET seq = 1 WHERE seal_id = 1", "seal 1: its leaves do not make its root"),
        ("UPDATE ledger_sealleaf SET member_id = 0 WHERE seal_id = 2", "seal 2: its leaves do not make its root"),
        ("UPDATE ledger_sealleaf SET head_hash = '\\x00' WHERE seal_id = 3", "seal 3: its leaves do not make its root"),
        ("DELETE FROM ledger_sealleaf WHERE seal_id = 2", "seal 2: it covers 1 accounts and has 0 leaves"),
        ("UPDATE ledger_seal SET root = '\\x00' WHERE number = 2", "seal 2: its leaves do not make its root"),
        ("UPDATE ledger_seal SET root = '\\x00' WHERE number = 2", "seal 2: its hash is not that of its content"),
        ("UPDATE ledger_seal SET root = '\\x00' WHERE number = 2", "seal 2: its signature is not of its content"),
        ("UPDATE ledger_seal SET accounts = 5 WHERE number = 1", "seal 1: it covers 5 accounts and has 2 leaves"),
        ("UPDATE ledger_seal SET accounts = 5 WHERE number = 1", "seal 1: its signature is not of its content"),
        ("UPDATE ledger_seal SET signature = '\\x00'", "seal 3: its signature is not of its content"),
        ("UPDATE ledger_seal SET hash = '\\x00' WHERE number = 1", "seal 1: its hash is not that of its content"),
        ("UPDATE ledger_seal SET hash = '\\x00' WHERE number = 1", "seal 2: it does not name the seal before it"),
        (
            "UPDATE ledger_seal SET sealed_at = '2030-01-01' WHERE number = 1",
            "seal 2: it is earlier than the seal befor",
        ),
        (
            "UPDATE ledger_seal SET sealed_at = '2030-01-01' WHERE number = 1",
            "seal 1: its signature is not of its cont",
        ),
        (
            "UPDATE ledger_seal SET key_id = 'x' WHERE number = 1",
            "seal 1: it is signed with the key x, which SEAL_PUBL",
        ),
        ("DELETE FROM ledger_seal WHERE number = 1", "seal 1: it and all before seal 2 are gone"),
        ("DELETE FROM ledger_seal WHERE number < 3", "seal 1: it and all before seal 3 are gone"),
        ("DELETE FROM ledger_seal WHERE number = 2", "seal 2: it and all before seal 3 are gone"),
        ("DELETE FROM ledger_seal WHERE number = 3", "seal 3: it is gone, and its leaves are there"),
        ("DELETE FROM ledger_seal", "seal 2: it is gone, and its leaves are there"),
    ],
)
def test_a_seal_or_a_leaf_that_was_changed_or_removed_is_found(line, statement, expected):
    tamper(statement)
    assert any(what.startswith(expected) for *_, what in found()), found()


def test_a_leaf_put_in_later_is_found(line, minji, jun):
    tamper(f"""INSERT INTO ledger_sealleaf (seal_id, account_id, programme_id, member_id, seq, head_hash)
               SELECT 2, account_id, programme_id, member_id, seq, head_hash FROM ledger_sealleaf
                WHERE seal_id = 1 AND account_id = {jun.pk}""")
    assert found() == [(None, None, "seal 2: it covers 1 accounts and has 2 leaves")]


def test_a_removed_seal_whose_number_was_given_away_again_is_found(line):
    tamper(
        "DELETE FROM ledger_sealleaf WHERE seal_id = 2",
        "DELETE FROM ledger_seal WHERE number = 2",
        "UPDATE ledger_sealleaf SET seal_id = 2 WHERE seal_id = 3",
        "UPDATE ledger_seal SET number = 2 WHERE number = 3",
    )
    assert [what for *_, what in found()] == [
        "seal 2: it does not name the seal before it",
        "seal 2: its hash is not that of its content",
        "seal 2: its signature is not of its content",
    ]


def test_a_seal_made_again_without_the_key_is_found(line, keys, minji):
    """Somebody who owns the tables, not the key: the chain is rewritten and sealed anew with a key of theirs."""
    tamper(f"UPDATE ledger_entry SET reason = 'mine' WHERE account_id = {minji.pk} AND seq = 1")
    rewritten(minji)
    tamper("DELETE FROM ledger_sealleaf", "DELETE FROM ledger_seal")
    keys.SEAL_KEY = SECOND_KEY
    seal(now=NOW)
    assert found() == []
    keys.SEAL_KEY = FIRST_KEY
    name = sealing.key_id(SECOND_PUBLIC)
    assert found() == [
        (None, None, f"seal 1: it is signed with the key {name}, which SEAL_PUBLIC_KEYS does not know"),
    ]
    tamper(f"UPDATE ledger_seal SET key_id = '{sealing.key_id(FIRST_PUBLIC)}'")
    assert (None, None, "seal 1: its signature is not of its content") in found()


def test_newest_seals_that_were_taken_away_show_to_whoever_noted_them(line):
    noted = {made.number: bytes(made.hash) for made in line}
    assert found(noted=noted) == []
    tamper("DELETE FROM ledger_sealleaf WHERE seal_id > 1", "DELETE FROM ledger_seal WHERE number > 1")
    assert found() == []
    assert found(noted=noted) == [
        (None, None, "seal 2: it was noted elsewhere and is gone"),
        (None, None, "seal 3: it was noted elsewhere and is gone"),
    ]


def test_a_seal_made_again_with_the_key_shows_to_whoever_noted_it(line, jun):
    noted = {3: bytes(line[2].hash)}
    cut_off(jun, 2)
    tamper("DELETE FROM ledger_sealleaf WHERE seal_id = 3", "DELETE FROM ledger_seal WHERE number = 3")
    redeem(jun, 6)
    seal(now=NOW + days(2))
    assert found() == []
    assert found(noted=noted) == [(None, None, "seal 3: it is not the one that was noted elsewhere")]


# --- Keys


def test_after_a_rotation_old_seals_verify_with_the_retired_public_key(line, minji, keys):
    keys.SEAL_KEY = SECOND_KEY
    grant(minji, 1)
    assert seal(now=NOW + days(3)) is not None
    name = sealing.key_id(FIRST_PUBLIC)
    assert found() == [
        (None, None, f"seal {n}: it is signed with the key {name}, which SEAL_PUBLIC_KEYS does not know")
        for n in (1, 2, 3)
    ]
    keys.SEAL_PUBLIC_KEYS = [FIRST_PUBLIC]
    assert found() == []
    assert list(Seal.objects.order_by("number").values_list("key_id", flat=True)) == [name] * 3 + [
        sealing.key_id(SECOND_PUBLIC)
    ]


def test_an_auditor_needs_public_keys_only(line, keys):
    keys.SEAL_KEY, keys.SEAL_PUBLIC_KEYS = b"", [FIRST_PUBLIC]
    assert known_keys() == {sealing.key_id(FIRST_PUBLIC): FIRST_PUBLIC}
    assert found() == []


# --- What the database refuses


@pytest.mark.parametrize("table", ["seal", "sealleaf"])
@pytest.mark.parametrize("statement", ["UPDATE ledger_{0} SET {1} = {1}", "DELETE FROM ledger_{0}"])
def test_a_seal_and_its_leaves_are_neither_changed_nor_deleted(line, table, statement):
    column = {"seal": "root", "sealleaf": "seq"}[table]
    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match=f"ledger_{table} is append-only"),
        transaction.atomic(),
    ):
        cursor.execute(statement.format(table, column))


@pytest.mark.parametrize("table", ["seal", "sealleaf"])
def test_a_seal_and_its_leaves_are_not_truncated(line, table):
    """The test run has these triggers disabled for its own flush; here they are as everywhere else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for every in ("seal", "sealleaf"):
            cursor.execute(f"ALTER TABLE ledger_{every} ENABLE TRIGGER {every}_no_truncate")
        with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
            cursor.execute(f"TRUNCATE ledger_{table} CASCADE")
        transaction.set_rollback(True)


def seal_refused(by: str, values: tuple[int, int]) -> None:
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match=by), transaction.atomic():
        cursor.execute("INSERT INTO ledger_seal VALUES (%s, now(), %s, '', '', '', '', '')", values)


def test_numbers_begin_at_one_are_used_once_and_every_seal_covers_something(line):
    seal_refused("ledger_seal_pkey", (3, 1))
    seal_refused("seal_numbered_from_one", (0, 1))
    seal_refused("seal_covers_something", (4, 0))
