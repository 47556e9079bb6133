"""Who holds a delivery, and every change of its status: only this module makes one.

The rows are the queue. A claim is one UPDATE that skips what others hold; it leaves a token and a lease, and every
later UPDATE repeats token and state, so that whoever lost its lease changes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from alerts.addresses import traces
from alerts.channels import Accepted
from alerts.channels.reading import storable
from alerts.models import Attempt, Contact, Delivery, TellingRules
from alerts.models.contact import Channel
from alerts.models.delivery import HELD, Outcome, Status
from alerts.texts.words import TEMPLATE, Text
from alerts.watch.counting import QUEUES
from ledger import wire

LEASE = timedelta(minutes=5)  # at least twice the time-outs of a call; `checks.py` sees to it

# `delivery_due` has each queue in its order. A million messages that may not go now are passed over as one queue, and
# a long one holds up no short one: each has its share. Materialized: a subquery could be run again for each row that it
# is joined to, skip what it has just locked, and so claim more than its limit.
_CLAIM = f"""
WITH queue AS MATERIALIZED (
  SELECT programme.id AS programme_id, asked.channel, oldest.next_attempt_at
    FROM {QUEUES}
   WHERE programme.id <> ALL (%(stopped)s::bigint[])),
due AS MATERIALIZED (
  SELECT delivery.id
    FROM (SELECT * FROM queue ORDER BY next_attempt_at) queue
   CROSS JOIN LATERAL (
         SELECT id FROM alerts_delivery
          WHERE status = 'pending' AND programme_id = queue.programme_id AND channel = queue.channel
            AND next_attempt_at <= %(now)s
          ORDER BY next_attempt_at
          LIMIT (SELECT greatest(%(limit)s / count(*), 1) FROM queue) FOR UPDATE SKIP LOCKED) delivery
   LIMIT %(limit)s)
UPDATE alerts_delivery AS delivery
   SET status = 'claimed', token = %(token)s, lease_until = %(lease_until)s
  FROM due WHERE delivery.id = due.id"""  # noqa: S608  # our own constant


def lease() -> timedelta:
    """How long a claim holds a delivery."""
    seconds: float | None = getattr(settings, "DELIVERY_LEASE_SECONDS", None)
    return LEASE if seconds is None else timedelta(seconds=seconds)


def claim(*, now: datetime, limit: int, channels: Iterable[str] = tuple(Channel)) -> list[Delivery]:
    """Take up to `limit` due deliveries on these channels for this worker alone, until the lease runs out.

    Each programme and channel with due ones has an equal share, the longest due first. Those of programmes that a
    person has stopped stay where they are.
    """
    token = uuid.uuid4()
    stopped = list(TellingRules.objects.filter(stopped_at__isnull=False).values_list("programme_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
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
    # What many of them have in common is read once for all.
    mine = mine.select_related("reminder__account__member__user").prefetch_related("reminder__programme__telling")
    return list(mine.order_by("next_attempt_at", "pk"))


def is_due(*, now: datetime, channels: Iterable[str]) -> bool:
    """Whether anything is due on these channels."""
    due = Delivery.objects.filter(status=Status.PENDING, next_attempt_at__lte=now, channel__in=list(channels))
    return due.exists()


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
class Saying:
    """A delivery, and what a call is about to say of it."""

    delivery: Delivery
    said: Said


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the provider took, not written down yet."""

    delivery: Delivery
    answer: Accepted
    at: datetime


# One statement, prepared once for each connection: what came of the messages of the last call, and that the next call
# begins with its own. Each half changes nothing where its token, its state or its count of calls is not what it was.
_STEP = """
WITH answered AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS one(
    id uuid, token uuid, attempts int, at timestamptz, provider_id text, code text, detail text)),
taken AS (
  UPDATE alerts_delivery delivery
     SET status = 'accepted', why = '', accepted_at = answered.at, provider_id = answered.provider_id,
         token = NULL, lease_until = NULL
    FROM answered
   WHERE delivery.id = answered.id AND delivery.token = answered.token AND delivery.status = 'sending'
     AND delivery.attempts = answered.attempts
  RETURNING delivery.id, delivery.attempts, points_told, text_hash, answered.at, answered.code, answered.detail),
noted AS (
  INSERT INTO alerts_attempt (delivery_id, number, at, outcome, code, detail, points_told, text_hash)
  SELECT id, attempts, at, 'accepted', code, detail, points_told, text_hash FROM taken),
said AS (
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS one(
    id uuid, token uuid, attempts int, contact_id bigint, language text, points bigint, lots bigint[], template text,
    template_version_id bigint, variables jsonb, text text, text_hash text, transport text, address_trace text)),
begun AS (
  UPDATE alerts_delivery delivery
     SET status = 'sending', attempts = delivery.attempts + 1, lease_until = $3::timestamptz,
         contact_id = said.contact_id, language = said.language, points_told = said.points, lots = said.lots,
         template = said.template, template_version_id = said.template_version_id, variables = said.variables,
         text = said.text, text_hash = said.text_hash, transport = said.transport, address_trace = said.address_trace
    FROM said
   WHERE delivery.id = said.id AND delivery.token = said.token AND delivery.status = 'claimed'
     AND delivery.attempts = said.attempts
  RETURNING delivery.id)
SELECT id FROM taken UNION ALL SELECT id FROM begun"""


def begin(
    call: Sequence[Saying], *, now: datetime, last: Sequence[Taken]
) -> Callable[[], tuple[list[Taken], list[Saying]]]:
    """Commit that a call is about to be made, and what it will say; and with it what came of the `last` one.

    What is returned waits until it is committed; until then nothing else may be asked of the database. It has two
    answers: whose outcomes were still ours to write, and which messages are ours to send. Of all others the lease had
    run out, and somebody else has decided meanwhile.
    """
    rows = [_about_to_say(saying) for saying in call]
    committed = _step(last, rows, until=now + lease())

    def begun() -> tuple[list[Taken], list[Saying]]:
        ours = committed()
        mine: list[Saying] = []
        for saying, row in zip(call, rows, strict=True):
            delivery, said = saying.delivery, saying.said
            if delivery.pk not in ours:
                continue
            delivery.contact, delivery.points_told, delivery.lots = said.contact, said.points, said.lots
            delivery.language, delivery.transport = said.contact.language, said.transport
            delivery.text_hash, delivery.address_trace = str(row["text_hash"]), str(row["address_trace"])
            delivery.attempts += 1
            mine.append(saying)
        return _written(last, ours), mine

    return begun


def end(last: Sequence[Taken], *, now: datetime) -> list[Taken]:
    """Commit what came of a call that no other follows: whose outcomes were still ours to write."""
    return _written(last, _step(last, [], until=now)())


def _step(last: Sequence[Taken], begun: list[dict[str, object]], *, until: datetime) -> Callable[[], set[uuid.UUID]]:
    answered = [
        {
            **_held(one.delivery),
            "at": one.at.isoformat(),
            "provider_id": storable(one.answer.provider_id[:100]),
            "code": storable(one.answer.answer[:40]),
            "detail": storable(one.answer.detail[:500]),
        }
        for one in last
    ]
    documents = [json.dumps(rows, ensure_ascii=False) for rows in (answered, begun)]
    rows = wire.start(_STEP, [*documents, until])
    return lambda: {row[0] for row in rows()}


def _held(delivery: Delivery) -> dict[str, object]:
    """What a delivery must still be for a change to be ours."""
    return {"id": str(delivery.pk), "token": str(delivery.token), "attempts": delivery.attempts}


def _about_to_say(saying: Saying) -> dict[str, object]:
    said, text = saying.said, saying.said.text
    return {
        **_held(saying.delivery),
        "contact_id": said.contact.pk,
        "language": said.contact.language,
        "points": said.points,
        "lots": said.lots,
        "template": TEMPLATE if text.version_id is None else "",
        "template_version_id": text.version_id,
        "variables": said.variables,
        "text": f"{text.subject}\n\n{text.text}" if text.subject else text.text,
        "text_hash": text.hash,
        "transport": said.transport,
        "address_trace": traces.trace(said.contact.address),
    }


def _written(last: Sequence[Taken], ours: set[uuid.UUID]) -> list[Taken]:
    written = [one for one in last if one.delivery.pk in ours]
    for one in written:
        one.delivery.status, one.delivery.accepted_at = Status.ACCEPTED, one.at
    return written


def note(delivery: Delivery, outcome: Outcome, code: str, detail: str, at: datetime) -> None:
    """Write down what came of the call number `delivery.attempts`: a fact that stays."""
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=at,
        outcome=outcome,
        code=storable(code[:40]),
        detail=storable(detail[:500]),
        points_told=delivery.points_told or 0,
        text_hash=delivery.text_hash,
    )


def locked(due: QuerySet[Delivery], order: str, limit: int) -> list[Delivery]:
    """The first of these rows, locked until the transaction ends; those that somebody else has locked are left out."""
    rows = with_reminder(due).order_by(order)
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])
