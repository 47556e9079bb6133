"""The calls of one claim: each begins with the statement that writes down what came of the one before.

So a worker that dies leaves one call of which nobody knows, never two; and each message costs one commit. The notices
of all that was taken go to the ledger together, at the end; what a dead worker leaves of them `reap` finds.
"""

from __future__ import annotations

import logging
from datetime import datetime

from alerts.channels import Accepted
from alerts.models import Delivery
from alerts.sending import leases, notice
from alerts.sending.leases import Said, Taken

logger = logging.getLogger(__name__)


class Calls:
    """What the calls of a claim have come to. `finish` it, whatever happens."""

    def __init__(self) -> None:
        self._last: Taken | None = None
        self._taken: list[Delivery] = []

    def begin(self, delivery: Delivery, said: Said, *, now: datetime) -> bool:
        """Commit that this call is about to be made; False: somebody else has the delivery."""
        was_ours, is_ours = leases.begin(delivery, said, now=now, last=self._last)
        self._close(was_ours)
        return is_ours

    def taken(self, delivery: Delivery, answer: Accepted, *, now: datetime) -> None:
        """The provider took it: written down before anything else is sent."""
        self._last = Taken(delivery, answer, now)

    def finish(self, *, now: datetime) -> None:
        """Write down what came of the last call, and tell the ledger of all that were taken."""
        if self._last:
            self._close(leases.end(self._last))
        taken, self._taken = self._taken, []
        notice.record(taken, now=now)

    def _close(self, was_ours: bool) -> None:
        last, self._last = self._last, None
        if last is None:
            return
        if was_ours:
            self._taken.append(last.delivery)
        else:
            logger.warning("delivery %s was accepted after its lease had run out", last.delivery.pk)
