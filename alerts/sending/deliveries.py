"""The life of a delivery: claim, look again, send, and note what came of it.

pending -claim-> claimed -commit before the call-> sending -> accepted | failed | unknown, or pending again

No transaction is open while a message is sent. A worker that dies leaves `claimed`, of which nothing was sent, or
`sending`, of which nobody knows: `reap` finds both when the lease has run out. The claim and the changes of status
stand in `leases.py`, what follows from an answer in `outcomes.py`, from none in `unknowns.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError

from alerts.addresses import unsubscribing
from alerts.channels import Channels, Message, capabilities_of, transport_of
from alerts.errors import CannotBeWritten, NotSent, Rejected, SendError, Throttled, Unknown
from alerts.models import Delivery
from alerts.models.consent import Purpose
from alerts.models.contact import Channel, Contact
from alerts.models.delivery import Status, Why
from alerts.sending import leases, outcomes, unknowns
from alerts.sending.breakers import Gate
from alerts.sending.calls import Calls
from alerts.sending.decisions import Decision, cancel, decide_by_hand
from alerts.sending.falling_back import NAME
from alerts.sending.keeping import forget_texts
from alerts.sending.known import Known, read
from alerts.sending.leases import LEASE, Said, claim, lease
from alerts.sending.reaping import reap
from alerts.sending.recheck import Go, Stop, Wait, look
from alerts.stopwatch import Stopwatch
from alerts.texts.words import Telling, Text, write

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 50
BUDGET = timedelta(seconds=25)  # no message is begun later in a tick: a slow one then still ends in time
NOT_PREPARED = timedelta(minutes=10)  # until a message that could not be made is looked at again


@dataclass(frozen=True, slots=True)
class Line:
    """What one tick sends with: its open channels, what it knows of the breakers, and its time."""

    channels: Channels
    gate: Gate
    watch: Stopwatch


class Turn:
    """One claim being dealt with: what is known of it, and what its calls come to."""

    def __init__(self, line: Line, claimed: Sequence[Delivery]) -> None:
        self.line = line
        self.calls = Calls()
        self._claimed = claimed
        self._known: Known | None = None

    def known_of(self, delivery: Delivery) -> Known:
        """What is known of this delivery, read with that of all others; anew where it is not fresh any more."""
        now = self.line.watch.now
        if self._known is None or not self._known.is_fresh(now):
            try:
                self._known = read(self._claimed, now=now)
            except Exception:
                # One that cannot be read must not hold up the others: each is read by itself.
                logger.exception("%d deliveries could not be read together", len(self._claimed))
                return read([delivery], now=now)
        return self._known


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
    claimed: list[Delivery] = []
    for transport in sorted(passage.tried)[:limit]:  # first: a busy transport must not keep one from coming back
        tried = [channel for channel, carrier in carried_by.items() if carrier == transport]
        claimed += claim(now=now, limit=1, channels=tried)
    if free and len(claimed) < limit:
        claimed += claim(now=now, limit=limit - len(claimed), channels=free)
    return claimed


def _deal_with(claimed: list[Delivery], line: Line) -> int:
    """Deal with these deliveries, and give back what was not begun; returns how many were dealt with."""
    turn = Turn(line, claimed)
    shut: set[str] = set()
    done = place = 0
    try:
        for place, delivery in enumerate(claimed):
            transport = transport_of(delivery.channel)
            if transport in shut:
                leases.release([delivery])
                continue
            if not _deliver_one(delivery, turn):
                shut.add(transport)
            done += 1
            if line.watch.spent >= BUDGET:
                leases.release(claimed[place + 1 :])
                break
    except Exception:
        with suppress(DatabaseError):  # else they are due again when the lease has run out
            leases.release(claimed[place:])
        raise
    finally:
        turn.calls.finish(now=line.watch.now)
    return done


def _deliver_one(delivery: Delivery, turn: Turn) -> bool:
    """Deal with one claimed delivery; False: its transport takes nothing more for now."""
    line = turn.line
    try:
        verdict, text = _prepare(delivery, turn)
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
    if not unknowns.may_call(delivery, text_hash=text.hash, contact=verdict.contact, now=now):
        return True
    transport = transport_of(delivery.channel)
    longest_call = capabilities_of(delivery.channel).longest_call
    if not line.gate.enter(transport, now=now, longest_call=longest_call):
        leases.release([delivery])
        return False
    telling = verdict.telling
    kept = variables(telling) | ({NAME: verdict.falls_back} if delivery.channel == Channel.ALIMTALK else {})
    said = Said(verdict.contact, telling.points, verdict.lots, kept, text, transport)
    try:
        is_ours = turn.calls.begin(delivery, said, now=now)
    except IntegrityError:
        # The address was erased since the look: it stays due, and is looked at again.
        leases.release([delivery])
        return True
    return _send(delivery, said, turn) if is_ours else True


def _prepare(delivery: Delivery, turn: Turn) -> tuple[Go | Stop | Wait, Text | None]:
    """Look again and, if it is still worth saying, find the words."""
    known = turn.known_of(delivery)
    verdict = look(delivery, known=known)
    if not isinstance(verdict, Go):
        return verdict, None
    try:
        words = known.words(delivery.reminder.programme_id, delivery.channel, verdict.contact.language)
        text = write(words, verdict.telling, channel=delivery.channel, language=verdict.contact.language)
    except CannotBeWritten:
        return Stop(Status.SKIPPED, Why.NO_WORDS), None
    return verdict, text


def variables(telling: Telling) -> dict[str, object]:
    """What a message said, as plain values without the reader's name: kept when its text is not any more."""
    return {
        name: value if value is None or isinstance(value, int) else str(value)
        for name, value in asdict(telling).items()
        if name != "name"
    }


def _unsubscribe(delivery: Delivery, contact: Contact) -> str:
    """Where one click ends these messages (RFC 8058): of e-mail only."""
    if delivery.channel != Channel.EMAIL:
        return ""
    return unsubscribing.link(member_id=contact.member_id, channel=delivery.channel, purpose=Purpose.NOTICE.value)


def _send(delivery: Delivery, said: Said, turn: Turn) -> bool:
    """Make the call; False: the transport takes nothing more for now."""
    contact, line = said.contact, turn.line
    message = Message(
        key=delivery.pk,
        to=contact.address,
        language=contact.language,
        text=said.text,
        unsubscribe=_unsubscribe(delivery, contact),
        falls_back=said.variables.get(NAME) is True,
    )
    try:
        answer = line.channels[delivery.channel].send(message)
    except SendError as error:
        return _failed(delivery, contact, error, line)
    except Exception as error:
        # Not in the channel's words, so nothing is certain about it.
        logger.exception("delivery %s: unexpected failure while sending", delivery.pk)
        return _failed(delivery, contact, Unknown(answer=type(error).__name__), line)
    turn.calls.taken(delivery, answer, now=line.watch.now)
    line.gate.came_through(delivery.transport)
    return True


def _failed(delivery: Delivery, contact: Contact, error: SendError, line: Line) -> bool:
    """Note the failure of a call, and of its transport if that is at fault; False: leave the transport alone."""
    now = line.watch.now
    until = None
    if isinstance(error, Throttled) and error.of_transport:
        until = line.gate.rest(delivery.transport, now=now, wait=error.retry_after)
    elif isinstance(error, Rejected | Throttled):
        line.gate.came_through(delivery.transport)
    else:
        away = isinstance(error, NotSent) and error.transport_down
        until = line.gate.failed(delivery.transport, now=now, away=away)
    outcomes.not_accepted(delivery, contact, error, now=now, away_until=until)
    return until is None


__all__ = ["LEASE", "Decision", "cancel", "claim", "decide_by_hand", "deliver", "forget_texts", "lease", "reap"]
