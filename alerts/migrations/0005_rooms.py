import alerts.models.contact
import alerts.models.telling
import django.contrib.postgres.indexes
import django.db.models.deletion
import ledger.models.programme
from django.db import migrations, models

# Addresses are kept with their domain in small letters; one that stands so already stays the one.
LOWER_DOMAINS = """
UPDATE alerts_contact contact SET address = lowered.address
  FROM (SELECT id, regexp_replace(address, '@[^@]*$', '') || lower(substring(address from '@[^@]*$')) AS address
          FROM alerts_contact WHERE channel = 'email' AND address ~ '@') lowered
 WHERE lowered.id = contact.id AND lowered.address <> contact.address
   AND NOT EXISTS (SELECT FROM alerts_contact other
                    WHERE other.member_id = contact.member_id AND other.channel = contact.channel
                      AND other.id <> contact.id AND lower(other.address) = lower(contact.address))"""


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0004_telling'),
    ]

    operations = [
        migrations.AddField(
            model_name='override',
            name='found',
            field=models.CharField(default='', max_length=200, verbose_name='found'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='tellingrules',
            name='country',
            field=models.CharField(default='KR', help_text='The code of a country, such as KR, or of a part of it, such as CA-QC.', max_length=6, validators=[alerts.models.telling.validate_country], verbose_name='holidays of'),
        ),
        migrations.AlterField(
            model_name='tellingrules',
            name='pack',
            field=models.CharField(blank=True, choices=[('kr-general', 'Korea: points in general'), ('kr-card', 'Korea: points of a card'), ('kr-prepaid', 'Korea: prepaid'), ('quebec', 'Quebec'), ('ontario', 'Ontario')], help_text='The rules that it is held against.', max_length=20, verbose_name='pack'),
        ),
        # Codes are good for ten minutes: none is carried over.
        migrations.DeleteModel(name='Verification'),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_trace', models.CharField(db_index=True, max_length=64, verbose_name='hash of the address')),
                ('code_hash', models.CharField(max_length=64, verbose_name='hash of the code')),
                ('sent_at', models.DateTimeField(db_index=True, verbose_name='sent')),
                ('expires_at', models.DateTimeField(verbose_name='good until')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('used_at', models.DateTimeField(null=True, verbose_name='used')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verifications', to='ledger.member', verbose_name='member')),
            ],
            options={
                'verbose_name': 'verification',
                'verbose_name_plural': 'verifications',
            },
        ),
        migrations.AlterField(
            model_name='contact',
            name='zone',
            field=models.CharField(blank=True, default='', help_text="Empty: the programme's.", max_length=60, validators=[ledger.models.programme.validate_zone, alerts.models.contact.validate_zone_in_database], verbose_name='time zone'),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='address',
            field=models.CharField(help_text='Of an address that was erased only its keyed hash is kept.', max_length=254, verbose_name='address'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at'], name='delivery_made', pages_per_range=32),
        ),
        migrations.RunSQL(LOWER_DOMAINS, migrations.RunSQL.noop),
    ]
