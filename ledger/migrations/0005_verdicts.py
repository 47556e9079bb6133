"""Verdicts of the audit: one a run, append-only (`verdicts.sql` beside this file), and one an account."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).with_name("verdicts.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0004_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountVerdict',
            fields=[
                ('account', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='audited', serialize=False, to='ledger.account', verbose_name='account')),
                ('seq', models.BigIntegerField(default=0, verbose_name='clean up to entry')),
                ('head_hash', models.BinaryField(default=b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00', verbose_name='hash of that entry')),
                ('kept_hash', models.BinaryField(default=b'', verbose_name='hash of the kept numbers then')),
                ('findings', models.BigIntegerField(verbose_name='findings')),
                ('told_at', models.DateTimeField(verbose_name='told')),
                ('seen_at', models.DateTimeField(verbose_name='seen')),
            ],
            options={
                'verbose_name': 'verdict of an account',
                'verbose_name_plural': 'verdicts of accounts',
                'indexes': [models.Index(fields=['seen_at'], name='accountverdict_oldest')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(choices=[('full', 'Everything'), ('moved', 'What moved')], max_length=10, verbose_name='mode')),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('ended_at', models.DateTimeField(verbose_name='ended')),
                ('accounts', models.BigIntegerField(verbose_name='accounts')),
                ('told', models.BigIntegerField(help_text='Told on from where they were clean, or from their first entry; the others only compared.', verbose_name='of them told')),
                ('entries', models.BigIntegerField(verbose_name='entries')),
                ('findings', models.BigIntegerField(verbose_name='findings')),
                ('by_law', models.JSONField(default=dict, verbose_name='findings by law')),
                ('first', models.TextField(blank=True, default='', verbose_name='first findings')),
                ('interrupted', models.BooleanField(verbose_name='interrupted')),
                ('reached', models.BigIntegerField(default=0, help_text='The last account that an interrupted run went through whole.', verbose_name='reached account')),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.account', verbose_name='account')),
                ('programme', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.programme', verbose_name='programme')),
            ],
            options={
                'verbose_name': 'verdict',
                'verbose_name_plural': 'verdicts',
                'indexes': [models.Index(condition=models.Q(('findings', 0)), fields=['mode', '-ended_at'], name='verdict_last_clean')],
            },
        ),
        migrations.RunSQL(SQL),
    ]
