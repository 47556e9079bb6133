"""The pen's calls: in Django's own transaction, and refused in Django's own words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ledger import wire
from ledger.models import Account
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db


def test_values_go_beside_the_statement_and_rows_come_back_as_plain_values():
    at = datetime(2025, 3, 10, 3, 0, 0, 1, tzinfo=UTC)
    sql = "SELECT $1::bigint, $2::text, $3::bigint[], $4::timestamptz, $5::bytea, NULL"
    assert wire.call(sql, [2**40, "'; --", [1, 2], at, b"\x00\x01"]) == [
        (2**40, "'; --", [1, 2], at, b"\x00\x01", None)
    ]
    assert wire.call("SELECT 1 WHERE false", []) == []


def test_a_call_sees_and_is_seen_in_the_transaction_that_django_has_open(minji):
    with nothing_changes(), transaction.atomic():
        assert wire.call("SELECT count(*) FROM ledger_account", []) == [(1,)]
        assert wire.call("SELECT txid_current()", []) == wire.call("SELECT txid_current()", [])
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current()")
            assert wire.call("SELECT txid_current()", []) == [cursor.fetchone()]
    assert Account.objects.count() == 1


def test_what_the_server_refuses_is_raised_as_djangos_error(minji):
    with pytest.raises(IntegrityError, match="entry -1 says"), transaction.atomic():
        wire.call("SELECT ledger_check_entry_sum($1)", [-1])
    with pytest.raises(OperationalError) as refusal, transaction.atomic():
        wire.call("SELECT ledger_write($1)", ['{"accounts": [{"id": %d, "was_seq": 7}]}' % minji.pk])  # noqa: UP031
    assert "an account has moved on" in str(refusal.value)


def test_a_statement_that_was_started_works_while_nobody_waits_for_it():
    rows = wire.start("SELECT pg_sleep(0.2), $1::bigint", [7])
    assert [number for _, number in rows()] == [7]
    assert wire.call("SELECT 1", []) == [(1,)]  # the connection is free again


def test_until_its_rows_are_there_nothing_else_can_be_asked():
    """libpq itself would throw the rows away that nobody has asked for."""
    rows = wire.start("SELECT 1", [])
    for another in (wire.call, wire.start):
        with pytest.raises(RuntimeError, match="another statement is under way"):
            another("SELECT 2", [])
    with pytest.raises(OperationalError, match="another command is already in progress"), connection.cursor() as cursor:
        cursor.execute("SELECT 3")
    assert rows() == [(1,)]


def test_what_the_server_refuses_of_a_started_statement_is_raised_when_it_is_waited_for():
    with pytest.raises(IntegrityError, match="entry -1 says"), transaction.atomic():
        wire.start("SELECT ledger_check_entry_sum($1)", [-1])()


@pytest.mark.django_db(transaction=True)
def test_what_is_refused_only_at_the_commit_is_no_success():
    """The rows come first, and behind them that none of it was committed."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE house (id bigint PRIMARY KEY)")
        cursor.execute("CREATE TEMP TABLE room (house bigint REFERENCES house DEFERRABLE INITIALLY DEFERRED)")
    rows = wire.start("INSERT INTO room VALUES ($1) RETURNING house", [1])
    with pytest.raises(IntegrityError, match="foreign key"):
        rows()
    assert wire.call("SELECT * FROM room", []) == []
    connection.close()  # and the tables with it


def test_a_connection_that_is_gone_is_said():
    wire.call("SELECT 1", [])
    rows = wire.start("SELECT pg_terminate_backend(pg_backend_pid())", [])
    with pytest.raises(OperationalError):
        rows()
    with pytest.raises(OperationalError):  # of the connection, too, and not that a statement is under way
        wire.call("SELECT 1", [])
    connection.close()
