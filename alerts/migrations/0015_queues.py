from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0014_pace'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='programme',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.RunSQL(
            """UPDATE alerts_delivery delivery SET programme_id = reminder.programme_id
                 FROM alerts_reminder reminder WHERE reminder.id = delivery.reminder_id;""",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name='delivery',
            name='programme',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.programme', verbose_name='programme'),
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_due',
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['programme', 'channel', 'next_attempt_at'], name='delivery_due'),
        ),
    ]
