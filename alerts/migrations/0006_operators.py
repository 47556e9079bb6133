from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

# What was stopped and let go on is append-only.
STOPS = Path(__file__).with_name('stops.sql').read_text(encoding='utf-8')


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0005_rooms'),
        ('ledger', '0007_checks'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='delivery',
            options={'permissions': [('decide_delivery', 'Can decide deliveries')], 'verbose_name': 'delivery', 'verbose_name_plural': 'deliveries'},
        ),
        migrations.AlterModelOptions(
            name='planhold',
            options={'permissions': [('decide_planhold', 'Can decide held plans')], 'verbose_name': 'held plan', 'verbose_name_plural': 'held plans'},
        ),
        migrations.CreateModel(
            name='Stop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transport', models.CharField(blank=True, default='', max_length=20, verbose_name='transport')),
                ('stopped', models.BooleanField(verbose_name='stopped')),
                ('by', models.CharField(max_length=100, verbose_name='by')),
                ('why', models.CharField(max_length=200, verbose_name='why')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('programme', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stops', to='ledger.programme', verbose_name='programme')),
            ],
            options={
                'verbose_name': 'stop',
                'verbose_name_plural': 'stops',
                'permissions': [('stop_sending', 'Can stop sending and let it go on')],
                'indexes': [models.Index(condition=models.Q(('programme__isnull', False)), fields=['programme', '-id'], name='stop_of_programme'), models.Index(condition=models.Q(('transport', ''), _negated=True), fields=['transport', '-id'], name='stop_of_transport')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('programme', None), models.Q(('transport', ''), _negated=True)), models.Q(('programme__isnull', False), ('transport', '')), _connector='OR'), name='stop_of_a_programme_or_a_transport')],
            },
        ),
        migrations.RunSQL(STOPS),
    ]
