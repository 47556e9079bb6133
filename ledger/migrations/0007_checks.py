"""The rules of an entry in one function, and the pen's call anew (`checks.sql` and `pen.sql` beside this file)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("checks.sql").read_text(encoding="utf-8")
PEN = Path(__file__).with_name("pen.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0006_permissions'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='entry', name='entry_kind_is_declared_with_its_sign'),
        migrations.RemoveConstraint(model_name='entry', name='entry_clawback_writes_off'),
        migrations.RemoveConstraint(model_name='entry', name='entry_effective_not_later'),
        migrations.RemoveConstraint(model_name='entry', name='entry_balance_not_negative'),
        migrations.RemoveConstraint(model_name='entry', name='entry_debt_not_negative'),
        migrations.RemoveConstraint(model_name='entry', name='entry_key_has_a_body'),
        migrations.RunSQL(SQL),
        migrations.RunSQL(PEN),
    ]
