"""Consent, templates, providers' events, transports, and the rules of telling (`telling.sql` beside this file)."""

from pathlib import Path

import alerts.models.rule
import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


SQL = Path(__file__).with_name("telling.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0003_reachable'),
        ('ledger', '0007_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20, verbose_name='channel')),
                ('purpose', models.CharField(choices=[('notice', 'Notice of expiry'), ('advertising', 'Advertising'), ('night_advertising', 'Advertising at night')], max_length=20, verbose_name='purpose')),
                ('given', models.BooleanField(verbose_name='given')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('source', models.CharField(help_text='Where it was said: a form, a link, a person.', max_length=100, verbose_name='source')),
                ('actor', models.CharField(max_length=100, verbose_name='by')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
            },
        ),
        migrations.CreateModel(
            name='Holiday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('is_holiday', models.BooleanField(default=True, verbose_name='is a holiday')),
                ('name', models.CharField(blank=True, max_length=100, verbose_name='name')),
            ],
            options={
                'verbose_name': 'holiday',
                'verbose_name_plural': 'holidays',
            },
        ),
        migrations.CreateModel(
            name='Override',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=60, verbose_name='rule')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('by', models.CharField(max_length=100, verbose_name='by')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'verbose_name': 'override',
                'verbose_name_plural': 'overrides',
            },
        ),
        migrations.CreateModel(
            name='PlanHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('planned', models.PositiveIntegerField(verbose_name='reminders')),
                ('usual', models.PositiveIntegerField(verbose_name='usual')),
                ('made_at', models.DateTimeField(verbose_name='held since')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                ('decided_by', models.CharField(blank=True, max_length=100, verbose_name='by')),
                ('let_go', models.BooleanField(null=True, verbose_name='let go')),
            ],
            options={
                'verbose_name': 'held plan',
                'verbose_name_plural': 'held plans',
            },
        ),
        migrations.CreateModel(
            name='ProviderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transport', models.CharField(max_length=20, verbose_name='transport')),
                ('event_key', models.CharField(max_length=100, verbose_name='key of the event')),
                ('kind', models.CharField(choices=[('delivered', 'Delivered'), ('undelivered', 'Undelivered'), ('bounced', 'Bounced'), ('complained', 'Complaint'), ('unsubscribed', 'Unsubscribed'), ('other', 'Other')], max_length=20, verbose_name='kind')),
                ('provider_id', models.CharField(blank=True, max_length=100, verbose_name="provider's number of the message")),
                ('our_key', models.CharField(blank=True, max_length=36, verbose_name='our key in the event')),
                ('occurred_at', models.DateTimeField(verbose_name='happened')),
                ('received_at', models.DateTimeField(verbose_name='received')),
                ('raw', models.TextField(verbose_name='as it came')),
                ('matched_at', models.DateTimeField(null=True, verbose_name='matched')),
            ],
            options={
                'verbose_name': "provider's event",
                'verbose_name_plural': "providers' events",
            },
        ),
        migrations.CreateModel(
            name='SandboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(unique=True, verbose_name='key')),
                ('channel', models.CharField(max_length=20, verbose_name='channel')),
                ('to', models.CharField(max_length=254, verbose_name='to')),
                ('subject', models.CharField(blank=True, max_length=200, verbose_name='subject')),
                ('text', models.TextField(verbose_name='text')),
                ('html', models.TextField(blank=True, verbose_name='HTML')),
                ('at', models.DateTimeField(verbose_name='taken')),
            ],
            options={
                'verbose_name': 'message of the sandbox',
                'verbose_name_plural': 'messages of the sandbox',
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20, verbose_name='channel')),
                ('address', models.CharField(max_length=254, verbose_name='address')),
                ('why', models.CharField(choices=[('hard_bounce', 'refused for good'), ('complaint', 'complaint'), ('by_hand', 'by hand')], max_length=20, verbose_name='reason')),
                ('at', models.DateTimeField(verbose_name='since')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
            ],
            options={
                'verbose_name': 'suppression',
                'verbose_name_plural': 'suppressions',
            },
        ),
        migrations.CreateModel(
            name='TellingRules',
            fields=[
                ('programme', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='telling', serialize=False, to='ledger.programme', verbose_name='programme')),
                ('pack', models.CharField(blank=True, help_text='The rules that it is held against.', max_length=20, verbose_name='pack')),
                ('open_from', models.TimeField(default=datetime.time(9, 0), verbose_name='messages from')),
                ('open_until', models.TimeField(default=datetime.time(20, 30), verbose_name='until')),
                ('rests_on_holidays', models.BooleanField(default=False, verbose_name='nothing on holidays')),
                ('country', models.CharField(default='KR', max_length=2, verbose_name='holidays of')),
                ('counts_when', models.CharField(choices=[('accepted', 'accepted by the provider'), ('delivered', 'delivered')], default='accepted', max_length=10, verbose_name='counts as told when')),
                ('text_kept_days', models.PositiveIntegerField(default=365, verbose_name='days that texts are kept')),
                ('blast_factor', models.PositiveIntegerField(default=5, help_text='A day with more than so many times the usual reminders waits for a person.', validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(1000)], verbose_name='times the usual')),
                ('blast_least', models.PositiveIntegerField(default=1000, verbose_name='reminders that never wait')),
                ('stopped_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='stopped')),
                ('stopped_by', models.CharField(blank=True, editable=False, max_length=100, verbose_name='stopped by')),
                ('stopped_why', models.CharField(blank=True, editable=False, max_length=200, verbose_name='why')),
            ],
            options={
                'verbose_name': 'rules of telling',
                'verbose_name_plural': 'rules of telling',
            },
        ),
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20, verbose_name='channel')),
                ('language', models.CharField(choices=[('ko', '한국어'), ('en', 'English')], max_length=10, verbose_name='language')),
                ('purpose', models.CharField(choices=[('notice', 'Notice of expiry'), ('advertising', 'Advertising'), ('night_advertising', 'Advertising at night')], default='notice', max_length=20, verbose_name='purpose')),
            ],
            options={
                'verbose_name': 'template',
                'verbose_name_plural': 'templates',
            },
        ),
        migrations.CreateModel(
            name='TemplateVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('subject', models.CharField(blank=True, max_length=200, verbose_name='subject')),
                ('text', models.TextField(verbose_name='text')),
                ('html', models.TextField(blank=True, verbose_name='HTML')),
                ('provider_code', models.CharField(blank=True, max_length=100, verbose_name='code at the provider')),
                ('made_at', models.DateTimeField(verbose_name='saved')),
                ('made_by', models.CharField(max_length=100, verbose_name='by')),
            ],
            options={
                'verbose_name': 'version of a template',
                'verbose_name_plural': 'versions of templates',
            },
        ),
        migrations.CreateModel(
            name='Tick',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='name')),
                ('began_at', models.DateTimeField(verbose_name='began')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
            ],
            options={
                'verbose_name': 'tick',
                'verbose_name_plural': 'ticks',
            },
        ),
        migrations.CreateModel(
            name='Transport',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False, verbose_name='name')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('open_until', models.DateTimeField(null=True, verbose_name='not tried before')),
                ('stopped_at', models.DateTimeField(null=True, verbose_name='stopped')),
                ('stopped_by', models.CharField(blank=True, max_length=100, verbose_name='stopped by')),
                ('stopped_why', models.CharField(blank=True, max_length=200, verbose_name='why')),
            ],
            options={
                'verbose_name': 'transport',
                'verbose_name_plural': 'transports',
            },
        ),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code_hash', models.CharField(max_length=64, verbose_name='hash of the code')),
                ('sent_at', models.DateTimeField(verbose_name='sent')),
                ('expires_at', models.DateTimeField(verbose_name='good until')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('used_at', models.DateTimeField(null=True, verbose_name='used')),
            ],
            options={
                'verbose_name': 'verification',
                'verbose_name_plural': 'verifications',
            },
        ),
        migrations.RemoveConstraint(
            model_name='contact',
            name='contact_channel_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='delivery_status_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='delivery_accepted_at_a_time',
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_accepted',
        ),
        migrations.AddField(
            model_name='contact',
            name='zone',
            field=models.CharField(blank=True, default='', help_text="Empty: the programme's.", max_length=60, verbose_name='time zone'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='delivered_at',
            field=models.DateTimeField(null=True, verbose_name='delivered'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='provider_id',
            field=models.CharField(blank=True, default='', max_length=100, verbose_name="provider's number"),
        ),
        migrations.AddField(
            model_name='delivery',
            name='text',
            field=models.TextField(blank=True, default='', verbose_name='text'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='transport',
            field=models.CharField(blank=True, default='', max_length=20, verbose_name='transport'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='undelivered_at',
            field=models.DateTimeField(null=True, verbose_name='came back'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='variables',
            field=models.JSONField(default=dict, verbose_name='variables'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='withdrawn_at',
            field=models.DateTimeField(null=True, verbose_name='notice withdrawn'),
        ),
        migrations.AddField(
            model_name='reminderrule',
            name='at_once',
            field=models.PositiveSmallIntegerField(default=1, help_text='Two, where a member must be told on two channels.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)], verbose_name='channels used at once'),
        ),
        migrations.AddField(
            model_name='reminderrule',
            name='channels',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20), default=alerts.models.rule.by_email, help_text='The first that reach the member are used; the next ones when a message came to nothing.', size=None, verbose_name='channels in order'),
        ),
        migrations.AlterField(
            model_name='contact',
            name='channel',
            field=models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], default='email', max_length=20, verbose_name='channel'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='channel',
            field=models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20, verbose_name='channel'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='status',
            field=models.CharField(choices=[('pending', 'Pending'), ('claimed', 'Claimed'), ('sending', 'Sending'), ('unknown', 'Unknown'), ('accepted', 'Accepted'), ('delivered', 'Delivered'), ('undelivered', 'Undelivered'), ('failed', 'Failed'), ('skipped', 'Skipped'), ('cancelled', 'Cancelled'), ('superseded', 'Superseded'), ('too_late', 'Too late'), ('dead', 'Given up')], default='pending', max_length=12, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='why',
            field=models.CharField(blank=True, choices=[('', ''), ('redeemed', 'the points are gone'), ('no_contact', 'no usable address'), ('few_points', 'fewer points than the rule asks for'), ('no_rule', 'the reminder rule was removed'), ('moved', 'the date was moved'), ('untold', 'too late to tell: the date will be moved'), ('too_early', 'too early for a notice that counts'), ('closed', 'the account is closed'), ('nearer', 'a nearer reminder is due'), ('expired', 'the points expired before'), ('refused', 'refused for good'), ('exhausted', 'tried too often'), ('opted_out', 'the member wants no such messages'), ('suppressed', 'the address is suppressed'), ('stopped', 'stopped by a person'), ('not_allowed', 'the address is not on the list of those that may be written to'), ('no_words', 'the text cannot be written on this channel'), ('mixed', 'points that this channel may not speak of'), ('person', 'waits for a person')], default='', max_length=20, verbose_name='reason'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'sms', 'alimtalk'])), name='contact_channel_is_known'),
        ),
        migrations.AddConstraint(
            model_name='reminderrule',
            constraint=models.CheckConstraint(condition=models.Q(('at_once__gte', 1), ('channels__contained_by', ['email', 'sms', 'alimtalk']), ('channels__len__gte', 1)), name='reminder_rule_channels_are_known'),
        ),
        migrations.AddField(
            model_name='consent',
            name='member',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='ledger.member', verbose_name='member'),
        ),
        migrations.AddField(
            model_name='holiday',
            name='programme',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='holidays', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='override',
            name='programme',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='planhold',
            name='programme',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='plan_holds', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='providerevent',
            name='delivery',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='alerts.delivery', verbose_name='delivery'),
        ),
        migrations.AddField(
            model_name='sandboxmessage',
            name='delivery',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='alerts.delivery', verbose_name='delivery'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('channel', 'address'), name='suppression_stands_once'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'sms', 'alimtalk'])), name='suppression_channel_is_known'),
        ),
        migrations.AddField(
            model_name='template',
            name='programme',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='templateversion',
            name='template',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='alerts.template', verbose_name='template'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='template_version',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='alerts.templateversion', verbose_name='version of the template'),
        ),
        migrations.AddIndex(
            model_name='reminder',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['planned_at'], name='reminder_planned', pages_per_range=32),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('noticed_at', None), ('status', 'delivered')), fields=['delivered_at'], name='delivery_arrived'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('noticed_at__isnull', False), ('status', 'undelivered'), ('withdrawn_at', None)), fields=['undelivered_at'], name='delivery_to_withdraw'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'undelivered')), fields=['undelivered_at'], name='delivery_came_back'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['transport', 'provider_id'], name='delivery_provider'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('text', ''), _negated=True), fields=['created_at'], name='delivery_text_kept'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status__in', ['accepted', 'delivered'])), fields=['channel', 'accepted_at'], name='delivery_accepted'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'claimed', 'sending', 'unknown', 'accepted', 'delivered', 'undelivered', 'failed', 'skipped', 'cancelled', 'superseded', 'too_late', 'dead'])), name='delivery_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted_at__isnull', False), ('points_told__gt', 0), ('status__in', ('accepted', 'delivered', 'undelivered'))), models.Q(models.Q(('status__in', ('accepted', 'delivered', 'undelivered')), _negated=True), ('accepted_at', None), ('noticed_at', None)), _connector='OR'), name='delivery_accepted_at_a_time'),
        ),
        migrations.AddField(
            model_name='verification',
            name='contact',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verifications', to='alerts.contact', verbose_name='contact'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['member', 'channel', 'purpose', '-id'], name='consent_newest'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'sms', 'alimtalk'])), name='consent_channel_is_known'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['notice', 'advertising', 'night_advertising'])), name='consent_purpose_is_known'),
        ),
        migrations.AddConstraint(
            model_name='holiday',
            constraint=models.UniqueConstraint(fields=('programme', 'day'), name='holiday_once'),
        ),
        migrations.AddIndex(
            model_name='override',
            index=models.Index(fields=['programme', 'rule'], name='override_of_rule'),
        ),
        migrations.AddConstraint(
            model_name='planhold',
            constraint=models.UniqueConstraint(fields=('programme', 'day'), name='plan_hold_once'),
        ),
        migrations.AddConstraint(
            model_name='planhold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('let_go', None)), models.Q(('decided_at__isnull', False), ('let_go__isnull', False)), _connector='OR'), name='plan_hold_decided_or_not'),
        ),
        migrations.AddIndex(
            model_name='providerevent',
            index=models.Index(condition=models.Q(('matched_at', None)), fields=['received_at'], name='event_to_match'),
        ),
        migrations.AddIndex(
            model_name='providerevent',
            index=models.Index(condition=models.Q(('delivery__isnull', False)), fields=['delivery'], name='event_of_delivery'),
        ),
        migrations.AddConstraint(
            model_name='providerevent',
            constraint=models.UniqueConstraint(fields=('transport', 'event_key'), name='event_once'),
        ),
        migrations.AddConstraint(
            model_name='template',
            constraint=models.UniqueConstraint(fields=('programme', 'channel', 'language', 'purpose'), name='template_once'),
        ),
        migrations.AddConstraint(
            model_name='template',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'sms', 'alimtalk'])), name='template_channel_is_known'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.UniqueConstraint(fields=('template', 'number'), name='template_version_once'),
        ),
        migrations.RunSQL("UPDATE alerts_reminderrule SET channels = ARRAY[channel]; SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RemoveField(
            model_name='reminderrule',
            name='channel',
        ),
        migrations.RunSQL(SQL),
    ]
