"""What came of a delivery at the moment of sending, written down in one transaction with what follows from it."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.db import transaction

from alerts.addresses import contacts
from alerts.channels import capabilities_of
from alerts.errors import NotSent, Rejected, SendError, Throttled, Unknown
from alerts.models import Attempt, Contact, Delivery
from alerts.models.delivery import Outcome, Status, Why
from alerts.sending.leases import lease, move, note
from alerts.sending.next_channels import follow
from alerts.sending.recheck import Stop
from alerts.sending.retries import MOST_CALLS, WAITS, next_try
from alerts.sending.unsolved import last_call_under_key, unsolved_since

logger = logging.getLogger(__name__)


def not_accepted(
    delivery: Delivery, contact: Contact, error: SendError, *, now: datetime, away_until: datetime | None = None
) -> None:
    """The call came to nothing, or nobody knows. `away_until`: nobody can be reached, or the provider takes nothing of
    anybody until then, and no try is used up."""
    change: dict[str, object]
    if isinstance(error, Rejected):
        outcome, change = Outcome.REJECTED, {"status": Status.FAILED, "why": Why.REFUSED}
    elif isinstance(error, Unknown):
        again = _in_time_for_the_key(delivery, next_call(delivery, now=now) or now, now=now)
        outcome, change = Outcome.UNKNOWN, {"status": Status.UNKNOWN, "next_attempt_at": again, "why": Why.NONE}
    else:
        outcome = Outcome.THROTTLED if isinstance(error, Throttled) else Outcome.NOT_SENT
        wait = error.retry_after if isinstance(error, Throttled) else timedelta()
        away = error.of_transport if isinstance(error, Throttled) else _nobody_there(error)
        when = next_call(delivery, now=now, retry_after=wait, away=away)
        if away and away_until:
            when = min(away_until, max(delivery.reminder.expires_at, now))
        change = {"status": Status.PENDING, "next_attempt_at": when}
        if when is None:
            change = {"status": Status.DEAD, "why": Why.EXHAUSTED}
    with transaction.atomic():
        if not move(delivery, Status.SENDING, **change):
            return
        note(delivery, outcome, error.answer, error.detail, now)
        if isinstance(error, Rejected) and error.bad_address:
            contacts.refuse(contact=contact, now=now)
        if change["status"] in (Status.FAILED, Status.DEAD):
            follow(delivery, now=now)


def _in_time_for_the_key(delivery: Delivery, when: datetime, *, now: datetime) -> datetime:
    """`when`, or the first wait from now if the provider would have forgotten the key by then: who waits longer than
    that can never again find out what became of the message."""
    can = capabilities_of(delivery.channel)
    if can.idempotent_for is None:
        return when
    first = unsolved_since(delivery.tries.all()) or Attempt(number=delivery.attempts, at=now, outcome=Outcome.UNKNOWN)
    forgotten = last_call_under_key(first, kept_for=can.idempotent_for, lease=lease(), longest_call=can.longest_call)
    return when if when + WAITS[0] < forgotten else min(when, now + WAITS[0])


def _nobody_there(error: SendError) -> bool:
    return isinstance(error, NotSent) and error.transport_down


def stopped(delivery: Delivery, verdict: Stop, *, now: datetime) -> None:
    """The look before sending found no reason to, or nobody to send to: then the next channel may reach the member."""
    with transaction.atomic():
        if move(delivery, Status.CLAIMED, status=verdict.status, why=verdict.why) and verdict.status == Status.SKIPPED:
            follow(delivery, now=now)


def next_call(
    delivery: Delivery, *, now: datetime, retry_after: timedelta = timedelta(), away: bool = False
) -> datetime | None:
    """When to call again; None: calls are used up. While nobody can be reached they never are."""
    return next_try(
        calls=min(delivery.attempts, MOST_CALLS - 1) if away else delivery.attempts,
        now=now,
        expires_at=delivery.reminder.expires_at,
        jitter=random.random(),
        retry_after=retry_after,
    )
