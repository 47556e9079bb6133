"""Whether Celery and the clock are set as the line needs them: Celery only wakes workers, the rows are the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

# What each setting must be, and what goes wrong otherwise. Measured on Celery 5.7 with Redis 7: `docs/architecture.md`.
WANTED: dict[str, tuple[object, str]] = {
    "CELERY_TASK_IGNORE_RESULT": (True, "results of ticks would pile up in Redis"),
    "CELERY_TASK_ACKS_LATE": (False, "a tick whose worker was killed would run again for ever"),
    "CELERY_TASK_ALWAYS_EAGER": (False, "the ticks would run in the beat's own process, one after the other"),
    "CELERY_TASK_SOFT_TIME_LIMIT": (None, "its exception would come in the middle of a call"),
    "CELERY_TASK_SERIALIZER": ("json", "whoever can write to Redis could run code in the workers"),
    "CELERY_ACCEPT_CONTENT": (["json"], "whoever can write to Redis could run code in the workers"),
    "CELERY_WORKER_PREFETCH_MULTIPLIER": (1, "a busy worker would hold wake-ups that another could take"),
    "CELERY_WORKER_DISABLE_PREFETCH": (True, "a busy worker would hold wake-ups that another could take"),
}
# What the connections to Redis need, what goes wrong without it, and a good value.
OPTIONS: dict[str, tuple[str, object]] = {
    "socket_timeout": ("a Redis that hangs would hold the beat for ever", 2),
    "socket_connect_timeout": ("a Redis that hangs would hold the beat for ever", 2),
    "socket_keepalive": ("a worker would not notice that its Redis is gone, and wake no more", True),
    "health_check_interval": ("a worker would not notice that its Redis is gone, and wake no more", 25),
    "global_keyprefix": ("another program on the same Redis would take the wake-ups, or give its own", "pointkeep:"),
}


def check_celery(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What is not set is as Celery's own default, which is what is wanted where that is False or None."""
    found: list[CheckMessage] = []
    for name, (wanted, otherwise) in WANTED.items():
        there = getattr(settings, name, False if wanted is False else None)
        if there != wanted:
            hint = f"Set it to {wanted!r}."
            found.append(Error(f"{name} is {there!r}: {otherwise}.", hint=hint, id="alerts.E006"))
    options = cast(dict[str, Any], settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    found += [
        Error(
            f"CELERY_BROKER_TRANSPORT_OPTIONS has no {name}: {otherwise}.",
            hint=f"Set it to {good!r}.",
            id="alerts.E006",
        )
        for name, (otherwise, good) in OPTIONS.items()
        if not options.get(name)
    ]
    if 0 < options.get("visibility_timeout", 3_600) <= (settings.CELERY_TASK_TIME_LIMIT or 0):
        found.append(
            Error(
                "The visibility_timeout in CELERY_BROKER_TRANSPORT_OPTIONS is not longer than CELERY_TASK_TIME_LIMIT: "
                "Redis would wake a second worker while the first is still at its tick.",
                hint="Leave it out: Celery's own is an hour.",
                id="alerts.E006",
            )
        )
    return found


def check_time_zone(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Instants are aware everywhere; a programme's days are worked out in its own zone."""
    if not settings.USE_TZ:
        hint = "Set it to True."
        return [Error("USE_TZ is off: every date would be off by the server's zone.", hint=hint, id="alerts.E007")]
    if settings.TIME_ZONE != "UTC" or settings.CELERY_TIMEZONE != "UTC":
        return [
            Warning(
                "TIME_ZONE or CELERY_TIMEZONE is not UTC: the admin and the logs would speak of another time than the "
                "documents; no date of a programme depends on it.",
                hint='Set both to "UTC".',
                id="alerts.W001",
            )
        ]
    return []
