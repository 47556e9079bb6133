"""What a point is worth is a dated fact of its own (`point_values.sql` beside this file), no field of the programme."""

from decimal import Decimal
from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).with_name("point_values.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0007_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='PointValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(help_text='Empty: from now on; of a new programme, for all times. It cannot reach back.', verbose_name='counts from')),
                ('value', models.DecimalField(decimal_places=6, max_digits=12, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='money value of a point')),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Three capital letters.')], verbose_name='currency')),
                ('recorded_at', models.DateTimeField(editable=False, verbose_name='recorded')),
                ('actor', models.CharField(editable=False, max_length=100, verbose_name='by')),
                ('programme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='point_values', to='ledger.programme', verbose_name='programme')),
            ],
            options={
                'verbose_name': 'value of a point',
                'verbose_name_plural': 'values of a point',
                'ordering': ['-since', '-pk'],
            },
        ),
        migrations.RunSQL(SQL),
        migrations.RemoveField(model_name='programme', name='currency'),
        migrations.RemoveField(model_name='programme', name='point_value'),
    ]
