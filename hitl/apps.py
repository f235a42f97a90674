from django.apps import AppConfig
from django.core.checks import Tags, register

from hitl.access import checks


class HitlConfig(AppConfig):
    name = "hitl"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(checks.secret_is_strong, Tags.security)
