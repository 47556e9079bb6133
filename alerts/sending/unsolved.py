"""What the calls of a delivery leave open. Pure: it reads what was noted of them.

A call whose outcome nobody knows stays unsolved until the provider, or a person, says that it was not accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

LEASE_OVER = "lease"  # the code of a call whose worker did not come back
LOOKED_UP = "look-up"  # of an answer to the question what became of an earlier call
BY_HAND = "by hand"  # of a person's; it stands where a transport would, too, for what a person decided
CLOCKS_DIFFER = timedelta(hours=1)  # at most, the provider's and ours


class Try(Protocol):
    """One call, as `Attempt` notes it."""

    number: int
    at: datetime
    outcome: str
    code: str


def unsolved_since(tries: Iterable[Try]) -> Try | None:
    """The first call that may have been accepted, for all that anybody knows; None: there is none."""
    first = None
    for call in sorted(tries, key=lambda call: call.number):
        if call.outcome == "unknown":
            first = first or call
        elif call.code in (LOOKED_UP, BY_HAND):
            first = None
    return first


def began_at(call: Try, *, lease: timedelta, longest_call: timedelta) -> datetime:
    """The earliest moment at which this call can have begun: from then on the provider keeps its key."""
    return call.at - (lease if call.code == LEASE_OVER else longest_call)


def key_still_holds(
    call: Try, *, kept_for: timedelta | None, now: datetime, lease: timedelta, longest_call: timedelta
) -> bool:
    """Whether the provider still knows the key of this call at the end of another one that begins `now`."""
    if kept_for is None:
        return False
    return now < last_call_under_key(call, kept_for=kept_for, lease=lease, longest_call=longest_call)


def last_call_under_key(call: Try, *, kept_for: timedelta, lease: timedelta, longest_call: timedelta) -> datetime:
    """Before when another call under this one's key must begin, for the provider still to know the key at its end."""
    return began_at(call, lease=lease, longest_call=longest_call) + kept_for - longest_call


def look_up_sees(
    call: Try, *, looks_back: timedelta | None, now: datetime, lease: timedelta, longest_call: timedelta
) -> bool:
    """Whether a look-up at `now` would still find the message of this call: else that it finds none proves nothing."""
    if looks_back is None:
        return True
    return now < began_at(call, lease=lease, longest_call=longest_call) + looks_back - CLOCKS_DIFFER
