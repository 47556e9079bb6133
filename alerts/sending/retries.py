"""When a message that was not accepted is tried again. Pure: the caller brings the clock and the dice."""

from __future__ import annotations

from datetime import datetime, timedelta

# After the first call half a minute, after the second two minutes …; the last wait repeats.
WAITS = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1_800, 7_200, 21_600))

# About five days of trying: longer than a weekend without a mail server.
MOST_CALLS = 24


def next_try(
    *, calls: int, now: datetime, expires_at: datetime, jitter: float, retry_after: timedelta = timedelta()
) -> datetime | None:
    """When to call again after `calls` calls; None: never, they are used up.

    `jitter` from 0 to 1 spreads the wait from 80 to 120 percent, so that what failed together is not tried
    together. Never later than the expiry: there it is decided for good.
    """
    if calls >= MOST_CALLS:
        return None
    wait = WAITS[min(max(calls, 1), len(WAITS)) - 1] * (0.8 + 0.4 * jitter)
    return min(now + max(wait, retry_after), max(expires_at, now))
