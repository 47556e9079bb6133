"""What a tick sends with, and what is known while one of its claims is dealt with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.channels import Channels
from alerts.models import Delivery
from alerts.sending.breakers import Gate
from alerts.sending.calls import Calls
from alerts.sending.known import Known, read
from alerts.stopwatch import Stopwatch

logger = logging.getLogger(__name__)


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
        self.shut: set[str] = set()  # transports that take nothing more for now
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
