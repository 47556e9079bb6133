"""Who holds a delivery, and every change of its status: only this module makes one.

The rows are the queue. A claim is one UPDATE that skips what others hold; it leaves a token and a lease, and every
later UPDATE repeats token and state, so that whoever lost its lease changes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from alerts.addresses import traces
from alerts.channels import Accepted
from alerts.models import Attempt, Contact, Delivery, TellingRules
from alerts.models.contact import Channel
from alerts.models.delivery import HELD, Outcome, Status
from alerts.texts.words import TEMPLATE, Text
from ledger import wire

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
    return deliveries.select_related("reminder__account__member__user", "reminder__programme__telling")


def release(claimed: Sequence[Delivery]) -> int:
    """Give back what was claimed and not begun, in one statement: it stays due, and no call is counted; how many."""
    hands = {delivery.token for delivery in claimed}
    ours = Delivery.objects.filter(pk__in=[delivery.pk for delivery in claimed], token__in=hands, status=Status.CLAIMED)
    return ours.update(status=Status.PENDING, token=None, lease_until=None)


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


@dataclass(frozen=True, slots=True)
class Said:
    """What a call is about to say, and to whom: noted before it is made."""

    contact: Contact
    points: int
    lots: list[int]
    variables: dict[str, object]
    text: Text
    transport: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A call whose message the provider took, not written down yet."""

    delivery: Delivery
    answer: Accepted
    at: datetime


# One statement, prepared once for each connection: what came of the last call, and that the next one begins. Each half
# changes nothing where its token, its state or its count of calls is not what it was.
_STEP = """
WITH taken AS (
  UPDATE alerts_delivery
     SET status = 'accepted', why = '', accepted_at = $4::timestamptz, provider_id = $5::text,
         token = NULL, lease_until = NULL
   WHERE id = $1::uuid AND token = $2::uuid AND status = 'sending' AND attempts = $3::int
  RETURNING id, attempts, points_told, text_hash),
noted AS (
  INSERT INTO alerts_attempt (delivery_id, number, at, outcome, code, detail, points_told, text_hash)
  SELECT id, attempts, $4::timestamptz, 'accepted', $6::text, $7::text, points_told, text_hash FROM taken),
begun AS (
  UPDATE alerts_delivery
     SET status = 'sending', attempts = attempts + 1, lease_until = $11::timestamptz, contact_id = $12::bigint,
         language = $13::text, points_told = $14::bigint, lots = $15::bigint[], template = $16::text,
         template_version_id = $17::bigint, variables = $18::jsonb, text = $19::text, text_hash = $20::text,
         transport = $21::text, address_trace = $22::text
   WHERE id = $8::uuid AND token = $9::uuid AND status = 'claimed' AND attempts = $10::int
  RETURNING id)
SELECT EXISTS (SELECT FROM taken), EXISTS (SELECT FROM begun)"""


def begin(delivery: Delivery, said: Said, *, now: datetime, last: Taken | None) -> tuple[bool, bool]:
    """Commit that the call is about to be made, and what it will say; and with it what came of the `last` call.

    Two answers: whether that was still ours to write, and whether this one is ours to send. False: the lease had run
    out, and somebody else has decided meanwhile.
    """
    text, trace = said.text, traces.trace(said.contact.address)
    values = [
        *(delivery.pk, delivery.token, delivery.attempts, now + lease(), said.contact.pk, said.contact.language),
        *(said.points, said.lots, TEMPLATE if text.version_id is None else "", text.version_id),
        *(json.dumps(said.variables), f"{text.subject}\n\n{text.text}" if text.subject else text.text, text.hash),
        *(said.transport, trace),
    ]
    was_ours, is_ours = _step(last, values)
    if is_ours:
        delivery.contact, delivery.language, delivery.transport = said.contact, said.contact.language, said.transport
        delivery.points_told, delivery.lots, delivery.text_hash = said.points, said.lots, text.hash
        delivery.address_trace = trace
        delivery.attempts += 1
    return was_ours, is_ours


def end(last: Taken) -> bool:
    """Commit what came of a call that no other follows. False as `begin` says it of the last one."""
    return _step(last, [None] * 15)[0]


def _step(last: Taken | None, begun: Sequence[object]) -> tuple[bool, bool]:
    taken: list[object] = [None] * 7
    if last:
        one, answer = last.delivery, last.answer
        taken = [one.pk, one.token, one.attempts, last.at]
        taken += [answer.provider_id[:100], answer.answer[:40], answer.detail[:500]]
    ((was_ours, is_ours),) = wire.call(_STEP, [*taken, *begun])
    if last and was_ours:
        last.delivery.status, last.delivery.accepted_at = Status.ACCEPTED, last.at
    return was_ours, is_ours


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
