"""The databases of a run: one migrated once, and copies of it for each group of rows, gone when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

BLANK = "bench_blank"
TPCB = "bench_tpcb"
BARE = "bare"  # the schema of tables that are migrated the same way and written to by bare statements


def server() -> dict[str, str]:
    """Where the server is, as libpq's parameters without a database."""
    settings = connection.settings_dict
    return {"host": settings["HOST"], "user": settings["USER"]}


def connect(name: str, *, schema: str = "public") -> psycopg.Connection[Any]:
    """A plain connection that commits each statement unless told otherwise."""
    at = server()
    return psycopg.connect(
        dbname=name, host=at["host"], user=at["user"], autocommit=True, options=f"-c search_path={schema}"
    )


def use(name: str) -> None:
    """Let Django's connection of this process be to that database."""
    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name


def make_blank() -> None:
    """Migrate a database that the others are copies of."""
    create(BLANK)
    use(BLANK)
    call_command("migrate", verbosity=0)
    connection.close()


@contextmanager
def copy_of_blank(name: str, *, with_bare: bool = False) -> Iterator[str]:
    """A migrated database under this name, which this process then uses; dropped at the end.

    `with_bare` migrates a second time into a schema of its own, for the bare statements.
    """
    create(name, template=BLANK)
    use(name)
    try:
        if with_bare:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {BARE}")
                cursor.execute(f"SET search_path TO {BARE}")
            call_command("migrate", verbosity=0)
            connection.close()
        yield name
    finally:
        connection.close()
        drop(name)


def create(name: str, *, template: str = "template1") -> None:
    """Create a database anew: what an earlier run has left is dropped."""
    drop(name)
    with connect("postgres") as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop(name: str) -> None:
    with connect("postgres") as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_leftovers() -> None:
    """Drop all databases of the benchmarks, those of a run that was cut off included."""
    with connect("postgres") as admin:
        names = [name for (name,) in admin.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'bench\_%'")]
    for name in names:
        drop(name)


def settle(name: str) -> None:
    """After many rows were written at once: statistics and hint bits as a table has them that grew slowly."""
    with connect(name) as admin:
        admin.execute("VACUUM (ANALYZE)")
        admin.execute("CHECKPOINT")


def one(name: str, query: str) -> Any:
    """The one value that a query of that database gives."""
    with connect(name) as admin:
        row = admin.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
