"""What was accepted becomes a Notice in the ledger, and so opens the gate of what it told of.

The delivery's id is the notice's key, so this can be done any number of times. A worker that dies between
acceptance and notice leaves `noticed_at` empty, and the next reap does it.
"""

from __future__ import annotations

import logging
from datetime import datetime

from alerts.models import Delivery
from alerts.models.delivery import Status
from ledger import notices
from ledger.actors import Actor
from ledger.errors import AccountBusy, AccountClosed, LedgerError

logger = logging.getLogger(__name__)

BY = Actor("alerts")


def record(delivery: Delivery, *, now: datetime) -> bool:
    """Record an accepted delivery as a notice; False: not this time. Needs its reminder, account and programme."""
    reminder = delivery.reminder
    assert delivery.accepted_at is not None
    evidence = f"delivery:{delivery.pk}"
    try:
        notices.record(
            account=reminder.account,
            lots=delivery.lots,
            expires_at=reminder.expires_at,
            told_on=delivery.accepted_at.astimezone(reminder.programme.tz).date(),
            channel=delivery.channel,
            evidence=evidence,
            now=max(now, delivery.accepted_at),
            key=evidence,
            by=BY,
        )
    except AccountBusy:
        return False
    except AccountClosed:
        # There is nothing left that the notice could be about. The mark of the queue is set all the same: else this
        # delivery would be tried for ever, in front of others.
        logger.info("delivery %s was accepted for an account that closed", delivery.pk)
    except LedgerError as refusal:
        logger.error("notice of delivery %s refused: %s", delivery.pk, refusal.code)
        return False
    Delivery.objects.filter(pk=delivery.pk, noticed_at=None).update(noticed_at=now)
    return True


def record_missing(*, now: datetime, limit: int) -> int:
    """Record what was accepted and has no notice yet, the oldest first; returns how many were recorded."""
    missing = (
        Delivery.objects.filter(status=Status.ACCEPTED, noticed_at=None)
        .select_related("reminder__account", "reminder__programme")
        .order_by("accepted_at")[:limit]
    )
    return sum(record(delivery, now=now) for delivery in missing)
