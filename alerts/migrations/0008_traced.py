from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0007_watched'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='address_trace',
            field=models.CharField(blank=True, db_default='', default='', max_length=64, verbose_name='hash of the address'),
        ),
    ]
