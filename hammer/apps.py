from django.apps import AppConfig


class HammerConfig(AppConfig):
    name = "hammer"
