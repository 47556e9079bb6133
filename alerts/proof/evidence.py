"""What was planned, sent and accepted for a member, as rows: the help desk's look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Prefetch

from alerts.models import Attempt, Delivery, Reminder
from ledger.models import Account, Notice


@dataclass(frozen=True, slots=True)
class Try:
    """One call to a provider."""

    number: int
    at: datetime
    outcome: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """One message: how it ended, what it said, and the ledger's notice that came of it (its entry), if one did."""

    key: UUID
    channel: str
    status: str
    why: str
    points: int | None
    text_hash: str
    accepted_at: datetime | None
    notice_seq: int | None
    tries: list[Try]


@dataclass(frozen=True, slots=True)
class Planned:
    """One reminder with its messages."""

    expires_on: date
    offset_days: int
    due_at: datetime
    planned_at: datetime
    points_planned: int
    messages: list[Told]


def of_account(account: Account, *, limit: int = 50) -> list[Planned]:
    """The reminders of an account with all that became of them, the newest first, at most `limit`."""
    deliveries = Delivery.objects.order_by("channel", "resend_no").prefetch_related(
        Prefetch("tries", Attempt.objects.order_by("number"))
    )
    reminders = list(
        Reminder.objects.filter(account=account)
        .order_by("-expires_at", "offset_days")
        .prefetch_related(Prefetch("deliveries", deliveries))[:limit]
    )
    said = [f"delivery:{delivery.pk}" for reminder in reminders for delivery in reminder.deliveries.all()]
    notices = Notice.objects.filter(account=account, evidence__in=said).values_list("evidence", "entry__seq")
    seqs = dict(notices)
    return [
        Planned(
            expires_on=reminder.expires_on,
            offset_days=reminder.offset_days,
            due_at=reminder.due_at,
            planned_at=reminder.planned_at,
            points_planned=reminder.points_planned,
            messages=[_told(delivery, seqs.get(f"delivery:{delivery.pk}")) for delivery in reminder.deliveries.all()],
        )
        for reminder in reminders
    ]


def _told(delivery: Delivery, notice_seq: int | None) -> Told:
    return Told(
        key=delivery.pk,
        channel=delivery.channel,
        status=delivery.status,
        why=delivery.why,
        points=delivery.points_told,
        text_hash=delivery.text_hash,
        accepted_at=delivery.accepted_at,
        notice_seq=notice_seq,
        tries=[Try(a.number, a.at, a.outcome, a.code, a.detail) for a in delivery.tries.all()],
    )
