"""What the clock wakes in the alerting line: one call each. Every tick is bounded and safe to run twice at once.

When each began and ended is noted by the class of the tasks (`watch/tasks.py`), as for those of the ledger.
"""

from celery import shared_task
from django.utils import timezone

from alerts.duty import extension_rules, waivers
from alerts.planning import reminders
from alerts.sending import deliveries, receipts, renewing


@shared_task
def plan() -> None:
    reminders.plan(now=timezone.now(), limit=200_000)


@shared_task
def fan_out() -> None:
    reminders.fan_out(now=timezone.now(), limit=50_000)


@shared_task
def deliver() -> None:
    deliveries.deliver(now=timezone.now(), limit=100_000)  # its time is over long before


@shared_task
def renew() -> None:
    renewing.renew(now=timezone.now(), limit=2_000)


@shared_task
def match() -> None:
    receipts.match(now=timezone.now(), limit=2_000)


@shared_task
def reap() -> None:
    deliveries.reap(now=timezone.now(), limit=500)


@shared_task
def extend() -> None:
    extension_rules.extend(now=timezone.now(), limit=2_000)


@shared_task
def waive() -> None:
    waivers.record_waivers(now=timezone.now(), limit=2_000)


@shared_task
def forget() -> None:
    deliveries.forget_texts(now=timezone.now(), limit=20_000)
