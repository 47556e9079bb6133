"""A transport is handed no more than its rate, whichever workers send.

The row of the transport says until when its rate is given out. Whoever is about to call takes the next piece, as long
as its messages need, and waits for its beginning; of one that begins too late nothing is taken. That is the generic
cell rate algorithm (ITU-T I.371) without a burst: no two calls begin closer together than the rate says.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import transaction

from alerts.models import Transport

LONGEST_WAIT = timedelta(seconds=2)  # a worker has other transports to serve


def wait_for_turn(transport: str, *, messages: int, rate: float, now: datetime) -> bool:
    """Return when so many messages may be handed over at `rate` a second; False: not soon, and nothing is taken."""
    begins = _take(transport, timedelta(seconds=messages / rate), now)
    if begins is None:
        return False
    time.sleep(max(0.0, (begins - now).total_seconds()))
    return True


def _take(transport: str, length: timedelta, now: datetime) -> datetime | None:
    with transaction.atomic():
        row, _ = Transport.objects.select_for_update().get_or_create(name=transport)
        begins = max(row.paced_until or now, now)
        if begins - now > LONGEST_WAIT:
            return None
        Transport.objects.filter(pk=row.pk).update(paced_until=begins + length)
    return begins
