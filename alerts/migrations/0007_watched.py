from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0006_operators'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_made',
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'delivered')), fields=['channel', 'accepted_at'], name='delivery_reported'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status__in', ('failed', 'skipped', 'cancelled', 'superseded', 'too_late', 'dead'))), fields=['next_attempt_at'], name='delivery_ended'),
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['address'], name='suppression_of_address'),
        ),
    ]
