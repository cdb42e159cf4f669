from django.db import migrations, models


class Migration(migrations.Migration):
    """The words of the running text; `manage.py rebuild` counts them."""

    dependencies = [("peacekb", "0011_library")]

    operations = [
        migrations.AddField(
            model_name="section",
            name="words",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="label",
            name="key",
            field=models.TextField(db_index=True, editable=False),
        ),
    ]
