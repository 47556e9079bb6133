"""What the clock wakes in the alerting line: one line each. Every tick is bounded and safe to run twice at once."""

from celery import shared_task
from django.utils import timezone

from alerts import deliveries, extension_rules, reminders


@shared_task
def plan() -> None:
    reminders.plan(now=timezone.now(), limit=20_000)


@shared_task
def fan_out() -> None:
    reminders.fan_out(now=timezone.now(), limit=5_000)


@shared_task
def deliver() -> None:
    deliveries.deliver(now=timezone.now(), limit=2_000)


@shared_task
def reap() -> None:
    deliveries.reap(now=timezone.now(), limit=500)


@shared_task
def extend() -> None:
    extension_rules.extend(now=timezone.now(), limit=2_000)
