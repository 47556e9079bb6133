"""A transport is handed no more reminders than its rate, by all workers together.

The row of the transport says until when its rate is given out. Whoever is about to call takes the next piece, as long
as the call's messages need; nobody calls before that is over. That is the generic cell rate algorithm (ITU-T I.371);
its burst is one call. Codes that prove an address and test messages are few, and take no turn.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from alerts.channels import Capabilities
from alerts.models import Transport

LONGEST_CALL = timedelta(seconds=2)  # of the rate that one call takes: else one burst would be followed by silence


def most_at_once(can: Capabilities) -> int:
    """How many messages one call may hand over."""
    if can.rate is None:
        return can.at_once
    return max(1, min(can.at_once, int(can.rate * LONGEST_CALL.total_seconds())))


def next_turn(transport: str, *, rate: float, now: datetime) -> datetime:
    """When the next call may be made: `now`, or later."""
    row = Transport.objects.filter(name=transport).first()
    until = row.paced_until if row else None
    return until if until and now < until <= now + _longest_piece(rate) else now


def take_turn(transport: str, *, messages: int, rate: float, now: datetime) -> bool:
    """Take so long of the rate as these messages need; False: somebody else has the turn."""
    Transport.objects.get_or_create(name=transport)
    # A piece that is longer than any can be was taken at another rate, or by another clock, and counts for nothing.
    is_over = Q(paced_until=None) | Q(paced_until__lte=now) | Q(paced_until__gt=now + _longest_piece(rate))
    taken = Transport.objects.filter(is_over, name=transport)
    return taken.update(paced_until=now + timedelta(seconds=messages / rate)) == 1


def _longest_piece(rate: float) -> timedelta:
    return max(LONGEST_CALL, timedelta(seconds=1 / rate))
