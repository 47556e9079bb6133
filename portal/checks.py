"""System checks of the members' pages, each with a stable id; `docs/operations.md` lists them."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register("portal", deploy=True)
def check_inbox(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What is right for a demo and wrong in production: shown by `check --deploy`."""
    if settings.DEBUG or not settings.DEMO:
        return []
    return [
        Warning(
            "POINTKEEP_DEMO is on: anybody may read at /inbox/ every message that was kept, addresses and codes too.",
            hint="Turn it off, except for a demo: staff who may look at contacts see that page all the same.",
            id="portal.W001",
        )
    ]
