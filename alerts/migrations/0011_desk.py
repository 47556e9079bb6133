from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0010_reasons'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='consent',
            options={'permissions': [('record_consent', 'Can record what members say')], 'verbose_name': 'consent', 'verbose_name_plural': 'consents'},
        ),
        migrations.AlterModelOptions(
            name='suppression',
            options={'permissions': [('suppress_address', 'Can suppress addresses and lift suppressions')], 'verbose_name': 'suppression', 'verbose_name_plural': 'suppressions'},
        ),
    ]
