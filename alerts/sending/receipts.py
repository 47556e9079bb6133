"""What providers report is matched to the deliveries it is about, in any order and any number of times.

Reports only ever add: accepted < delivered < undelivered. Whatever order they come in, what was ever reported to have
come back counts as come back, and is followed by the next channel or, once it is too late to tell, by a new date.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from alerts.addresses import consents, side_messages, suppressions
from alerts.models import Delivery, ProviderEvent, Suppression
from alerts.models.consent import Purpose
from alerts.models.delivery import HELD, Status, Why
from alerts.sending import notice
from alerts.sending.leases import move, with_reminder
from alerts.sending.next_channels import follow

logger = logging.getLogger(__name__)

# A report can come before the answer to the call is written down, or its number looked up. After so long it is about
# nothing of ours.
NOBODYS_AFTER = timedelta(days=1)

# What has its delivery, and what will never have one; the rest does not stand in the way. A delivery that a worker
# holds is left to it: its report is matched when the worker has written down what it knows.
_TO_MATCH = """
SELECT event.id, coalesce(ours.id, theirs.id)
  FROM alerts_providerevent event
  LEFT JOIN alerts_delivery ours ON ours.id = CASE WHEN event.our_key ~* %(key)s THEN event.our_key::uuid END
  LEFT JOIN LATERAL (
       SELECT delivery.id, delivery.status FROM alerts_delivery delivery
        WHERE ours.id IS NULL AND event.provider_id <> '' AND delivery.provider_id = event.provider_id
          AND delivery.transport = event.transport
        LIMIT 1) theirs ON true
 WHERE event.matched_at IS NULL
   AND (coalesce(ours.status, theirs.status) NOT IN ('claimed', 'sending')
        OR coalesce(ours.id, theirs.id) IS NULL AND (event.received_at <= %(nobodys)s OR EXISTS (
             SELECT FROM alerts_sidemessage side
              WHERE side.key = CASE WHEN event.our_key ~* %(key)s THEN event.our_key::uuid END)))
 ORDER BY event.received_at, event.id LIMIT %(limit)s"""

A_KEY = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

Kind = ProviderEvent.Kind
CAME_BACK = (Kind.UNDELIVERED, Kind.BOUNCED)


def match(*, now: datetime, limit: int) -> int:
    """Match up to `limit` reports to their deliveries, the oldest first; returns how many were dealt with."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_MATCH, {"key": A_KEY, "nobodys": now - NOBODYS_AFTER, "limit": limit})
        found: list[tuple[int, UUID | None]] = cursor.fetchall()
    return sum(_match(event_id, delivery_id, now) for event_id, delivery_id in found)


def _match(event_id: int, delivery_id: UUID | None, now: datetime) -> bool:
    """Deal with one report; False: somebody else is at it, or at its delivery."""
    with transaction.atomic():
        events = ProviderEvent.objects.filter(pk=event_id, matched_at=None)
        event = events.select_for_update(skip_locked=True).first()
        if event is None:
            return False
        delivery = None
        if delivery_id:
            rows = with_reminder(Delivery.objects.filter(pk=delivery_id).exclude(status__in=HELD))
            delivery = rows.select_for_update(of=("self",), skip_locked=True).first()
            if delivery is None:
                return False
            _apply(event, delivery, now)
        else:
            side_messages.reported(event=event, now=now)
        events.update(matched_at=now, delivery=delivery)
    if delivery and event.kind == Kind.DELIVERED and delivery.noticed_at is None:
        notice.record([delivery], now=now)
    elif delivery and event.kind in CAME_BACK and delivery.status == Status.UNDELIVERED:
        notice.withdraw(delivery, now=now)
    return True


def _apply(event: ProviderEvent, delivery: Delivery, now: datetime) -> None:
    """What a report says of its delivery, and of the address it went to. Inside the transaction of the match."""
    if not delivery.attempts or not delivery.points_told:
        logger.warning("event %s is about delivery %s, which was never sent", event.pk, delivery.pk)
        return
    if event.kind == Kind.DELIVERED:
        _arrived(delivery, _between(event.occurred_at, delivery.accepted_at, now), now)
    elif event.kind in CAME_BACK:
        _came_back(delivery, now)
    if event.kind in (Kind.BOUNCED, Kind.COMPLAINED):
        _suppress(event, delivery, now)
    if event.kind == Kind.UNSUBSCRIBED:
        consents.say(
            member=delivery.reminder.account.member,
            channel=delivery.channel,
            purpose=Purpose.NOTICE,
            given=False,
            source=f"{event.transport}: unsubscribed",
            by=notice.BY,
            now=now,
        )


def _suppress(event: ProviderEvent, delivery: Delivery, now: datetime) -> None:
    """The end of the address that the message went to, which need not be the one that its contact has by now."""
    why = Suppression.Why.HARD_BOUNCE if event.kind == Kind.BOUNCED else Suppression.Why.COMPLAINT
    channel, note = delivery.channel, event.transport
    if delivery.address_trace:
        member_id, trace = delivery.reminder.account.member_id, delivery.address_trace
        suppressions.add_traced(channel=channel, trace=trace, member_id=member_id, why=why, now=now, note=note)
    elif delivery.contact:  # sent before traces were kept: nothing better is known
        suppressions.add(channel=channel, address=delivery.contact.address, why=why, now=now, note=note)


def _between(occurred_at: datetime, accepted_at: datetime | None, now: datetime) -> datetime:
    """The provider's clock is not ours: nothing arrives before it was accepted, or later than now."""
    return min(max(occurred_at, accepted_at or occurred_at), now)


def _arrived(delivery: Delivery, at: datetime, now: datetime) -> None:
    """From whatever state after a call: one that nobody knew of, or that was to be made again, was accepted."""
    if delivery.status in (Status.DELIVERED, Status.UNDELIVERED):
        return
    was, accepted_at = delivery.status, delivery.accepted_at or at
    if move(delivery, was, status=Status.DELIVERED, accepted_at=accepted_at, delivered_at=at, why=Why.NONE):
        delivery.status, delivery.accepted_at, delivery.delivered_at = Status.DELIVERED, accepted_at, at


def _came_back(delivery: Delivery, now: datetime) -> None:
    if delivery.status == Status.UNDELIVERED:
        return
    accepted_at = delivery.accepted_at or now
    if move(delivery, delivery.status, status=Status.UNDELIVERED, accepted_at=accepted_at, undelivered_at=now):
        delivery.status, delivery.undelivered_at = Status.UNDELIVERED, now
        follow(delivery, now=now)
