"""Facts of telling cannot be emptied whole: what the database itself refuses."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

FACTS = ["attempt", "consent", "override", "providerevent", "stop", "templateversion"]


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_cannot_be_truncated(db, fact):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE alerts_{fact} ENABLE TRIGGER {fact}_no_truncate")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(f"TRUNCATE alerts_{fact} CASCADE")
        transaction.set_rollback(True)
