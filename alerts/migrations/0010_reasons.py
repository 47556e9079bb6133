from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0009_side_messages'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='why',
            field=models.CharField(blank=True, choices=[('', ''), ('redeemed', 'the points are gone'), ('no_contact', 'no usable address'), ('few_points', 'fewer points than the rule asks for'), ('no_rule', 'the reminder rule was removed'), ('moved', 'the date was moved'), ('untold', 'too late to tell: the date will be moved'), ('too_early', 'too early for a notice that counts'), ('closed', 'the account is closed'), ('nearer', 'a nearer reminder is due'), ('expired', 'the points expired before'), ('refused', 'refused for good'), ('exhausted', 'tried too often'), ('opted_out', 'the member wants no such messages'), ('suppressed', 'the address is suppressed'), ('stopped', 'stopped by a person'), ('no_words', 'the text cannot be written on this channel'), ('mixed', 'points that this channel may not speak of'), ('person', 'waits for a person')], default='', max_length=20, verbose_name='reason'),
        ),
    ]
