from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

# What providers reported, what members said, words and exceptions cannot be emptied whole.
TRUNCATES = Path(__file__).with_name('truncates.sql').read_text(encoding='utf-8')


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0008_traced'),
    ]

    operations = [
        migrations.AlterField(
            model_name='providerevent',
            name='raw',
            field=models.TextField(help_text='As it came, without addresses: an ellipsis stands for each address and number.', verbose_name='as it came'),
        ),
        migrations.CreateModel(
            name='SideMessage',
            fields=[
                ('key', models.UUIDField(primary_key=True, serialize=False, verbose_name='key')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('alimtalk', 'KakaoTalk AlimTalk')], max_length=20, verbose_name='channel')),
                ('address_trace', models.CharField(db_index=True, max_length=64, verbose_name='hash of the address')),
                ('at', models.DateTimeField(db_index=True, verbose_name='sent')),
                ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='side_messages', to='alerts.contact', verbose_name='contact')),
            ],
            options={
                'verbose_name': 'message beside the deliveries',
                'verbose_name_plural': 'messages beside the deliveries',
            },
        ),
        migrations.RunSQL(TRUNCATES),
    ]
