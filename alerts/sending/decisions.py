"""What a person does with a delivery: says what became of an unknown one, or stops one before it is sent.

Each is a fact beside the provider's reports, so that the proof can say who decided, when and why.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from alerts.channels import Accepted
from alerts.errors import BadInput
from alerts.models import Delivery, ProviderEvent
from alerts.models.delivery import Status, Why
from alerts.reasons import reason
from alerts.sending import notice, unknowns
from alerts.sending.leases import move, with_reminder
from alerts.sending.unsolved import BY_HAND, unsolved_since
from ledger.actors import Actor


class Decision(TextChoices):
    """What a person found out, or decided, about a message of which nobody knows whether it was sent."""

    SENT = "sent", _("It was sent")
    NOT_SENT = "not_sent", _("It was not sent: send it again")
    GIVE_UP = "give_up", _("Nobody knows: leave it")


def decide_by_hand(*, delivery: Delivery, decision: Decision, by: Actor, why: str, now: datetime) -> Delivery:
    """Say what became of an unknown delivery: it counts as accepted, is sent again, or is left.

    What is left is followed by no other channel, since the member may have been told. Raises BadInput when it is not
    unknown any more, without a reason, or with another decision; then nothing was written.
    """
    if decision not in set(Decision):
        raise BadInput(f"The decision must be one of {', '.join(Decision.values)}.", field="decision")
    why = reason(why)
    with transaction.atomic():
        row = _of(delivery, Status.UNKNOWN)
        number = row.attempts + 1
        if decision == Decision.GIVE_UP:
            done = move(row, Status.UNKNOWN, status=Status.DEAD, why=Why.STOPPED)
        else:
            found = Accepted() if decision == Decision.SENT else None
            done = unknowns.solve(row, found, code=BY_HAND, now=now)
        assert done  # the row is locked
        keep(row, f"decided:{row.pk}:{number}", str(decision), by, why, now)
    if decision == Decision.SENT:
        notice.record([row], now=now)
    return Delivery.objects.get(pk=delivery.pk)


def cancel(*, delivery: Delivery, by: Actor, why: str, now: datetime) -> Delivery:
    """Stop a delivery that waits for its time, before it is sent. Raises BadInput when it does not wait, when it may
    have been sent already, or without a reason; then nothing was written."""
    why = reason(why)
    with transaction.atomic():
        row = _of(delivery, Status.PENDING)
        if unsolved_since(row.tries.all()):
            raise BadInput("It may have been sent already: nobody can stop it.", field="delivery")
        move(row, Status.PENDING, status=Status.CANCELLED, why=Why.STOPPED)
        keep(row, f"cancelled:{row.pk}", "cancelled", by, why, now)
    return Delivery.objects.get(pk=delivery.pk)


def _of(delivery: Delivery, status: Status) -> Delivery:
    """The row, locked, if it is in this state."""
    rows = with_reminder(Delivery.objects.filter(pk=delivery.pk, status=status))
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise BadInput(f"The delivery must be {status.value}; somebody else has dealt with it.", field="delivery")
    return row


def keep(delivery: Delivery, key: str, what: str, by: Actor, why: str, now: datetime) -> None:
    """Write down what a person decided about a delivery, once for each `key`; `why` is a `reasons.reason`."""
    ProviderEvent.objects.create(
        transport=BY_HAND,
        event_key=key,
        kind=ProviderEvent.Kind.OTHER,
        our_key=str(delivery.pk),
        occurred_at=now,
        received_at=now,
        raw=json.dumps({"decision": what, "by": str(by), "why": why}, ensure_ascii=False),
        delivery=delivery,
        matched_at=now,
    )
