"""All kinds of entry, all expiry models, holds and closures (`kinds.sql` beside this file has their guards,
`pen.sql` the calls of the pen)."""

from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).with_name("kinds.sql").read_text(encoding="utf-8")
PEN = Path(__file__).with_name("pen.sql").read_text(encoding="utf-8")

# Lots that exist were made with the date that their first extension moved; activity is counted from the entries.
BACKFILL = """
UPDATE ledger_lot l
   SET first_spendable_at = l.spendable_at,
       first_expires_at = coalesce(
         (SELECT x.was FROM ledger_extension x WHERE x.lot_id = l.id ORDER BY x.id LIMIT 1), l.expires_at);
UPDATE ledger_account a
   SET active_at = (SELECT max(e.effective_at) FROM ledger_entry e
                     WHERE e.account_id = a.id AND e.kind IN ('grant', 'redeem', 'hold'));
-- What a deferred trigger still has to check must be checked before the tables can change.
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0003_seals'),
    ]

    operations = [
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField(verbose_name='made by entry')),
                ('closes_at', models.DateTimeField(verbose_name='takes effect')),
                ('points', models.BigIntegerField(verbose_name='points that were told to go')),
                ('open', models.BooleanField(verbose_name='open')),
            ],
            options={
                'verbose_name': 'closure',
                'verbose_name_plural': 'closures',
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField(verbose_name='made by entry')),
                ('points', models.BigIntegerField(verbose_name='points')),
                ('lapses_at', models.DateTimeField(verbose_name='lapses')),
                ('open', models.BooleanField(verbose_name='open')),
            ],
            options={
                'verbose_name': 'hold',
                'verbose_name_plural': 'holds',
            },
        ),
        migrations.RemoveConstraint(
            model_name='entry',
            name='entry_kind_is_declared_with_its_sign',
        ),
        migrations.RemoveConstraint(
            model_name='policy',
            name='policy_rolling_has_a_life',
        ),
        migrations.AddField(
            model_name='account',
            name='active_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last activity'),
        ),
        migrations.AddField(
            model_name='account',
            name='closed',
            field=models.BooleanField(default=False, verbose_name='closed'),
        ),
        migrations.AddField(
            model_name='account',
            name='closes_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='closes'),
        ),
        migrations.AddField(
            model_name='account',
            name='lapses_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='next hold lapses'),
        ),
        migrations.AddField(
            model_name='account',
            name='not_before',
            field=models.DateTimeField(blank=True, help_text='Points under an inactivity policy go no earlier.', null=True, verbose_name='kept until'),
        ),
        migrations.AddField(
            model_name='allocation',
            name='until',
            field=models.DateTimeField(help_text='Of points that came back: their date then. Empty: never, or others.', null=True, verbose_name='until'),
        ),
        migrations.AddField(
            model_name='entry',
            name='written_off',
            field=models.BigIntegerField(db_default=0, default=0, verbose_name='written off'),
        ),
        migrations.AddField(
            model_name='extension',
            name='spendable_until',
            field=models.DateTimeField(null=True, verbose_name='spendable now'),
        ),
        migrations.AddField(
            model_name='extension',
            name='spendable_was',
            field=models.DateTimeField(null=True, verbose_name='spendable before'),
        ),
        migrations.AddField(
            model_name='lot',
            name='first_expires_at',
            field=models.DateTimeField(null=True, verbose_name='expires, when made'),
        ),
        migrations.AddField(
            model_name='lot',
            name='first_spendable_at',
            field=models.DateTimeField(null=True, verbose_name='spendable from, when made'),
        ),
        migrations.AddField(
            model_name='lot',
            name='moved_untold',
            field=models.BooleanField(db_default=False, default=False, verbose_name='moved because nobody was told'),
        ),
        migrations.AddField(
            model_name='notice',
            name='waiver',
            field=models.CharField(blank=True, choices=[('no_contact', 'no contact is known'), ('opted_out', 'opted out of everything'), ('below_least', 'below the least amount worth a message')], db_default='', max_length=20, verbose_name='waived because'),
        ),
        migrations.AddField(
            model_name='policy',
            name='accepts_waivers',
            field=models.BooleanField(default=False, help_text='Points of members who cannot be told expire all the same. Off: they stay until they can be told.', verbose_name='accepts waivers'),
        ),
        migrations.AddField(
            model_name='policy',
            name='announced_on',
            field=models.DateField(blank=True, help_text='The day on which members were told of this policy. Needed where it makes new points worse.', null=True, verbose_name='announced on'),
        ),
        migrations.AddField(
            model_name='policy',
            name='clawback_beyond',
            field=models.CharField(choices=[('debt', 'becomes a debt'), ('write_off', 'is written off')], default='debt', max_length=10, verbose_name='a clawback beyond the points at hand'),
        ),
        migrations.AddField(
            model_name='policy',
            name='fixed_day',
            field=models.PositiveSmallIntegerField(default=0, help_text='Only for a fixed day of the year: points are valid through it.', validators=[django.core.validators.MaxValueValidator(31)], verbose_name='day'),
        ),
        migrations.AddField(
            model_name='policy',
            name='fixed_month',
            field=models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(12)], verbose_name='month'),
        ),
        migrations.AddField(
            model_name='policy',
            name='notice_channels',
            field=models.PositiveSmallIntegerField(default=1, help_text='On how many different channels the member must have been told.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)], verbose_name='channels of a notice'),
        ),
        migrations.AddField(
            model_name='policy',
            name='notice_max_days',
            field=models.PositiveIntegerField(default=0, help_text='A notice given earlier than this many days ahead does not count. 0: no bound.', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='earliest notice in days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='reinstate_life_days',
            field=models.PositiveIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='life of reinstated points in days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='reinstate_window_days',
            field=models.PositiveIntegerField(default=0, help_text='How long after their expiry points can be given back. 0: never.', validators=[django.core.validators.MaxValueValidator(3650)], verbose_name='reinstatement window in days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='restored_floor_days',
            field=models.PositiveIntegerField(default=30, help_text='Points that come back by a refund can be used for at least so long.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='least life of returned points in days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='spendable_after_days',
            field=models.PositiveIntegerField(default=0, help_text='0: at once.', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='spendable after days'),
        ),
        migrations.AddField(
            model_name='programme',
            name='books_closed_until',
            field=models.DateField(blank=True, help_text='Nothing can take effect on an earlier day.', null=True, verbose_name='books closed until'),
        ),
        migrations.AddField(
            model_name='programme',
            name='cooling_off_days',
            field=models.PositiveIntegerField(default=14, help_text='How long a member who closes the account can think again.', validators=[django.core.validators.MaxValueValidator(366)], verbose_name='cooling-off days'),
        ),
        migrations.AddField(
            model_name='programme',
            name='policy_notice_days',
            field=models.PositiveIntegerField(default=30, help_text='A policy that makes new points worse is announced at least so many days before it takes effect.', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='notice of a worse policy in days'),
        ),
        migrations.AlterField(
            model_name='entry',
            name='kind',
            field=models.CharField(choices=[('grant', 'Grant'), ('settle', 'Debt settled'), ('redeem', 'Redemption'), ('refund', 'Refund'), ('clawback', 'Clawback'), ('hold', 'Hold'), ('capture', 'Capture'), ('release', 'Release'), ('expire', 'Expiry'), ('reinstate', 'Reinstatement'), ('extend', 'Extension'), ('postpone', 'Postponement'), ('notify', 'Notice'), ('close', 'Closure'), ('forfeit', 'Forfeiture'), ('decline', 'Declined'), ('note', 'Note')], max_length=12, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='policy',
            name='model',
            field=models.CharField(choices=[('never', 'Never'), ('rolling', 'A time after each grant'), ('fixed_day', 'On a fixed day of the year'), ('inactivity', "A time after the account's last activity")], default='rolling', max_length=20, verbose_name='points expire'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('closed', False), models.Q(('balance', 0), ('closes_at__isnull', False), ('lapses_at__isnull', True)), _connector='OR'), name='account_closed_holds_nothing'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'grant'), ('amount__gt', 0)), models.Q(('kind', 'settle'), ('amount', 0)), models.Q(('kind', 'redeem'), ('amount__lt', models.F('written_off'))), models.Q(('kind', 'refund'), ('amount__gt', 0)), models.Q(('kind', 'clawback'), ('amount__lt', models.F('written_off'))), models.Q(('kind', 'hold'), ('amount__lt', models.F('written_off'))), models.Q(('kind', 'capture'), ('amount', 0)), models.Q(('kind', 'release'), ('amount__gt', 0)), models.Q(('kind', 'expire'), ('amount__lt', models.F('written_off'))), models.Q(('kind', 'reinstate'), ('amount__gt', 0)), models.Q(('kind', 'extend'), ('amount', 0)), models.Q(('kind', 'postpone'), ('amount', 0)), models.Q(('kind', 'notify'), ('amount', 0)), models.Q(('kind', 'close'), ('amount', 0)), models.Q(('kind', 'forfeit'), ('amount__lt', models.F('written_off'))), models.Q(('kind', 'decline'), ('amount', 0)), models.Q(('kind', 'note'), ('amount', 0)), _connector='OR'), name='entry_kind_is_declared_with_its_sign'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('written_off', 0), models.Q(('amount__lte', 0), ('kind', 'clawback'), ('written_off__gt', 0)), _connector='OR'), name='entry_clawback_writes_off'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('count', 0), ('model', 'never')), models.Q(('count__gt', 0), ('model__in', ['rolling', 'inactivity'])), ('model', 'fixed_day'), _connector='OR'), name='policy_rolling_has_a_life', violation_error_message='A time after something needs a number of at least 1; “never” needs 0.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fixed_day__gt', 0), ('fixed_month__gt', 0), ('model', 'fixed_day')), models.Q(models.Q(('model', 'fixed_day'), _negated=True), ('fixed_day', 0), ('fixed_month', 0)), _connector='OR'), name='policy_fixed_day_is_named', violation_error_message='A fixed day needs its month and day; other policies have none.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('notice_max_days', 0), ('notice_max_days__gte', models.F('notice_days')), _connector='OR'), name='policy_notice_window_is_open', violation_error_message='The earliest notice cannot come after the latest.'),
        ),
        migrations.AddField(
            model_name='closure',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='closures', to='ledger.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='closure',
            name='programme',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='hold',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='ledger.account', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='hold',
            name='programme',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddIndex(
            model_name='closure',
            index=models.Index(condition=models.Q(('open', True)), fields=['closes_at'], name='closure_sweep'),
        ),
        migrations.AddConstraint(
            model_name='closure',
            constraint=models.UniqueConstraint(fields=('account', 'seq'), name='closure_made_once'),
        ),
        migrations.AddConstraint(
            model_name='closure',
            constraint=models.UniqueConstraint(condition=models.Q(('open', True)), fields=('account',), name='closure_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='closure',
            constraint=models.CheckConstraint(condition=models.Q(('points__gte', 0)), name='closure_points_not_negative'),
        ),
        migrations.AddIndex(
            model_name='hold',
            index=models.Index(condition=models.Q(('open', True)), fields=['lapses_at'], name='hold_sweep'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(fields=('account', 'seq'), name='hold_made_once'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('points__gt', 0)), name='hold_holds_something'),
        ),
        migrations.RunSQL(BACKFILL),
        migrations.AlterField(
            model_name='lot',
            name='first_spendable_at',
            field=models.DateTimeField(verbose_name='spendable from, when made'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='entry',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='ledger.entry', verbose_name='entry'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='lot',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='ledger.lot', verbose_name='lot'),
        ),
        migrations.RunSQL(SQL),
        migrations.RunSQL(PEN),
    ]
