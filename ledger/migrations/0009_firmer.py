"""Lots beyond the 32,767th of one entry, policies that nobody truncates, books that stay closed (`firmer.sql`)."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_name("firmer.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0008_point_values'),
    ]

    operations = [
        migrations.RunSQL(
            SQL,
            state_operations=[
                migrations.AlterField(
                    model_name='lot',
                    name='number',
                    field=models.IntegerField(verbose_name='number in that entry'),
                ),
            ],
        ),
    ]
