"""What was told becomes a Notice in the ledger, and so opens the gate of what it told of; what came back loses it.

Told is accepted or delivered, as the programme's rules of telling say. The delivery's id is the notice's key, so all
this can be done any number of times: a worker that dies between the answer and the notice leaves `noticed_at` empty,
and the next reap does it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from alerts.channels import tells
from alerts.models import Delivery, TellingRules
from alerts.models.delivery import Status
from alerts.posted import outcomes_of
from alerts.sending.leases import lease, with_reminder
from ledger import notices
from ledger.actors import Actor
from ledger.errors import AccountBusy, AccountClosed, BooksClosed, LedgerError, NotANotice
from ledger.posting import Order
from ledger.receipts import Receipt

logger = logging.getLogger(__name__)

BY = Actor("alerts")
CAME_BACK = "the message came back"


def told_at(delivery: Delivery) -> datetime | None:
    """When the member was told, as the programme counts it; None: not yet. Needs its reminder and programme."""
    rules: TellingRules | None = getattr(delivery.reminder.programme, "telling", None)
    if delivery.status == Status.DELIVERED and delivery.delivered_at:
        # Where acceptance counts, the member was told then: the report only came later.
        by_arrival = rules is not None and rules.counts_when == TellingRules.Counts.DELIVERED
        return delivery.delivered_at if by_arrival else delivery.accepted_at
    if delivery.status != Status.ACCEPTED or (rules and rules.counts_when == TellingRules.Counts.DELIVERED):
        return None
    return delivery.accepted_at


def record(deliveries: Sequence[Delivery], *, now: datetime) -> int:
    """Record what was told as notices, all in one go; returns how many are dealt with for good.

    The others are not told yet, or the ledger could not take them now. Needs reminders, accounts and programmes.
    """
    told = [delivery for delivery in deliveries if told_at(delivery)]
    done = [delivery for delivery in told if _was_kept(delivery)]
    orders = [(delivery, order) for delivery in told if delivery not in done and (order := _order(delivery, now))]
    outcomes = outcomes_of([order for _, order in orders]) if orders else []
    pairs = zip(orders, outcomes, strict=True)
    done += [delivery for (delivery, _), outcome in pairs if _is_dealt_with(delivery, outcome)]
    if done:
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in done], noticed_at=None).update(noticed_at=now)
    return len(done)


def _was_kept(delivery: Delivery) -> bool:
    if tells(delivery.transport, delivery.contact.address if delivery.contact else ""):
        return False
    logger.info("delivery %s was kept by the sandbox: it tells nobody", delivery.pk)
    return True


def _order(delivery: Delivery, now: datetime) -> Order | None:
    """The notice of what was told; None: it cannot even be asked for."""
    at, reminder = told_at(delivery), delivery.reminder
    assert at is not None
    try:
        return notices.record_order(
            account_id=reminder.account_id,
            lots=delivery.lots,
            expires_at=reminder.expires_at,
            told_on=at.astimezone(reminder.programme.tz).date(),
            channel=delivery.channel,
            evidence=evidence(delivery),
            now=max(now, at),
            key=evidence(delivery),
            by=BY,
        )
    except LedgerError as refusal:
        _refused(delivery, refusal)
        return None


def _is_dealt_with(delivery: Delivery, outcome: Receipt | LedgerError) -> bool:
    if isinstance(outcome, BooksClosed):
        # Too late: it would end points at a date for which the books are closed. They stay, and are told of anew.
        logger.warning("delivery %s was accepted, and is recorded after its date's books were closed", delivery.pk)
        return True
    if isinstance(outcome, AccountClosed):
        # There is nothing left that the notice could be about. The mark of the queue is set all the same: else this
        # delivery would be tried for ever, in front of others.
        logger.info("delivery %s was accepted for an account that closed", delivery.pk)
        return True
    if isinstance(outcome, LedgerError):
        _refused(delivery, outcome)
        return False
    return True


def _refused(delivery: Delivery, refusal: LedgerError) -> None:
    if not isinstance(refusal, AccountBusy):  # that is tried again, and no fault
        logger.error("notice of delivery %s refused: %s", delivery.pk, refusal.code)


def evidence(delivery: Delivery) -> str:
    """The key of its notice, and what shows it."""
    return f"delivery:{delivery.pk}"


def record_missing(*, now: datetime, limit: int) -> int:
    """Record what was told and has no notice yet, the oldest first; returns how many were recorded."""
    without = with_reminder(Delivery.objects.filter(noticed_at=None))
    arrived = without.filter(status=Status.DELIVERED).order_by("delivered_at")[:limit]
    waiting = TellingRules.objects.filter(counts_when=TellingRules.Counts.DELIVERED).values("programme")
    taken = without.filter(status=Status.ACCEPTED).exclude(programme__in=waiting).order_by("accepted_at")
    return record([*arrived, *taken[:limit]], now=now)


def withdraw(delivery: Delivery, *, now: datetime) -> bool:
    """Withdraw the notice of a delivery that came back; False: there is none, or not this time."""
    try:
        notices.withdraw(
            account=delivery.reminder.account,
            notice=evidence(delivery),
            now=now,
            key=f"{evidence(delivery)}:back",
            by=BY,
            reason=CAME_BACK,
        )
    except AccountBusy:
        return False
    except NotANotice:
        if delivery.noticed_at is None:
            return False
        # All its lots had moved or gone when it was recorded: there is a note in its place.
    except AccountClosed:
        logger.info("delivery %s came back after the account had closed", delivery.pk)
    except LedgerError as refusal:
        logger.error("withdrawal of delivery %s refused: %s", delivery.pk, refusal.code)
        return False
    Delivery.objects.filter(pk=delivery.pk, withdrawn_at=None).update(withdrawn_at=now)
    return True


def withdraw_missing(*, now: datetime, limit: int) -> int:
    """Withdraw what came back and still has its notice, the oldest first; returns how many were withdrawn.

    What has none on record may get it yet from a worker that knew nothing of the report: for as long as such a
    worker can live, the ledger is asked again.
    """
    came_back = with_reminder(Delivery.objects.filter(status=Status.UNDELIVERED, withdrawn_at=None))
    lately = Q(noticed_at=None, undelivered_at__gt=now - 2 * lease())
    standing = came_back.filter(noticed_at__isnull=False).order_by("undelivered_at")[:limit]
    about_to = came_back.filter(lately).order_by("undelivered_at")[:limit]
    return sum(withdraw(delivery, now=now) for delivery in [*standing, *about_to])
