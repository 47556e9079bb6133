"""What providers report is matched to the deliveries it is about, in any order and any number of times.

Reports only ever add: accepted < delivered < undelivered. Whatever order they come in, what was ever reported to have
come back counts as come back, and is followed by the next channel or, once it is too late to tell, by a new date.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from alerts.addresses import consents, side_messages, suppressions, traces
from alerts.models import Delivery, ProviderEvent
from alerts.models.consent import Purpose
from alerts.models.delivery import HELD, Status, Why
from alerts.sending import notice
from alerts.sending.leases import move, with_reminder
from alerts.sending.next_channels import follow
from alerts.stopwatch import Stopwatch

logger = logging.getLogger(__name__)

# A report can come before the answer to the call is written down, or its number looked up. After so long it is about
# nothing of ours.
NOBODYS_AFTER = timedelta(days=1)
BUDGET = timedelta(seconds=25)  # no report is begun later in a tick …
BUDGET_OF_UNKNOWN = timedelta(seconds=10)  # … nor later in one that has unknown outcomes to decide, too
FAILED_FOR = timedelta(minutes=10)  # until one that could not be matched is tried again

# What has its delivery, and what will never have one; the rest does not stand in the way. A delivery that a worker
# holds is left to it: its report is matched when the worker has written down what it knows. The last condition lets
# `delivery_provider` serve.
_TO_MATCH = """
SELECT event.id, coalesce(ours.id, theirs.id)
  FROM alerts_providerevent event
  LEFT JOIN alerts_delivery ours ON ours.id = CASE WHEN event.our_key ~* %(key)s THEN event.our_key::uuid END
  LEFT JOIN LATERAL (
       SELECT delivery.id, delivery.status FROM alerts_delivery delivery
        WHERE ours.id IS NULL AND event.provider_id <> '' AND delivery.provider_id = event.provider_id
          AND delivery.transport = event.transport AND delivery.provider_id <> ''
        LIMIT 1) theirs ON true
 WHERE event.matched_at IS NULL AND (event.failed_at IS NULL) = %(fresh)s
   AND (event.failed_at IS NULL OR event.failed_at <= %(again)s)
   AND (coalesce(ours.status, theirs.status) NOT IN ('claimed', 'sending')
        OR coalesce(ours.id, theirs.id) IS NULL AND (event.received_at <= %(nobodys)s OR EXISTS (
             SELECT FROM alerts_sidemessage side
              WHERE side.key = CASE WHEN event.our_key ~* %(key)s THEN event.our_key::uuid END)))
 ORDER BY event.received_at, event.id LIMIT %(limit)s"""

# What is about to be decided though a report may say what became of it. `event_of_unmatched_key` serves.
_OF_UNKNOWN = """
SELECT event.id, delivery.id
  FROM alerts_delivery delivery
  JOIN alerts_providerevent event ON event.our_key = delivery.id::text AND event.matched_at IS NULL
 WHERE delivery.status = 'unknown' AND delivery.next_attempt_at <= %(now)s
   AND (event.failed_at IS NULL OR event.failed_at <= %(again)s)
 ORDER BY delivery.next_attempt_at, event.received_at, event.id LIMIT %(limit)s"""

A_KEY = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

Kind = ProviderEvent.Kind
CAME_BACK = (Kind.UNDELIVERED, Kind.BOUNCED)


def match(*, now: datetime, limit: int) -> int:
    """Match up to `limit` reports to their deliveries, the oldest first; returns how many were dealt with.

    Those that could not be matched before come last, each no sooner than after FAILED_FOR.
    """
    watch = Stopwatch(now)
    terms = {"key": A_KEY, "nobodys": now - NOBODYS_AFTER}
    done = _match_found(_TO_MATCH, terms | {"fresh": True, "limit": limit}, now, watch, BUDGET)
    return done + _match_found(_TO_MATCH, terms | {"fresh": False, "limit": limit - done}, now, watch, BUDGET)


def match_unknown(*, now: datetime, limit: int) -> int:
    """The same for up to `limit` reports about outcomes that nobody knows and that are about to be decided."""
    return _match_found(_OF_UNKNOWN, {"now": now, "limit": limit}, now, Stopwatch(now), BUDGET_OF_UNKNOWN)


def _match_found(statement: str, terms: dict[str, Any], now: datetime, watch: Stopwatch, budget: timedelta) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, terms | {"again": now - FAILED_FOR})
        found: list[tuple[int, UUID | None]] = cursor.fetchall()
    done = 0
    for event_id, delivery_id in found:
        if watch.spent >= budget:
            break
        try:
            done += _match(event_id, delivery_id, now)
        except Exception:
            # One report that cannot be matched must not hold up the others.
            logger.exception("event %s could not be matched", event_id)
            ProviderEvent.objects.filter(pk=event_id, matched_at=None).update(failed_at=now)
    return done


def _match(event_id: int, delivery_id: UUID | None, now: datetime) -> bool:
    """Deal with one report; False: somebody else is at it, or at its delivery."""
    with transaction.atomic():
        events = ProviderEvent.objects.filter(pk=event_id, matched_at=None)
        event = events.select_for_update(skip_locked=True).first()
        if event is None:
            return False
        delivery = None
        if delivery_id:
            held = _hold_address(event, delivery_id)
            rows = with_reminder(Delivery.objects.filter(pk=delivery_id).exclude(status__in=HELD))
            delivery = rows.select_for_update(of=("self",), skip_locked=True).first()
            if delivery is None or (held and held != _trace(delivery)):
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


def _hold_address(event: ProviderEvent, delivery_id: UUID) -> str:
    """Hold the address that is about to be suppressed: before the delivery, for whoever erases it does so, too."""
    if event.kind not in suppressions.WHY_OF:
        return ""
    trace = _trace(Delivery.objects.select_related("contact").get(pk=delivery_id))
    if trace:
        traces.hold_trace(trace)
    return trace


def _trace(delivery: Delivery) -> str:
    """Of the address that its last call went to; of calls from before it was kept, of what its contact has now."""
    return delivery.address_trace or (traces.trace(delivery.contact.address) if delivery.contact else "")


def _apply(event: ProviderEvent, delivery: Delivery, now: datetime) -> None:
    """What a report says of its delivery, and of the address it went to. Inside the transaction of the match."""
    if not delivery.attempts or not delivery.points_told:
        logger.warning("event %s is about delivery %s, which was never sent", event.pk, delivery.pk)
        return
    if event.kind == Kind.DELIVERED:
        _arrived(delivery, _between(event.occurred_at, delivery.accepted_at, now), now)
    elif event.kind in CAME_BACK:
        _came_back(delivery, now)
    if event.kind in suppressions.WHY_OF:
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
    why, channel, note = suppressions.WHY_OF[event.kind], delivery.channel, event.transport
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
    change = {"accepted_at": accepted_at, "undelivered_at": now, "why": Why.NONE}
    if move(delivery, delivery.status, status=Status.UNDELIVERED, **change):
        delivery.status, delivery.undelivered_at = Status.UNDELIVERED, now
        follow(delivery, now=now)
