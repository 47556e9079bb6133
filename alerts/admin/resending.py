"""Two acts of staff on what was given up: send it again, or leave it; on pages like those of `decisions`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from alerts.admin.decisions import Deed
from alerts.admin.operations import ReasonForm
from alerts.models import Delivery
from alerts.models.delivery import Status, Why
from alerts.sending import resending
from ledger.actors import Actor


def _send_again(row: Delivery, entered: dict[str, Any], by: Actor, now: datetime) -> str:
    again = resending.send_again(delivery=row, by=by, why=entered["why"], now=now)
    return f"Sent again as {again.pk}"


def _leave(row: Delivery, entered: dict[str, Any], by: Actor, now: datetime) -> str:
    resending.leave(delivery=row, by=by, why=entered["why"], now=now)
    return "Left as it is"


SEND_AGAIN = Deed(
    name="send_again",
    title=gettext_lazy("Send it again"),
    explains=gettext_lazy(
        "A new message on the same channel takes this one's place, also to an address that was tried before. If one of "
        "its calls was taken after all, the member gets it twice."
    ),
    form=ReasonForm,
    offered=lambda row, now: row.reminder.expires_at > now and resending.may_be_sent_again(row),
    misfit=gettext_lazy("This delivery cannot be sent again."),
    act=_send_again,
    done=gettext_lazy("It is sent again: the new message is due now."),
)
LEAVE = Deed(
    name="leave",
    title=gettext_lazy("Leave it as it is"),
    explains=gettext_lazy(
        "Nothing is sent, and this delivery no longer counts among those that need somebody to look."
    ),
    form=ReasonForm,
    offered=lambda row, now: row.status == Status.DEAD and row.why == Why.EXHAUSTED,
    misfit=gettext_lazy("This delivery was not given up, or somebody has dealt with it."),
    act=_leave,
    done=gettext_lazy("It is left as it is."),
)
DEEDS = (SEND_AGAIN, LEAVE)
