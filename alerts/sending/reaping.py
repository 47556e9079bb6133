"""What is found when nobody is at it any more: leases that ran out, unknown outcomes, notices that are missing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from alerts.models import Delivery
from alerts.models.delivery import Outcome, Status, Why
from alerts.sending import notice, receipts, unknowns
from alerts.sending.leases import locked, move, note, release
from alerts.sending.unsolved import LEASE_OVER

AT_ONCE = 50  # rows in one transaction: a worker that dies in it has done no more than those in vain


def reap(*, now: datetime, limit: int) -> int:
    """Take back what dead workers held, decide about unknown outcomes, record and withdraw notices; how many.

    While a worker held it, a message's reports were left alone: they are read before anything is decided about it.
    """
    return (
        _reap_claimed(now, limit)
        + _reap_sending(now, limit)
        + receipts.match_unknown(now=now, limit=limit)
        + unknowns.decide(now=now, limit=limit)
        + notice.record_missing(now=now, limit=limit)
        + notice.withdraw_missing(now=now, limit=limit)
    )


def _reap_claimed(now: datetime, limit: int) -> int:
    """Leases that ran out before anything was sent: due again at once."""
    with transaction.atomic():
        over = locked(Delivery.objects.filter(status=Status.CLAIMED, lease_until__lte=now), "lease_until", limit)
        return release(over)


def _reap_sending(now: datetime, limit: int) -> int:
    """Leases that ran out during the call: nobody knows whether it was sent."""
    done = 0
    while done < limit and (some := _reap_some(now, min(AT_ONCE, limit - done))):
        done += some
    return done


def _reap_some(now: datetime, limit: int) -> int:
    with transaction.atomic():
        over = locked(Delivery.objects.filter(status=Status.SENDING, lease_until__lte=now), "lease_until", limit)
        for delivery in over:
            ended = delivery.lease_until or now  # the last moment at which the call can have ended
            # The lease was longer than a first wait, so it is decided at once.
            move(delivery, Status.SENDING, status=Status.UNKNOWN, next_attempt_at=now, why=Why.NONE)
            note(delivery, Outcome.UNKNOWN, LEASE_OVER, "the worker did not come back", ended)
        return len(over)
