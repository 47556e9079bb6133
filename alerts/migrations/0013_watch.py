from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0012_reports'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='anew',
            field=models.BooleanField(db_default=False, default=False, verbose_name='sent again by a person'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'dead'), ('why', 'exhausted')), fields=['next_attempt_at'], name='delivery_given_up'),
        ),
        migrations.AddField(
            model_name='planhold',
            name='why',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='why'),
        ),
        # Who decided about a held plan, and why, stays.
        migrations.RunSQL(
            """CREATE TRIGGER planhold_decided_once BEFORE UPDATE ON alerts_planhold
                 FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();""",
            "DROP TRIGGER planhold_decided_once ON alerts_planhold;",
        ),
    ]
