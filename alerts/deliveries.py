"""The life of a delivery: claim, look again, send, and note what came of it. Only this module writes a status.

pending -claim-> claimed -commit before the call-> sending -> accepted | failed | unknown, or pending again

The rows are the queue. A claim is one UPDATE that skips what others hold; it leaves a token and a lease, and every
later UPDATE repeats token and state, so that whoever lost its lease changes nothing. No transaction is open while a
message is sent. A worker that dies leaves `claimed`, of which nothing was sent, or `sending`, of which nobody
knows: `reap` finds both when the lease has run out.
"""

from __future__ import annotations

import logging
import random
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from alerts import contacts, receipts, texts
from alerts.channels import CHANNELS, Accepted, Channels, Message
from alerts.errors import NotSent, Rejected, SendError, Throttled, Unknown
from alerts.models import Attempt, Delivery
from alerts.models.delivery import HELD, Outcome, Status, Why
from alerts.recheck import Go, Stop, look
from alerts.retries import MOST_CALLS, next_try
from alerts.stopwatch import Stopwatch

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 20
BUDGET = timedelta(seconds=25)  # no message is begun later in a tick: a slow one then still ends in time
# A mail server that takes messages but answers too late would be sent the same one again and again: after so many
# outcomes that nobody knows, the delivery is given up, and a nearer reminder or a person goes on.
MOST_UNKNOWN = 3
LEASE = timedelta(minutes=5)  # at least twice the time-outs of a call; `checks.py` sees to it

# Materialized: a subquery could be run again for each row that it is joined to, skip what it has just locked, and so
# claim more than its limit.
_CLAIM = """
WITH due AS MATERIALIZED (
  SELECT id FROM alerts_delivery
   WHERE status = 'pending' AND next_attempt_at <= %(now)s
   ORDER BY next_attempt_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE alerts_delivery AS delivery
   SET status = 'claimed', token = %(token)s, lease_until = %(lease_until)s
  FROM due WHERE delivery.id = due.id"""


def lease() -> timedelta:
    """How long a claim holds a delivery."""
    seconds: float | None = getattr(settings, "DELIVERY_LEASE_SECONDS", None)
    return LEASE if seconds is None else timedelta(seconds=seconds)


def deliver(*, now: datetime, limit: int) -> int:
    """Send what is due, the longest due first; returns how many deliveries were dealt with.

    Stops when nothing is due, at `limit`, when the time of a tick is used up, or when the mail server is away.
    """
    watch = Stopwatch(now)
    dealt_with = 0
    with Channels() as channels:
        while dealt_with < limit and watch.spent < BUDGET:
            claimed = claim(now=watch.now, limit=min(CLAIMED_AT_ONCE, limit - dealt_with))
            if not claimed:
                break
            for place, delivery in enumerate(claimed):
                reachable = _deliver_one(delivery, channels, watch)
                dealt_with += 1
                if not reachable or watch.spent >= BUDGET:
                    _release(claimed[place + 1 :])
                    return dealt_with
    return dealt_with


def claim(*, now: datetime, limit: int) -> list[Delivery]:
    """Take up to `limit` due deliveries for this worker alone, until the lease runs out."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"token": token, "lease_until": now + lease(), "now": now, "limit": limit})
    mine = Delivery.objects.filter(token=token, status=Status.CLAIMED)
    return list(mine.select_related("reminder__account", "reminder__programme").order_by("next_attempt_at", "pk"))


def _release(claimed: list[Delivery]) -> None:
    """Give back what was claimed and not begun: it stays due, and no call is counted."""
    for delivery in claimed:
        _move(delivery, Status.CLAIMED, status=Status.PENDING)


def _deliver_one(delivery: Delivery, channels: Channels, watch: Stopwatch) -> bool:
    """Deal with one claimed delivery; False: the channel could not be reached at all."""
    try:
        verdict = look(delivery, now=watch.now)
        if isinstance(verdict, Stop):
            _move(delivery, Status.CLAIMED, status=verdict.status, why=verdict.why)
            return True
        text = texts.render(verdict.telling, verdict.contact.language)
    except Exception:
        # One message that cannot be made must not hold up the others: it waits, and is looked at again.
        logger.exception("delivery %s could not be prepared", delivery.pk)
        _move(delivery, Status.CLAIMED, status=Status.PENDING, next_attempt_at=watch.now + timedelta(minutes=10))
        return True
    if not _begin(delivery, verdict, text, watch.now):
        return True
    message = Message(delivery.pk, verdict.contact.address, delivery.language, text)
    try:
        accepted = channels[delivery.channel].send(message)
    except SendError as error:
        _not_accepted(delivery, verdict, error, now=watch.now)
        return not (isinstance(error, NotSent) and error.transport_down)
    except Exception as error:
        # Not in the channel's words, so nothing is certain about it.
        logger.exception("delivery %s: unexpected failure while sending", delivery.pk)
        _not_accepted(delivery, verdict, Unknown(answer=type(error).__name__), now=watch.now)
        return True
    if _accepted(delivery, accepted, now=watch.now):
        receipts.record(delivery, now=watch.now)
    return True


def _begin(delivery: Delivery, verdict: Go, text: texts.Text, now: datetime) -> bool:
    """Commit that the call is about to be made, and what it will say; False: somebody else has the delivery."""
    delivery.language = verdict.contact.language
    delivery.points_told = verdict.telling.points
    delivery.lots = verdict.lots
    delivery.text_hash = text.hash
    delivery.attempts += 1
    return _move(
        delivery,
        Status.CLAIMED,
        status=Status.SENDING,
        attempts=delivery.attempts,
        contact=verdict.contact,
        language=delivery.language,
        points_told=delivery.points_told,
        lots=delivery.lots,
        template=texts.TEMPLATE,
        text_hash=delivery.text_hash,
        lease_until=now + lease(),
    )


def _accepted(delivery: Delivery, accepted: Accepted, *, now: datetime) -> bool:
    delivery.accepted_at = now
    with transaction.atomic():
        mine = _move(delivery, Status.SENDING, status=Status.ACCEPTED, accepted_at=now, why=Why.NONE)
        if mine:
            _note(delivery, Outcome.ACCEPTED, accepted.answer, accepted.detail, now)
    if not mine:
        logger.warning("delivery %s was accepted after its lease had run out", delivery.pk)
    return mine


def _not_accepted(delivery: Delivery, verdict: Go, error: SendError, *, now: datetime) -> None:
    again = _next_try(
        delivery,
        now,
        error.retry_after if isinstance(error, Throttled) else timedelta(),
        outage=isinstance(error, NotSent) and error.transport_down,
    )
    change: dict[str, object]
    if isinstance(error, Rejected):
        outcome, change = Outcome.REJECTED, {"status": Status.FAILED, "why": Why.REFUSED}
    elif isinstance(error, Unknown):
        outcome, change = Outcome.UNKNOWN, {"status": Status.UNKNOWN, "next_attempt_at": again or now}
    else:
        outcome = Outcome.THROTTLED if isinstance(error, Throttled) else Outcome.NOT_SENT
        change = {"status": Status.PENDING, "next_attempt_at": again}
        if again is None:
            change = {"status": Status.DEAD, "why": Why.EXHAUSTED}
    with transaction.atomic():
        if _move(delivery, Status.SENDING, **change):
            _note(delivery, outcome, error.answer, error.detail, now)
            if isinstance(error, Rejected) and error.bad_address:
                contacts.refuse(contact=verdict.contact, now=now)


def _next_try(
    delivery: Delivery, now: datetime, retry_after: timedelta = timedelta(), *, outage: bool = False
) -> datetime | None:
    """When to call again; None: calls are used up. While nobody can be reached they never are."""
    return next_try(
        calls=min(delivery.attempts, MOST_CALLS - 1) if outage else delivery.attempts,
        now=now,
        expires_at=delivery.reminder.expires_at,
        jitter=random.random(),
        retry_after=retry_after,
    )


def _note(delivery: Delivery, outcome: Outcome, code: str, detail: str, now: datetime) -> None:
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=now,
        outcome=outcome,
        code=code[:40],
        detail=detail[:500],
        points_told=delivery.points_told or 0,
        text_hash=delivery.text_hash,
    )


def _move(delivery: Delivery, was: Status, **change: object) -> bool:
    """Change a delivery if this worker still holds it in the state `was`; leaving the held states drops the token."""
    if change["status"] not in HELD:
        change |= {"token": None, "lease_until": None}
    held = Delivery.objects.filter(pk=delivery.pk, token=delivery.token, status=was)
    return held.update(**change) == 1


def reap(*, now: datetime, limit: int) -> int:
    """Take back what dead workers held, decide about unknown outcomes, record missing notices; returns how many."""
    return (
        _reap_claimed(now, limit)
        + _reap_sending(now, limit)
        + _decide_unknown(now, limit)
        + receipts.record_missing(now=now, limit=limit)
    )


def _reap_claimed(now: datetime, limit: int) -> int:
    """Leases that ran out before anything was sent: due again at once."""
    with transaction.atomic():
        over = _locked(Delivery.objects.filter(status=Status.CLAIMED, lease_until__lte=now), "lease_until", limit)
        return sum(_move(delivery, Status.CLAIMED, status=Status.PENDING) for delivery in over)


def _reap_sending(now: datetime, limit: int) -> int:
    """Leases that ran out during the call: nobody knows whether it was sent."""
    with transaction.atomic():
        over = _locked(Delivery.objects.filter(status=Status.SENDING, lease_until__lte=now), "lease_until", limit)
        for delivery in over:
            # The lease was longer than a first wait, so it is decided at once.
            _move(delivery, Status.SENDING, status=Status.UNKNOWN, next_attempt_at=now)
            _note(delivery, Outcome.UNKNOWN, "lease", "the worker did not come back", now)
        return len(over)


def _decide_unknown(now: datetime, limit: int) -> int:
    """A channel that would rather send twice than not at all sends again; the others wait for a person."""
    again = [name for name, channel in CHANNELS.items() if channel.capabilities().send_again_after_unknown]
    with transaction.atomic():
        due = Delivery.objects.filter(status=Status.UNKNOWN, next_attempt_at__lte=now, channel__in=again)
        over = _locked(due, "next_attempt_at", limit)
        for delivery in over:
            unknown = delivery.tries.filter(outcome=Outcome.UNKNOWN).count()
            if unknown >= MOST_UNKNOWN or _next_try(delivery, now) is None:
                _move(delivery, Status.UNKNOWN, status=Status.DEAD, why=Why.EXHAUSTED)
            else:
                _move(delivery, Status.UNKNOWN, status=Status.PENDING)
        return len(over)


def _locked(due: QuerySet[Delivery], order: str, limit: int) -> list[Delivery]:
    """The first of these rows, locked until the transaction ends; those that somebody else has locked are left out."""
    rows = due.select_related("reminder").order_by(order)
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])
