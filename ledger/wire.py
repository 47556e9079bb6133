"""How the pen's calls reach the server: prepared once for each connection, and sent through Django's own connection.

The pen has a few statements, always the same; each is parsed once for a connection and kept. A cursor's way there costs
more than what the server does for the call: Django's puts the values into the text of the statement, to be planned anew
each time, and the driver's is made for any statement and for waiting in steps. Here a call is one exchange of libpq's.
Nothing interrupts it on this side; a lock is waited for as long as `lock_timeout` allows.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

Rows = list[tuple[Any, ...]]


def call(sql: str, values: Sequence[Any]) -> Rows:
    """Run this statement, with $1, $2, … for its values, in the transaction that Django has opened; returns its rows.

    Raises Django's errors, as its own cursor does.
    """
    connection = connections[DEFAULT_DB_ALIAS]  # looked up once: Django's `connection` would at every use
    prepared = _prepared(connection)
    with connection.wrap_database_errors:
        return prepared.call(sql, values)


def start(sql: str, values: Sequence[Any]) -> Callable[[], Rows]:
    """Send this statement off as `call` does; what is returned waits for its rows, and raises its errors.

    Call that once, and ask nothing else of the connection before: the server works on while we do something else.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    prepared = _prepared(connection)
    with connection.wrap_database_errors:
        rows = prepared.start(sql, values)

    def wait() -> Rows:
        with connection.wrap_database_errors:
            return rows()

    return wait


def _prepared(connection: BaseDatabaseWrapper) -> _Prepared:
    connection.ensure_connection()
    prepared: _Prepared | None = getattr(connection, "pen", None)
    if prepared is None or prepared.raw is not connection.connection:  # Django has connected anew
        prepared = _Prepared(connection.connection)
        setattr(connection, "pen", prepared)  # noqa: B010 -- an attribute that Django's connection does not declare
    return prepared


class _Prepared:
    """The statements of one connection, by their text."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self.names: dict[str, bytes] = {}
        self.adapter = Transformer(raw)
        self.is_under_way = False

    def call(self, sql: str, values: Sequence[Any]) -> Rows:
        return self._rows(self.raw.pgconn.exec_prepared(*self._asked(sql, values)))

    def start(self, sql: str, values: Sequence[Any]) -> Callable[[], Rows]:
        pgconn = self.raw.pgconn
        pgconn.send_query_prepared(*self._asked(sql, values))
        self.is_under_way = True
        pgconn.flush()

        def rows() -> Rows:
            last = None
            try:
                while (result := self._next_result()) is not None:  # to the end: only then it is committed, or refused
                    last = result
            finally:
                self.is_under_way = False  # of a connection that is gone, too: its own error is said, no other
            assert last is not None, "a statement has a result"
            return self._rows(last)

        return rows

    def _next_result(self) -> pq.abc.PGresult | None:
        """Waits outside of libpq, which would hold Python's lock: other threads and signals wait for nobody."""
        pgconn = self.raw.pgconn
        ready = select.poll()
        while pgconn.is_busy():
            ready.register(pgconn.socket, select.POLLIN | (select.POLLOUT if pgconn.flush() else 0))
            ready.poll()
            pgconn.consume_input()
        return pgconn.get_result()

    def _asked(self, sql: str, values: Sequence[Any]) -> tuple[bytes, Sequence[Any], None, int]:
        if self.is_under_way:  # libpq would throw the rows away that nobody has waited for
            raise RuntimeError("another statement is under way")
        pgconn = self.raw.pgconn
        if not self.raw.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self._checked(pgconn.exec_(b"BEGIN"))  # the driver, too, begins with the first statement
        name = self.names.get(sql) or self._prepare(pgconn, sql)
        # Values go as text, whose types the statement says; rows come back in binary.
        texts: Sequence[Any] = self.adapter.dump_sequence(values, [PyFormat.TEXT] * len(values))
        return name, texts, None, pq.Format.BINARY

    def _rows(self, result: pq.abc.PGresult) -> Rows:
        self.adapter.set_pgresult(self._checked(result))
        return self.adapter.load_rows(0, result.ntuples, tuple)

    def _prepare(self, pgconn: pq.abc.PGconn, sql: str) -> bytes:
        name = b"pen_%d" % len(self.names)
        self._checked(pgconn.prepare(name, sql.encode()))
        self.names[sql] = name
        return name

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            if not result.error_field(pq.DiagnosticField.SQLSTATE):  # not the server's: the connection is gone
                raise psycopg.OperationalError(result.get_error_message(self.adapter.encoding))
            raise psycopg.errors.error_from_result(result, self.adapter.encoding)
        return result
