"""Whether calls, leases and the time of a tick fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from alerts.channels import capabilities_of
from alerts.errors import UnknownChannel, UnknownTransport
from alerts.sending import deliveries
from alerts.sending.leases import lease


def check_time_outs(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """A lease must outlive the longest call twice: else a second worker sends what the first is still sending."""
    if not settings.EMAIL_TIMEOUT:
        return [
            Error(
                "EMAIL_TIMEOUT is not set: a mail server that hangs would hold a worker for ever.",
                hint="Set it to some seconds, for example 8.",
                id="alerts.E001",
            )
        ]
    calls = dict(_longest_calls())
    found: list[CheckMessage] = [
        Error(
            f"The lease of a delivery ({lease().total_seconds():.0f} s) is shorter than twice the time-outs of a "
            f"call on the channel {name!r} ({longest.total_seconds():.0f} s).",
            hint="Lower EMAIL_TIMEOUT, or PROVIDER_TIMEOUT where a provider carries the channel.",
            id="alerts.E002",
        )
        for name, longest in calls.items()
        if lease() < 2 * longest
    ]
    # No call is begun after the tick's budget; the last one that was may take its whole time. A tick that looks up
    # ends no later: its budget and the longest search are together no longer (`unknowns.BUDGET`, `SEARCHED_FOR`).
    bound = (deliveries.BUDGET + max(calls.values(), default=timedelta())).total_seconds()
    limit = settings.CELERY_TASK_TIME_LIMIT
    if not limit or limit < bound:
        found.append(
            Error(
                f"CELERY_TASK_TIME_LIMIT ({limit} s) is shorter than a tick can take ({bound:.0f} s): a worker would "
                "be killed in the middle of a call, and nobody would know whether the message was sent.",
                hint="Raise CELERY_TASK_TIME_LIMIT, or lower EMAIL_TIMEOUT and PROVIDER_TIMEOUT.",
                id="alerts.E005",
            )
        )
    return found


def _longest_calls() -> Iterator[tuple[str, timedelta]]:
    for channel in settings.TRANSPORTS:
        try:
            yield channel, capabilities_of(channel).longest_call
        except (UnknownChannel, UnknownTransport):
            continue  # `check_transports` says so
