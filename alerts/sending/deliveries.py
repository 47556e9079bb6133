"""The life of a delivery: claim, look again, send, and note what came of it.

pending -claim-> claimed -commit before the call-> sending -> accepted | failed | unknown, or pending again

No transaction is open while a message is sent. A worker that dies leaves `claimed`, of which nothing was sent, or
`sending`, of which nobody knows: `reap` finds both when the lease has run out. The claim and the changes of status
stand in `leases.py`, the call in `handing_over.py`, what follows from an answer in `outcomes.py`, from none in
`unknowns.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError

from alerts.channels import Channels, capabilities_of, transport_of
from alerts.errors import CannotBeWritten
from alerts.models import Delivery
from alerts.models.contact import Channel
from alerts.models.delivery import Status, Why
from alerts.sending import leases, outcomes, unknowns
from alerts.sending.breakers import Gate
from alerts.sending.decisions import Decision, cancel, decide_by_hand
from alerts.sending.falling_back import NAME
from alerts.sending.handing_over import hand_over, ready
from alerts.sending.keeping import forget_texts
from alerts.sending.leases import LEASE, Said, Saying, claim, lease
from alerts.sending.line import Line, Turn
from alerts.sending.pace import wait_for_turn
from alerts.sending.reaping import reap
from alerts.sending.recheck import Go, Stop, Wait, look
from alerts.stopwatch import Stopwatch
from alerts.texts.words import Telling, Text, write

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 100
BUDGET = timedelta(seconds=25)  # no message is begun later in a tick: a slow one then still ends in time
NOT_PREPARED = timedelta(minutes=10)  # until a message that could not be made is looked at again


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
    done = 0
    try:
        for together in _calls(claimed):
            transport = transport_of(together[0].channel)
            if transport in shut:
                continue
            if not _deliver_together(together, turn):
                shut.add(transport)
            done += len(together)
            if line.watch.spent >= BUDGET:
                break
        if done < len(claimed):
            leases.release(claimed)
    except Exception:
        with suppress(DatabaseError):  # else they are due again when the lease has run out
            leases.release(claimed)
        raise
    finally:
        turn.calls.finish(now=line.watch.now)
    return done


def _calls(claimed: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """The deliveries of each call: as many as the transport of their channel takes at once.

    What was tried before goes by itself: if it spoils a call, then no other's.
    """
    waiting: dict[str, list[Delivery]] = {}
    for delivery in claimed:
        at_once = capabilities_of(delivery.channel).at_once
        if at_once == 1 or delivery.attempts:
            yield [delivery]
            continue
        together = waiting.setdefault(delivery.channel, [])
        together.append(delivery)
        if len(together) == at_once:
            yield waiting.pop(delivery.channel)
    yield from waiting.values()


def _deliver_together(together: Sequence[Delivery], turn: Turn) -> bool:
    """Deal with claimed deliveries of one channel in one call; False: its transport takes nothing more for now."""
    line, channel = turn.line, together[0].channel
    can, transport = capabilities_of(channel), transport_of(channel)
    if can.rate and not wait_for_turn(transport, messages=len(together), rate=can.rate, now=line.watch.now):
        leases.release(together)
        return False
    call = [saying for delivery in together if (saying := _still_to_say(delivery, turn))]
    if not call:
        return True
    now = line.watch.now
    if not line.gate.enter(transport, now=now, longest_call=can.longest_call):
        leases.release([saying.delivery for saying in call])
        return False
    committed = turn.calls.begin(call, now=now)
    made = ready(call, line)  # while the database commits
    try:
        ours = committed()
    except IntegrityError:
        # An address was erased since the look: they stay due, and are looked at again.
        leases.release([saying.delivery for saying in call])
        return True
    if not ours:
        return True
    return hand_over(ours, made if len(ours) == len(call) else ready(ours, line), turn)


def _still_to_say(delivery: Delivery, turn: Turn) -> Saying | None:
    """What a call is to say of this delivery; None: it needs none now, and that is written down."""
    watch = turn.line.watch
    try:
        verdict, text = _prepare(delivery, turn)
    except Exception:
        # One message that cannot be made must not hold up the others: it waits, and is looked at again.
        logger.exception("delivery %s could not be prepared", delivery.pk)
        leases.move(delivery, Status.CLAIMED, status=Status.PENDING, next_attempt_at=watch.now + NOT_PREPARED)
        return None
    if isinstance(verdict, Stop):
        outcomes.stopped(delivery, verdict, now=watch.now)
        return None
    if isinstance(verdict, Wait):
        leases.move(delivery, Status.CLAIMED, status=Status.PENDING, next_attempt_at=verdict.until)
        return None
    assert text is not None
    if not unknowns.may_call(delivery, text_hash=text.hash, contact=verdict.contact, now=watch.now):
        return None
    telling = verdict.telling
    kept = variables(telling) | ({NAME: verdict.falls_back} if delivery.channel == Channel.ALIMTALK else {})
    said = Said(verdict.contact, telling.points, verdict.lots, kept, text, transport_of(delivery.channel))
    return Saying(delivery, said)


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
    said = {field.name: getattr(telling, field.name) for field in fields(telling) if field.name != "name"}
    return {name: value if value is None or isinstance(value, int) else str(value) for name, value in said.items()}


__all__ = ["LEASE", "Decision", "cancel", "claim", "decide_by_hand", "deliver", "forget_texts", "lease", "reap"]
