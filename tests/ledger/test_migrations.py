"""Data of the first schema, with the first version of the hash, in the newest one: the same facts, a clean audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from ledger import chain
from ledger.accounts import open_account
from ledger.audit import audit
from ledger.expiry import sweep_all
from ledger.models import BEGINNING, Account, Entry, Lot, PointValue
from ledger.rows import read_rows
from tests import builders
from tests.builders import NOW, clawback, days, extend, grant, lot_of, redeem, tell
from tests.looking import entries

pytestmark = pytest.mark.django_db(transaction=True)

FORMER = {"currency": "EUR", "point_value": Decimal("0.25")}  # what a programme said before values were dated
FIRST = ("programme", "policy", "member", "account", "entry", "lot", "allocation", "extension", "notice")


@contextmanager
def another_database() -> Iterator[None]:
    """An empty database beside the tests' own, which everything in the block goes to; dropped behind it."""
    own = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {own}_before TEMPLATE template0")
    connection.close()
    connection.settings_dict["NAME"] = f"{own}_before"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {own}_before")


def migrate(*targets: tuple[str, str]) -> None:
    MigrationExecutor(connection).migrate(list(targets))


def newest() -> list[tuple[str, str]]:
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes("ledger"))


Table = tuple[list[str], list[list[Any]]]  # the names of the columns, and the rows


def all_rows() -> dict[str, Table]:
    tables = {}
    with connection.cursor() as cursor:
        for table in FIRST:
            cursor.execute(f"SELECT * FROM ledger_{table} ORDER BY id")
            names = [column.name for column in cursor.description]
            tables[table] = names, [list(row) for row in cursor.fetchall()]
    return tables


def put(tables: dict[str, Table], hashes: dict[tuple[int, int], bytes]) -> None:
    """Copy rows into the tables as they are now, as far as they have the columns; with these hashes by account and seq.

    The rows were made by acts in the tests' own database: nobody made them up.
    """
    heads = {account_id: hash_ for (account_id, _), hash_ in sorted(hashes.items())}
    with transaction.atomic(), connection.cursor() as cursor:
        for table, (names, rows) in tables.items():
            cursor.execute(f"SELECT * FROM ledger_{table} LIMIT 0")
            former = FORMER if table == "programme" else {}
            there = [column.name for column in cursor.description if column.name in {*names, *former}]
            for row in rows:
                values = dict(zip(names, row, strict=True)) | former
                if table == "entry":
                    values |= {"hash_version": 1, "hash": hashes[values["account_id"], values["seq"]]}
                if table == "account":
                    values["head_hash"] = heads.get(values["id"], chain.GENESIS)
                into = f"ledger_{table} ({', '.join(there)})"
                holes = ", ".join(["%s"] * len(there))
                cursor.execute(f"INSERT INTO {into} VALUES ({holes})", [values[name] for name in there])
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('ledger_{table}', 'id'), 10000)")


def hashes_of_the_first_version() -> dict[tuple[int, int], bytes]:
    hashes = {}
    for account_id in Account.objects.values_list("pk", flat=True):
        rows = read_rows([account_id])
        made = {lot.pk: lot.as_made() for lot in rows.lots[account_id]}
        head = chain.GENESIS
        for facts in rows.facts(account_id, made):
            head = chain.entry_hash(head, facts.draft, facts.draft.parts(1), version=1)
            hashes[account_id, facts.draft.seq] = head
    return hashes


def a_life_of_the_first_schema() -> Account:
    """Every kind that there was then: with extensions, a notice, an expiry, clawbacks, debt, and a decline."""
    programme = builders.byeol(count=2)
    minji = builders.minji(programme)
    first = lot_of(grant(minji, 100, key="order:1"))
    redeem(minji, 30, key="order:9")
    extend(minji, [first.pk], date(2025, 6, 30))
    extend(minji, [first.pk], date(2025, 7, 31))
    tell(minji, [first.pk], told_on=date(2025, 6, 20), now=NOW + days(110))
    grant(minji, 5, now=NOW + days(120), effective_at=NOW + days(100))
    clawback(minji, 3, now=NOW + days(150), undoes="order:1", key="return:1")  # the first has just expired
    clawback(minji, 60, now=NOW + days(151))
    with pytest.raises(Exception, match="can be spent"):
        redeem(minji, 5, now=NOW + days(151))
    grant(minji, 100, now=NOW + days(152))
    jun = builders.jun(programme)
    grant(jun, 7)
    open_account(programme=programme, reference="nobody yet")
    return minji


def test_facts_of_the_first_schema_are_clean_in_the_newest_and_go_on():
    minji = a_life_of_the_first_schema()
    story = entries(minji)
    kinds = ["grant", "redeem", "extend", "extend", "notify", "grant", "expire", "clawback", "clawback", "decline"]
    assert [kind for kind, _ in story] == [*kinds, "grant", "settle"]
    active_at = dict(Account.objects.values_list("pk", "active_at"))
    tables, hashes = all_rows(), hashes_of_the_first_version()
    with another_database():
        migrate(("ledger", "0002_facts"))
        put(tables, hashes)
        migrate(*newest())
        assert entries(minji) == story
        assert set(Entry.objects.values_list("hash_version", "written_off")) == {(1, 0)}
        assert list(audit()) == []
        worth = PointValue.objects.get()
        assert (worth.value, worth.currency, worth.since) == (Decimal("0.25"), "EUR", BEGINNING)
        assert worth.recorded_at == worth.programme.created_at
        assert dict(Account.objects.values_list("pk", "active_at")) == active_at
        assert set(Account.objects.values_list("not_before", "lapses_at", "closes_at", "closed")) == {
            (None, None, None, False)
        }
        first = Lot.objects.get(account=minji, seq=1)
        assert first.first_expires_at == datetime(2025, 5, 31, 15, tzinfo=UTC)
        assert first.first_spendable_at == NOW

        at = NOW + days(160)
        returned = clawback(minji, 3, now=at, undoes="order:1", key="return:1")
        assert (returned.replayed, returned.available) == (True, 30)
        assert builders.refund(minji, 30, "order:9", now=at).points == 30
        builders.hold(minji, 20, now=at, lapses_at=at + days(1))
        assert sweep_all(now=at + days(2)) == 1
        assert set(Entry.objects.filter(recorded_at__gte=at).values_list("hash_version", flat=True)) == {2}
        assert list(audit()) == []
    assert entries(minji) == story
