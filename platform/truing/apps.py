from django.apps import AppConfig


class TruingConfig(AppConfig):
    name = "truing"
