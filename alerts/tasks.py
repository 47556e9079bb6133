"""What the clock wakes in the alerting line: one call each. Every tick is bounded and safe to run twice at once."""

from celery import shared_task
from django.utils import timezone

from alerts.duty import extension_rules, waivers
from alerts.planning import reminders
from alerts.sending import deliveries, receipts
from alerts.watch.ticks import tick


@shared_task
def plan() -> None:
    with tick("plan", now=timezone.now()):
        reminders.plan(now=timezone.now(), limit=20_000)


@shared_task
def fan_out() -> None:
    with tick("fan-out", now=timezone.now()):
        reminders.fan_out(now=timezone.now(), limit=5_000)


@shared_task
def deliver() -> None:
    with tick("deliver", now=timezone.now()):
        deliveries.deliver(now=timezone.now(), limit=2_000)


@shared_task
def match() -> None:
    with tick("match", now=timezone.now()):
        receipts.match(now=timezone.now(), limit=2_000)


@shared_task
def reap() -> None:
    with tick("reap", now=timezone.now()):
        deliveries.reap(now=timezone.now(), limit=500)


@shared_task
def extend() -> None:
    with tick("extend", now=timezone.now()):
        extension_rules.extend(now=timezone.now(), limit=2_000)


@shared_task
def waive() -> None:
    with tick("waive", now=timezone.now()):
        waivers.record_waivers(now=timezone.now(), limit=2_000)


@shared_task
def forget() -> None:
    with tick("forget", now=timezone.now()):
        deliveries.forget_texts(now=timezone.now(), limit=20_000)
