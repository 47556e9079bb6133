"""The call that hands messages over: made ready while it is announced, made, and what came of it noted.

What goes wrong is the channel's four errors, and no other: whatever else is raised says nothing for certain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from alerts.addresses import unsubscribing
from alerts.channels import Accepted, Message
from alerts.errors import NotSent, Rejected, SendError, Throttled, Unknown
from alerts.models import Contact, Delivery
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.sending import outcomes
from alerts.sending.falling_back import NAME
from alerts.sending.leases import Saying
from alerts.sending.line import Line, Turn

logger = logging.getLogger(__name__)

Prepared = Callable[[], list[Accepted | SendError]]  # a call that can be made


def prepare(call: Sequence[Saying], line: Line) -> Prepared:
    """The call, to be made when it is announced. Asks nothing of the database."""
    try:
        return line.channels[call[0].delivery.channel].prepare([_message(saying) for saying in call])
    except Exception as error:
        logger.exception("deliveries %s could not be handed over", [str(saying.delivery.pk) for saying in call])
        nothing_left: list[Accepted | SendError] = [NotSent(answer=type(error).__name__)] * len(call)
        return lambda: nothing_left


def hand_over(call: Sequence[Saying], prepared: Prepared, turn: Turn) -> bool:
    """Make the call; False: the transport takes nothing more for now."""
    line = turn.line
    answers = _answers(call, prepared)
    now = line.watch.now
    failed: list[tuple[Saying, SendError]] = []
    for saying, answer in zip(call, answers, strict=True):
        if isinstance(answer, Accepted):
            turn.calls.taken(saying.delivery, answer, now=now)
        else:
            failed.append((saying, answer))
    until = _of_the_transport(call[0].said.transport, answers, line)
    for saying, error in failed:
        outcomes.not_accepted(saying.delivery, saying.said.contact, error, now=now, away_until=until)
    return until is None


def _answers(call: Sequence[Saying], prepared: Prepared) -> list[Accepted | SendError]:
    """What the call came to for each of its messages."""
    try:
        answers = prepared()
        assert len(answers) == len(call), "an answer for each message"
        return answers
    except Exception as error:
        # Not in the channel's words, so nothing is certain about it.
        logger.exception("deliveries %s: unexpected failure while sending", [str(one.delivery.pk) for one in call])
        return [Unknown(answer=type(error).__name__)] * len(call)


def _message(saying: Saying) -> Message:
    delivery, said = saying.delivery, saying.said
    return Message(
        key=delivery.pk,
        to=said.contact.address,
        language=said.contact.language,
        text=said.text,
        unsubscribe=_unsubscribe(delivery, said.contact),
        falls_back=said.variables.get(NAME) is True,
    )


def _unsubscribe(delivery: Delivery, contact: Contact) -> str:
    """Where one click ends these messages (RFC 8058): of e-mail only."""
    if delivery.channel != Channel.EMAIL:
        return ""
    return unsubscribing.link(member_id=contact.member_id, channel=delivery.channel, purpose=Purpose.NOTICE.value)


def _of_the_transport(transport: str, answers: Sequence[Accepted | SendError], line: Line) -> datetime | None:
    """Note what a call says of its transport; returns until when that is left alone, None: it is not."""
    if all(isinstance(one, Rejected) and not one.asked for one in answers):
        return None  # nobody was called
    now = line.watch.now
    rests = [one.retry_after for one in answers if isinstance(one, Throttled) and one.of_transport]
    if rests:
        return line.gate.rest(transport, now=now, wait=max(rests))
    away = any(isinstance(one, NotSent) and one.transport_down for one in answers)
    troubled = any(isinstance(one, Unknown) or (isinstance(one, NotSent) and not one.answered) for one in answers)
    if away or (troubled and not any(isinstance(one, Accepted) for one in answers)):
        return line.gate.failed(transport, now=now, away=away)
    line.gate.came_through(transport)
    return None
