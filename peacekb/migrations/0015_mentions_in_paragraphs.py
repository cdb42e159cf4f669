import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("peacekb", "0014_words_of_entries")]

    operations = [
        migrations.AddIndex(
            model_name="mention",
            index=models.Index(
                fields=["target", "section", "paragraph", "sentence_start", "in_heading"], name="sentences_of_a_page"
            ),
        ),
        migrations.AddIndex(
            model_name="mention",
            index=models.Index(fields=["section", "paragraph", "target"], name="mentions_in_a_paragraph"),
        ),
        migrations.AlterField(
            model_name="mention",
            name="section",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to="peacekb.section",
            ),
        ),
        migrations.AlterField(
            model_name="mention",
            name="target",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentioned_in",
                to="peacekb.page",
            ),
        ),
    ]
