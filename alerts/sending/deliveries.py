"""The life of a delivery: claim, look again, send, and note what came of it.

pending -claim-> claimed -commit before the call-> sending -> accepted | failed | unknown, or pending again

No transaction is open while a message is sent. A worker that dies leaves `claimed`, of which nothing was sent, or
`sending`, of which nobody knows: `reap` finds both when the lease has run out. The claim and the changes of status
stand in `leases.py`, what follows from an answer in `outcomes.py`, from none in `unknowns.py`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from alerts.addresses import unsubscribing
from alerts.channels import Accepted, Channels, Message, capabilities_of, transport_of
from alerts.errors import CannotBeWritten, NotSent, Rejected, SendError, Throttled, Unknown
from alerts.models import Delivery
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.models.delivery import Status, Why
from alerts.sending import leases, notice, outcomes, unknowns
from alerts.sending.breakers import Gate
from alerts.sending.decisions import Decision, cancel, decide_by_hand
from alerts.sending.keeping import forget_texts
from alerts.sending.leases import LEASE, claim, lease
from alerts.sending.reaping import reap
from alerts.sending.recheck import Go, Stop, Wait, look
from alerts.stopwatch import Stopwatch
from alerts.texts import rendering

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 20
BUDGET = timedelta(seconds=25)  # no message is begun later in a tick: a slow one then still ends in time
NOT_PREPARED = timedelta(minutes=10)  # until a message that could not be made is looked at again


@dataclass(frozen=True, slots=True)
class Line:
    """What one tick sends with: its open channels, what it knows of the breakers, and its time."""

    channels: Channels
    gate: Gate
    watch: Stopwatch


def deliver(*, now: datetime, limit: int) -> int:
    """Send what is due, the longest due first; returns how many deliveries were dealt with.

    Stops when nothing is due, at `limit`, or when the time of a tick is used up. A transport that is away, or that a
    person has stopped, is left alone, and holds up no other.
    """
    watch = Stopwatch(now)
    dealt_with = 0
    with Channels() as channels:
        line = Line(channels, Gate(), watch)
        while dealt_with < limit and watch.spent < BUDGET:
            claimed = _claim(line, min(CLAIMED_AT_ONCE, limit - dealt_with))
            done = _deal_with(claimed, line)
            if not done:
                break
            dealt_with += done
    return dealt_with


def _claim(line: Line, limit: int) -> list[Delivery]:
    """What may be sent now: of a transport that comes back from an outage one message, to see whether it does."""
    carried_by = {channel.value: transport_of(channel) for channel in Channel}
    now = line.watch.now
    passage = line.gate.look(carried_by.values(), now=now)
    free = [channel for channel, transport in carried_by.items() if transport in passage.free]
    claimed = claim(now=now, limit=limit, channels=free) if free else []
    for transport in sorted(passage.tried):
        if len(claimed) < limit:
            tried = [channel for channel, carrier in carried_by.items() if carrier == transport]
            claimed += claim(now=now, limit=1, channels=tried)
    return claimed


def _deal_with(claimed: list[Delivery], line: Line) -> int:
    """Deal with these deliveries, and give back what was not begun; returns how many were dealt with."""
    shut: set[str] = set()
    done = 0
    for place, delivery in enumerate(claimed):
        transport = transport_of(delivery.channel)
        if transport in shut:
            leases.release([delivery])
            continue
        if not _deliver_one(delivery, line):
            shut.add(transport)
        done += 1
        if line.watch.spent >= BUDGET:
            leases.release(claimed[place + 1 :])
            break
    return done


def _deliver_one(delivery: Delivery, line: Line) -> bool:
    """Deal with one claimed delivery; False: its transport takes nothing more for now."""
    try:
        verdict, text = _prepare(delivery, line.watch.now)
    except Exception:
        # One message that cannot be made must not hold up the others: it waits, and is looked at again.
        logger.exception("delivery %s could not be prepared", delivery.pk)
        later = line.watch.now + NOT_PREPARED
        leases.move(delivery, Status.CLAIMED, status=Status.PENDING, next_attempt_at=later)
        return True
    if isinstance(verdict, Stop):
        outcomes.stopped(delivery, verdict, now=line.watch.now)
        return True
    if isinstance(verdict, Wait):
        leases.move(delivery, Status.CLAIMED, status=Status.PENDING, next_attempt_at=verdict.until)
        return True
    assert text is not None
    now = line.watch.now
    if not unknowns.may_call(delivery, text_hash=text.hash, contact_id=verdict.contact.pk, now=now):
        return True
    transport = transport_of(delivery.channel)
    longest_call = capabilities_of(delivery.channel).longest_call
    if not line.gate.enter(transport, now=now, longest_call=longest_call):
        leases.release([delivery])
        return False
    if _begin(delivery, verdict, text, transport, now):
        return _send(delivery, verdict, text, line)
    return True


def _prepare(delivery: Delivery, now: datetime) -> tuple[Go | Stop | Wait, rendering.Text | None]:
    """Look again and, if it is still worth saying, find the words."""
    verdict = look(delivery, now=now)
    if not isinstance(verdict, Go):
        return verdict, None
    try:
        text = rendering.render(
            verdict.telling,
            programme_id=delivery.reminder.programme_id,
            channel=delivery.channel,
            language=verdict.contact.language,
        )
    except CannotBeWritten:
        return Stop(Status.SKIPPED, Why.NO_WORDS), None
    return verdict, text


def _begin(delivery: Delivery, verdict: Go, text: rendering.Text, transport: str, now: datetime) -> bool:
    """Commit that the call is about to be made, and what it will say; False: somebody else has the delivery."""
    said: dict[str, object] = {
        "contact": verdict.contact,
        "language": verdict.contact.language,
        "points_told": verdict.telling.points,
        "lots": verdict.lots,
        "template": rendering.TEMPLATE if text.version_id is None else "",
        "template_version_id": text.version_id,
        "variables": variables(verdict.telling),
        "text": f"{text.subject}\n\n{text.text}" if text.subject else text.text,
        "text_hash": text.hash,
        "transport": transport,
        "attempts": delivery.attempts + 1,
    }
    for name, value in said.items():
        setattr(delivery, name, value)
    return leases.move(delivery, Status.CLAIMED, status=Status.SENDING, lease_until=now + lease(), **said)


def variables(telling: rendering.Telling) -> dict[str, object]:
    """What a message said, as plain values without the reader's name: kept when its text is not any more."""
    return {
        name: value if value is None or isinstance(value, int) else str(value)
        for name, value in asdict(telling).items()
        if name != "name"
    }


def _unsubscribe(delivery: Delivery, verdict: Go) -> str:
    """Where one click ends these messages (RFC 8058): of e-mail only."""
    if delivery.channel != Channel.EMAIL:
        return ""
    return unsubscribing.link(
        member_id=verdict.contact.member_id, channel=delivery.channel, purpose=Purpose.NOTICE.value
    )


def _send(delivery: Delivery, verdict: Go, text: rendering.Text, line: Line) -> bool:
    """Make the call; False: the transport takes nothing more for now."""
    message = Message(delivery.pk, verdict.contact.address, delivery.language, text, _unsubscribe(delivery, verdict))
    try:
        answer = line.channels[delivery.channel].send(message)
    except SendError as error:
        return _failed(delivery, verdict, error, line)
    except Exception as error:
        # Not in the channel's words, so nothing is certain about it.
        logger.exception("delivery %s: unexpected failure while sending", delivery.pk)
        return _failed(delivery, verdict, Unknown(answer=type(error).__name__), line)
    line.gate.came_through(delivery.transport)
    _accepted(delivery, answer, line.watch.now)
    return True


def _accepted(delivery: Delivery, answer: Accepted, now: datetime) -> None:
    if outcomes.accepted(delivery, answer, now=now):
        notice.record(delivery, now=now)


def _failed(delivery: Delivery, verdict: Go, error: SendError, line: Line) -> bool:
    """Note the failure of a call, and of its transport if that is at fault; False: leave the transport alone."""
    now = line.watch.now
    until = None
    if isinstance(error, Rejected | Throttled):
        line.gate.came_through(delivery.transport)
    else:
        away = isinstance(error, NotSent) and error.transport_down
        until = line.gate.failed(delivery.transport, now=now, away=away)
    outcomes.not_accepted(delivery, verdict.contact, error, now=now, away_until=until)
    return until is None


__all__ = ["LEASE", "Decision", "cancel", "claim", "decide_by_hand", "deliver", "forget_texts", "lease", "reap"]
