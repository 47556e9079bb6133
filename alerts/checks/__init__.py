"""System checks of the alerting line, each with a stable id; `docs/operations.md` lists them all.

Errors stop every command. Warnings about settings that only matter in production come with `check --deploy`, those
about what stands in the database with `check --database default`, and before every `migrate`.
"""

from __future__ import annotations

from django.core.checks import Tags, register

from alerts.checks.calls import check_time_outs
from alerts.checks.clock import check_celery, check_time_zone
from alerts.checks.contacts import check_contacts
from alerts.checks.deployment import check_deployment
from alerts.checks.programmes import check_programmes
from alerts.checks.transports import check_metrics_token, check_transports, check_webhooks

ALWAYS = (check_time_outs, check_celery, check_time_zone, check_transports, check_webhooks, check_metrics_token)

for _check in ALWAYS:
    register(_check, "alerts")
register(check_deployment, "alerts", deploy=True)
register(check_programmes, "alerts", Tags.database)
register(check_contacts, "alerts", Tags.database)

__all__ = [
    "ALWAYS",
    "check_celery",
    "check_contacts",
    "check_deployment",
    "check_metrics_token",
    "check_programmes",
    "check_time_outs",
    "check_time_zone",
    "check_transports",
    "check_webhooks",
]
