"""Triggers: attempts are append-only (`facts.sql` beside this file)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("facts.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_start"), ("ledger", "0002_facts")]

    # No way back: a line of proof without its guards is none. A test database is dropped whole.
    operations = [migrations.RunSQL(SQL)]
