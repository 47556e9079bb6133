"""What every test stands on. The services are started before pytest, by `make test` (`python -m devstack.run`)."""

from __future__ import annotations

import os

import pytest
from django.db import connection
from hypothesis import Phase, settings

from tests import builders
from tests.smtp_sink import sink

# The same examples every time, so that the suite says the same twice; HYPOTHESIS_PROFILE=long looks further
# and `glance` fails at once, without looking for the smallest example.
settings.register_profile("usual", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True)
settings.register_profile("glance", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

__all__ = ["sink"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:
    """The test database, in which the flush after transactional tests may truncate the facts.

    Only the tables' owner can disable these triggers, and only here; the tests of the refusal enable them again.

    And which nobody vacuums: most tests roll back, so a vacuum finds many pages and not one row, and the planner then
    takes any index for as good as any other. A test of two thousand expiries took minutes then, or more than an hour.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(r"SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE '%\_no\_truncate'")
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")


@pytest.fixture
def moa(db: None):
    """Moa, a programme without a notice duty."""
    return builders.moa()


@pytest.fixture
def minji(moa):
    """Minji's empty account in Moa."""
    return builders.minji(moa)
