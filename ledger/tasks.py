"""What the clock wakes in the ledger: one line each."""

from celery import shared_task
from django.utils import timezone

from ledger import expiry, seals, verdicts


@shared_task
def sweep() -> None:
    expiry.sweep_all(now=timezone.now(), most_passes=20)


@shared_task
def seal() -> None:
    seals.seal(now=timezone.now(), most=200_000)


@shared_task
def audit() -> None:
    verdicts.audit_some(now=timezone.now(), most=2_000, clock=timezone.now)
