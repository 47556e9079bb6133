"""Triggers and composite keys: what the database itself refuses to break (`facts.sql` beside this file)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("facts.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_start")]

    # No way back: a ledger without its guards is none. A test database is dropped whole.
    operations = [migrations.RunSQL(SQL)]
