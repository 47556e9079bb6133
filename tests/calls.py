"""The calls that the pen makes to the server, past Django's own list of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import wire


@contextmanager
def statements() -> Iterator[list[str]]:
    """All statements that are run in the block, the pen's own and Django's; without savepoints."""
    seen: list[str] = []
    call = wire.call

    def noted(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        seen.append(sql)
        return call(sql, values)

    with mock.patch.object(wire, "call", noted), CaptureQueriesContext(connection) as queries:
        yield seen
    seen += [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
