"""How the pen's calls reach the server: prepared once for each connection, through Django's own connection.

The pen has two calls, always the same; each is parsed once for a connection and kept. Django's own cursor would put the
values into the text of the statement, and the server would plan each anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def call(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run this statement, with $1, $2, … for its values, in the transaction that Django has opened; returns its rows.

    Raises Django's errors, as its own cursor does.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return psycopg.RawCursor(connection.connection).execute(sql, values, prepare=True, binary=True).fetchall()
