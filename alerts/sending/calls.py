"""The calls of one claim: each begins with the statement that writes down what came of the one before.

So a worker that dies leaves one call of which nobody knows, never two; and each call costs one commit. The notices of
all that was taken go to the ledger together, at the end; what a dead worker leaves of them `reap` finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from alerts.channels import Accepted
from alerts.models import Delivery
from alerts.sending import leases, notice
from alerts.sending.leases import Saying, Taken

logger = logging.getLogger(__name__)


class Calls:
    """What the calls of a claim have come to. `finish` it, whatever happens."""

    def __init__(self) -> None:
        self._last: list[Taken] = []
        self._taken: list[Delivery] = []

    def begin(self, call: Sequence[Saying], *, now: datetime) -> Callable[[], list[Saying]]:
        """Commit that this call is about to be made. What is returned waits until it is, and says what is to be said:
        the rest somebody else has. Until then nothing else may be asked of the database."""
        committed = leases.begin(call, now=now, last=self._last)

        def begun() -> list[Saying]:
            written, ours = committed()
            self._close(written)
            return ours

        return begun

    def taken(self, delivery: Delivery, answer: Accepted, *, now: datetime) -> None:
        """The provider took it: written down before anything else is sent."""
        self._last.append(Taken(delivery, answer, now))

    def finish(self, *, now: datetime) -> None:
        """Write down what came of the last call, and tell the ledger of all that were taken."""
        if self._last:
            self._close(leases.end(self._last, now=now))
        taken, self._taken = self._taken, []
        notice.record(taken, now=now)

    def _close(self, written: Sequence[Taken]) -> None:
        last, self._last = self._last, []
        self._taken += [one.delivery for one in written]
        for late in {one.delivery.pk for one in last} - {one.delivery.pk for one in written}:
            logger.warning("delivery %s was accepted after its lease had run out", late)
