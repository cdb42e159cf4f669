from django.apps import AppConfig


class PeacekbConfig(AppConfig):
    name = "peacekb"
    verbose_name = "PeaceKB"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # System checks register themselves when their module is imported.
        from peacekb import checks  # noqa: F401
