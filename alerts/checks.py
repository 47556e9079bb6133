"""System checks of the alerting line, with stable ids."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from alerts.channels import capabilities_of
from alerts.sending.deliveries import lease


@register("alerts")
def check_time_outs(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """A lease must outlive the longest call twice: else a second worker sends what the first is still sending."""
    if not settings.EMAIL_TIMEOUT:
        return [
            Error("EMAIL_TIMEOUT is not set: a mail server that hangs would hold a worker for ever.", id="alerts.E001")
        ]
    return [
        Error(
            f"The lease of a delivery ({lease().total_seconds():.0f} s) is shorter than twice the time-outs of a "
            f"call on the channel {name!r} ({capabilities_of(name).longest_call.total_seconds():.0f} s).",
            hint="Lower EMAIL_TIMEOUT or raise DELIVERY_LEASE_SECONDS.",
            id="alerts.E002",
        )
        for name in settings.TRANSPORTS
        if lease() < 2 * capabilities_of(name).longest_call
    ]
