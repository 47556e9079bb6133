"""Seals and their leaves, append-only like all facts (`seals.sql` beside this file)."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).with_name("seals.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0002_facts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('sealed_at', models.DateTimeField(verbose_name='sealed')),
                ('accounts', models.BigIntegerField(verbose_name='accounts')),
                ('root', models.BinaryField(verbose_name='root')),
                ('previous_hash', models.BinaryField(verbose_name='hash of the seal before')),
                ('hash', models.BinaryField(verbose_name='hash')),
                ('key_id', models.CharField(help_text='Names the public key that the signature is by.', max_length=16, verbose_name='key')),
                ('signature', models.BinaryField(verbose_name='signature')),
            ],
            options={
                'verbose_name': 'seal',
                'verbose_name_plural': 'seals',
                'constraints': [models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='seal_numbered_from_one'), models.CheckConstraint(condition=models.Q(('accounts__gte', 1)), name='seal_covers_something')],
            },
        ),
        migrations.CreateModel(
            name='SealLeaf',
            fields=[
                ('pk', models.CompositePrimaryKey('seal', 'account', blank=True, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(verbose_name='entries')),
                ('head_hash', models.BinaryField(verbose_name='hash of the last entry')),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leaves', to='ledger.account', verbose_name='account')),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ledger.member', verbose_name='member')),
                ('programme', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ledger.programme', verbose_name='programme')),
                ('seal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leaves', to='ledger.seal', verbose_name='seal')),
            ],
            options={
                'verbose_name': 'leaf of a seal',
                'verbose_name_plural': 'leaves of seals',
                'indexes': [models.Index(fields=['account', '-seal'], include=('seq', 'programme', 'member'), name='sealleaf_last_of_account')],
            },
        ),
        migrations.RunSQL(SQL),
    ]
