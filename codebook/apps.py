from django.apps import AppConfig


class CodebookConfig(AppConfig):
    name = "codebook"
    default_auto_field = "django.db.models.BigAutoField"
