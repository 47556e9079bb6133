"""What was planned, sent, accepted, delivered and said to a member, as rows: looks only."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Prefetch

from alerts.models import Attempt, Delivery, ProviderEvent, Reminder
from alerts.proof.readers import Reader
from alerts.proof.values import readable
from alerts.sending import notice
from alerts.sending.unsolved import BY_HAND
from ledger.models import Account, Notice


@dataclass(frozen=True, slots=True)
class Try:
    """One call to a provider; `said` is the outcome in words."""

    number: int
    at: datetime
    outcome: str
    said: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider reported, or a person decided: when it happened by their clock, when it came in."""

    transport: str
    kind: str
    said: str
    occurred_at: datetime
    received_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """One message: how it ended, what it said, and the ledger's notice that came of it (its entry), if one did.

    `address` is as it is on file now: `address_is_newer` says that it was entered or verified after the last call, and
    it is empty once the contact is erased. `text` is empty once its time is over; hash and variables stay. `version`
    is None for the built-in words, which `template` names.
    """

    key: UUID
    channel: str
    channel_said: str
    resend_no: int
    address: str
    address_is_newer: bool
    language: str
    status: str
    status_said: str
    why: str
    why_said: str
    made_at: datetime
    calls: int
    transport: str
    provider_id: str
    points: int | None
    lots: list[int]
    template: str
    version: int | None
    variables: dict[str, object]
    text_hash: str
    text: str
    accepted_at: datetime | None
    delivered_at: datetime | None
    undelivered_at: datetime | None
    noticed_at: datetime | None
    withdrawn_at: datetime | None
    notice_seq: int | None
    tries: list[Try]
    reports: list[Report]

    @property
    def values(self) -> list[str]:
        """The variables for people."""
        return readable(self.variables)


@dataclass(frozen=True, slots=True)
class Planned:
    """One reminder with its messages."""

    expires_at: datetime
    expires_on: date
    offset_days: int
    due_at: datetime
    planned_at: datetime
    points_planned: int
    messages: list[Told]


def of_account(
    account: Account,
    *,
    limit: int = 50,
    dates: Collection[datetime] | None = None,
    reader: Reader = Reader(),  # noqa: B008  # frozen
) -> list[Planned]:
    """The reminders of an account with all that became of them, the newest date first, at most `limit`.

    `dates`: only of points that expire at these instants. Five statements, however many rows; `reminder_once` serves.
    """
    deliveries = (
        Delivery.objects.select_related("contact", "template_version")
        .order_by("created_at", "channel", "resend_no")
        .prefetch_related(
            Prefetch("tries", Attempt.objects.order_by("number")),
            Prefetch("events", ProviderEvent.objects.order_by("occurred_at", "pk")),
        )
    )
    planned = Reminder.objects.filter(account=account)
    if dates is not None:
        planned = planned.filter(expires_at__in=dates)
    reminders = list(
        planned.order_by("-expires_at", "-offset_days").prefetch_related(Prefetch("deliveries", deliveries))[:limit]
    )
    said = [notice.evidence(delivery) for reminder in reminders for delivery in reminder.deliveries.all()]
    recorded = Notice.objects.filter(account=account, evidence__in=said)
    recorded = recorded.filter(expires_at__in={reminder.expires_at for reminder in reminders})
    seqs = dict(recorded.values_list("evidence", "entry__seq"))
    return [
        Planned(
            expires_at=reminder.expires_at,
            expires_on=reminder.expires_on,
            offset_days=reminder.offset_days,
            due_at=reminder.due_at,
            planned_at=reminder.planned_at,
            points_planned=reminder.points_planned,
            messages=[_told(one, seqs.get(notice.evidence(one)), reader) for one in reminder.deliveries.all()],
        )
        for reminder in reminders
    ]


def _told(delivery: Delivery, notice_seq: int | None, reader: Reader) -> Told:
    contact, version = delivery.contact, delivery.template_version
    tries = [_try(attempt) for attempt in delivery.tries.all()]
    called_at = max([one.at for one in tries], default=delivery.accepted_at)
    verified_at = contact.verified_at if contact else None
    return Told(
        key=delivery.pk,
        channel=delivery.channel,
        channel_said=delivery.get_channel_display(),
        resend_no=delivery.resend_no,
        address=reader.address(contact.address) if contact else "",
        address_is_newer=bool(called_at and verified_at and verified_at > called_at),
        language=delivery.language,
        status=delivery.status,
        status_said=delivery.get_status_display(),
        why=delivery.why,
        why_said=str(delivery.get_why_display()),
        made_at=delivery.created_at,
        calls=delivery.attempts,
        transport=delivery.transport,
        provider_id=delivery.provider_id,
        points=delivery.points_told,
        lots=delivery.lots,
        template=delivery.template,
        version=version.number if version else None,
        variables=delivery.variables,
        text_hash=delivery.text_hash,
        text=delivery.text,
        accepted_at=delivery.accepted_at,
        delivered_at=delivery.delivered_at,
        undelivered_at=delivery.undelivered_at,
        noticed_at=delivery.noticed_at,
        withdrawn_at=delivery.withdrawn_at,
        notice_seq=notice_seq,
        tries=tries,
        reports=[_report(event, reader) for event in delivery.events.all()],
    )


def _try(attempt: Attempt) -> Try:
    return Try(
        number=attempt.number,
        at=attempt.at,
        outcome=attempt.outcome,
        said=attempt.get_outcome_display(),
        code=attempt.code,
        detail=attempt.detail,
    )


def _report(event: ProviderEvent, reader: Reader) -> Report:
    """A provider's raw words stay where they are: they name addresses, and this is what they came to."""
    return Report(
        transport=event.transport,
        kind=event.kind,
        said=event.get_kind_display(),
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        detail=_decided(event, reader) if event.transport == BY_HAND else "",
    )


def _decided(event: ProviderEvent, reader: Reader) -> str:
    decided = json.loads(event.raw)
    said = [decided["decision"], reader.note(decided["why"]), reader.actor(decided["by"])]
    return ", ".join(filter(None, said))
