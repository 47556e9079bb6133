"""The life of a delivery: claim, look again, send, and note what came of it.

pending -claim-> claimed -commit before the call-> sending -> accepted | failed | unknown, or pending again

No transaction is open while a message is sent. A worker that dies leaves `claimed`, of which nothing was sent, or
`sending`, of which nobody knows: `reap` finds both when the lease has run out. The claim and the changes of status
stand in `leases.py`, the call in `handing_over.py`, what follows from an answer in `outcomes.py`, from none in
`unknowns.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError

from alerts.channels import Capabilities, Channels, capabilities_of, transport_of
from alerts.errors import CannotBeWritten
from alerts.models import Delivery
from alerts.models.contact import Channel
from alerts.models.delivery import Status, Why
from alerts.sending import leases, outcomes, unknowns
from alerts.sending.breakers import Gate
from alerts.sending.decisions import Decision, cancel, decide_by_hand
from alerts.sending.falling_back import NAME
from alerts.sending.handing_over import hand_over, prepare
from alerts.sending.keeping import forget_texts
from alerts.sending.leases import LEASE, Said, Saying, claim, lease
from alerts.sending.line import Line, Turn
from alerts.sending.pace import most_at_once, next_turn, take_turn
from alerts.sending.reaping import reap
from alerts.sending.recheck import Go, Stop, Wait, look
from alerts.stopwatch import Stopwatch
from alerts.texts.words import Telling, Text, write

logger = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 100
BUDGET = timedelta(seconds=12)  # no message is begun later in a tick: with the longest call it ends within 45 s
LONGEST_WAIT = timedelta(seconds=5)  # for a turn, where nothing else is left to do
NOT_PREPARED = timedelta(minutes=10)  # until a message that could not be made is looked at again


def deliver(*, now: datetime, limit: int) -> int:
    """Send what is due, the longest due first; returns how many deliveries were dealt with.

    Stops when nothing is due, at `limit`, or when the time of a tick is used up. A transport that is away, that a
    person has stopped, or whose rate is used up is left alone, and holds up no other.
    """
    watch = Stopwatch(now)
    dealt_with = 0
    with Channels() as channels:
        line = Line(channels, Gate(), watch)
        while dealt_with < limit and watch.spent < BUDGET:
            claimed = _claim(line, min(CLAIMED_AT_ONCE, limit - dealt_with))
            done = _deal_with(claimed, line)
            if not done and not _waited_for_a_turn(watch):
                break
            dealt_with += done
    return dealt_with


def _claim(line: Line, limit: int) -> list[Delivery]:
    """What may be sent now: of a transport that comes back from an outage one message, to see whether it does; of one
    with a rate as much as a call hands over, if it is its turn."""
    carried_by = {channel.value: transport_of(channel) for channel in Channel}
    now = line.watch.now
    passage = line.gate.look(carried_by.values(), now=now)
    claimed: list[Delivery] = []

    def some(most: int, transports: Collection[str]) -> None:
        channels = [channel for channel, transport in carried_by.items() if transport in transports]
        if channels and len(claimed) < limit:
            claimed.extend(claim(now=now, limit=min(most, limit - len(claimed)), channels=channels))

    for transport in sorted(passage.tried):  # first: a busy transport must not keep one from coming back
        some(1, [transport])
    paced = {transport: can for transport, can in _paced().items() if transport in passage.free}
    for transport, can in paced.items():
        assert can.rate is not None
        if next_turn(transport, rate=can.rate, now=now) == now:
            some(most_at_once(can), [transport])
    some(limit, passage.free - paced.keys())
    return claimed


def _paced() -> dict[str, Capabilities]:
    """The transports that have a rate, and what they can."""
    can = {transport_of(channel): capabilities_of(channel) for channel in Channel if settings.MESSAGES_A_SECOND}
    return {transport: its for transport, its in sorted(can.items()) if its.rate}


def _waited_for_a_turn(watch: Stopwatch) -> bool:
    """Wait, where nothing else is left to do, until it is a transport's turn for what is due; False: it is not soon."""
    now = watch.now
    turns = [
        next_turn(transport, rate=can.rate, now=now)
        for transport, can in _paced().items()
        if can.rate and leases.is_due(now=now, channels=[one for one in Channel if transport_of(one) == transport])
    ]
    soon = [turn for turn in turns if now < turn <= now + LONGEST_WAIT]
    if not soon:
        return False
    time.sleep((min(soon) - now).total_seconds())
    return True


def _deal_with(claimed: list[Delivery], line: Line) -> int:
    """Deal with these deliveries, and give back what was not begun; returns how many were dealt with."""
    turn = Turn(line, claimed)
    done = 0
    try:
        for together in _calls(claimed):
            if transport_of(together[0].channel) not in turn.shut:
                done += _deliver_together(together, turn)
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


def _calls(claimed: Sequence[Delivery]) -> list[list[Delivery]]:
    """The deliveries of each call, those that are due longest first: as many as the transport takes at once.

    Of one channel and programme: a template that spoils its calls spoils no others. What was tried before goes by
    itself, for the same reason.
    """
    at_once = {channel: most_at_once(capabilities_of(channel)) for channel in {one.channel for one in claimed}}
    calls: list[list[Delivery]] = []
    filling: dict[tuple[str, int], list[Delivery]] = {}
    for delivery in claimed:
        place = delivery.channel, delivery.programme_id
        if delivery.attempts:
            calls.append([delivery])
        elif len(filling.get(place, ())) in (0, at_once[delivery.channel]):
            filling[place] = [delivery]
            calls.append(filling[place])
        else:
            filling[place].append(delivery)
    return calls


def _deliver_together(together: Sequence[Delivery], turn: Turn) -> int:
    """Deal with claimed deliveries in one call; returns with how many. `turn.shut` says of a transport that takes
    nothing more for now."""
    line, channel = turn.line, together[0].channel
    can, transport = capabilities_of(channel), transport_of(channel)
    call = [saying for delivery in together if (saying := _still_to_say(delivery, turn))]
    if not call:
        return len(together)
    now = line.watch.now
    has_turn = can.rate is None or take_turn(transport, messages=len(call), rate=can.rate, now=now)
    if not has_turn or not line.gate.enter(transport, now=now, longest_call=can.longest_call):
        turn.shut.add(transport)
        return len(together) - leases.release([saying.delivery for saying in call])
    announced = turn.calls.begin(call, now=now)
    prepared = prepare(call, line)  # while the database commits
    try:
        ours = announced()
    except IntegrityError:
        # An address was erased since the look. Each by itself: whom it is about stays due, and is looked at again.
        if len(call) > 1:
            done = sum(_deliver_together([saying.delivery], turn) for saying in call)
            return len(together) - len(call) + done
        return len(together) - leases.release([saying.delivery for saying in call])
    if ours and not hand_over(ours, prepared if len(ours) == len(call) else prepare(ours, line), turn):
        turn.shut.add(transport)
    return len(together)


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
        words = known.words(delivery.programme_id, delivery.channel, verdict.contact.language)
        text = write(words, verdict.telling, channel=delivery.channel, language=verdict.contact.language)
    except CannotBeWritten:
        return Stop(Status.SKIPPED, Why.NO_WORDS), None
    return verdict, text


def variables(telling: Telling) -> dict[str, object]:
    """What a message said, as plain values without the reader's name: kept when its text is not any more."""
    said = {field.name: getattr(telling, field.name) for field in fields(telling) if field.name != "name"}
    return {name: value if value is None or isinstance(value, int) else str(value) for name, value in said.items()}


__all__ = ["LEASE", "Decision", "cancel", "claim", "decide_by_hand", "deliver", "forget_texts", "lease", "reap"]
