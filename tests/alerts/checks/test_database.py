from __future__ import annotations

import pytest
from django.core.checks import Warning
from django.db import connection

from alerts.checks.database import of_the_database


@of_the_database
def check_a_table_that_is_not_there():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM not_there_yet")
        yield Warning(f"{cursor.fetchone()} rows", id="alerts.W999")


@of_the_database
def check_what_is_there():
    """Says one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        yield Warning(f"it says {cursor.fetchone()[0]}", id="alerts.W999")


@pytest.mark.django_db
def test_before_the_tables_are_there_nothing_is_found_and_the_migration_goes_on():
    assert check_a_table_that_is_not_there(None, databases=["default"]) == []
    (found,) = check_what_is_there(None, databases=["default"])
    assert (found.msg, check_what_is_there.__doc__) == ("it says 1", "Says one.")


def test_a_check_that_is_not_told_to_asks_nothing():
    """Without leave to use the database, a question would fail."""
    assert check_what_is_there(None) == check_what_is_there(None, databases=[]) == []
