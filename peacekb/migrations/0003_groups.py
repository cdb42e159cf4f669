"""The two groups of people who edit. Neither touches users, groups, sessions or settings."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

WRITTEN = ["article", "concept", "role", "task", "label", "source"]
PAGES = ["article", "concept", "role", "task"]

EDITORS = {
    "peacekb": [*(f"{deed}_{model}" for model in WRITTEN for deed in ("add", "change", "view")), "view_revision"],
    "taggit": ["add_tag", "change_tag", "view_tag"],
}
PUBLISHERS = {
    # Only drafts of pages, and only tags and sources that no page uses, can be deleted: the admin sees to that.
    "peacekb": [*EDITORS["peacekb"], *(f"delete_{model}" for model in (*PAGES, "source")), "publish_page"],
    "taggit": [*EDITORS["taggit"], "delete_tag"],
}


def make_groups(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    for label in ("peacekb", "taggit"):
        # Permissions are otherwise made only after the last migration.
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, verbosity=0, using=using, apps=apps)
        config.models_module = None
    groups = apps.get_model("auth", "Group").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for name, granted in (("Editors", EDITORS), ("Publishers", PUBLISHERS)):
        group, _ = groups.get_or_create(name=name)
        for label, codenames in granted.items():
            found = permissions.filter(content_type__app_label=label, codename__in=codenames)
            if found.count() != len(codenames):
                raise RuntimeError(f"Some permissions of {label} are missing: {codenames}.")
            group.permissions.add(*found)


def remove_groups(apps: Any, schema_editor: Any) -> None:
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=["Editors", "Publishers"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("peacekb", "0002_full_text"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("taggit", "0006_rename_taggeditem_content_type_object_id_taggit_tagg_content_8fc721_idx"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
