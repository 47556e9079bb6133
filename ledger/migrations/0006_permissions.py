"""Acts by hand have permissions of their own: who may look at accounts and lots may not adjust or reinstate."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0005_verdicts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='account',
            options={'permissions': [('adjust_account', 'Can adjust accounts')], 'verbose_name': 'account', 'verbose_name_plural': 'accounts'},
        ),
        migrations.AlterModelOptions(
            name='lot',
            options={'permissions': [('extend_lot', 'Can extend lots'), ('reinstate_lot', 'Can reinstate lots')], 'verbose_name': 'lot', 'verbose_name_plural': 'lots'},
        ),
    ]
