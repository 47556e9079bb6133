"""How a fake provider misbehaves: each call that hands a message over is drawn one mode, by its share."""

from __future__ import annotations

import random
import threading

# 429: come back in two seconds. 500, 503: nothing is taken. drop: it takes the message and hangs up without an answer.
# slow: it takes the message and answers too late. deaf: it hangs up and took nothing. garbled: half an answer.
MODES = ("ok", "429", "500", "503", "drop", "slow", "deaf", "garbled")
TAKES = {"ok", "drop", "slow", "garbled"}
RETRY_AFTER = 2  # seconds


class Faults:
    """The modes in force, each with its share of the calls; what is left of 1 is ok."""

    def __init__(self, shares: dict[str, float] | None = None, *, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.shares: dict[str, float] = {}
        self.set(shares or {})

    def set(self, shares: dict[str, float]) -> None:
        """Raises ValueError for a mode that is none, and for shares that are none."""
        unknown = shares.keys() - set(MODES)
        if unknown or any(not 0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
            raise ValueError(f"modes are {', '.join(MODES)}, with shares from 0 to 1 that sum to 1 at most")
        self.shares = dict(shares)

    def draw(self) -> str:
        with self._lock:
            place = self._random.random()
        for mode, share in self.shares.items():
            if place < share:
                return mode
            place -= share
        return "ok"


def shares(words: list[str]) -> dict[str, float]:
    """`["503:0.05", "drop:0.02"]`; a mode without a share is for every call. Raises ValueError."""
    found = {}
    for word in words:
        mode, _, share = word.partition(":")
        found[mode] = float(share) if share else 1.0
    Faults(found)
    return found
