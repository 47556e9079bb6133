"""Who holds a delivery, and every change of its status: only this module makes one.

The rows are the queue. A claim is one UPDATE that skips what others hold; it leaves a token and a lease, and every
later UPDATE repeats token and state, so that whoever lost its lease changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from alerts.models import Attempt, Delivery, TellingRules
from alerts.models.contact import Channel
from alerts.models.delivery import HELD, Outcome, Status

LEASE = timedelta(minutes=5)  # at least twice the time-outs of a call; `checks.py` sees to it

# Materialized: a subquery could be run again for each row that it is joined to, skip what it has just locked, and so
# claim more than its limit.
_CLAIM = """
WITH due AS MATERIALIZED (
  SELECT delivery.id FROM alerts_delivery delivery
   WHERE delivery.status = 'pending' AND delivery.next_attempt_at <= %(now)s
     AND delivery.channel = ANY (%(channels)s){running}
   ORDER BY delivery.next_attempt_at LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED)
UPDATE alerts_delivery AS delivery
   SET status = 'claimed', token = %(token)s, lease_until = %(lease_until)s
  FROM due WHERE delivery.id = due.id"""

# Asked only while a programme is stopped at all.
_RUNNING = """
     AND NOT EXISTS (SELECT FROM alerts_reminder reminder
                      WHERE reminder.id = delivery.reminder_id AND reminder.programme_id = ANY (%(stopped)s))"""


def lease() -> timedelta:
    """How long a claim holds a delivery."""
    seconds: float | None = getattr(settings, "DELIVERY_LEASE_SECONDS", None)
    return LEASE if seconds is None else timedelta(seconds=seconds)


def claim(*, now: datetime, limit: int, channels: Iterable[str] = tuple(Channel)) -> list[Delivery]:
    """Take up to `limit` due deliveries on these channels for this worker alone, until the lease runs out.

    Those of programmes that a person has stopped stay where they are.
    """
    token = uuid.uuid4()
    stopped = list(TellingRules.objects.filter(stopped_at__isnull=False).values_list("programme_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM.format(running=_RUNNING if stopped else ""),
            {
                "token": token,
                "lease_until": now + lease(),
                "now": now,
                "limit": limit,
                "channels": [str(channel) for channel in channels],
                "stopped": stopped,
            },
        )
    mine = Delivery.objects.filter(token=token, status=Status.CLAIMED)
    return list(with_reminder(mine).order_by("next_attempt_at", "pk"))


def with_reminder(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """With all that sending and recording ask for, in the same query."""
    return deliveries.select_related("reminder__account__member", "reminder__programme__telling")


def release(claimed: Sequence[Delivery]) -> None:
    """Give back what was claimed and not begun: it stays due, and no call is counted."""
    for delivery in claimed:
        move(delivery, Status.CLAIMED, status=Status.PENDING)


def move(delivery: Delivery, was: str, **change: object) -> bool:
    """Change a delivery if it is still in the state `was`, in the hands it was in, and no call was made since.

    `attempts` in the change is the number of the call that is about to be made, or was just looked up. Leaving the
    held states drops the token. False: somebody else has changed it, and nothing was written.
    """
    if change["status"] not in HELD:
        change |= {"token": None, "lease_until": None}
    calls = change.get("attempts")
    before = calls - 1 if isinstance(calls, int) else delivery.attempts
    same = Delivery.objects.filter(pk=delivery.pk, token=delivery.token, status=was, attempts=before)
    return same.update(**change) == 1


def note(delivery: Delivery, outcome: Outcome, code: str, detail: str, at: datetime) -> None:
    """Write down what came of the call number `delivery.attempts`: a fact that stays."""
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=at,
        outcome=outcome,
        code=code[:40],
        detail=detail[:500],
        points_told=delivery.points_told or 0,
        text_hash=delivery.text_hash,
    )


def locked(due: QuerySet[Delivery], order: str, limit: int) -> list[Delivery]:
    """The first of these rows, locked until the transaction ends; those that somebody else has locked are left out."""
    rows = with_reminder(due).order_by(order)
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])
