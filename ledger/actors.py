"""Who did it: a short name that is stored with every entry and holds no personal data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts: `Actor("staff", "3")` is stored as `staff:3`; ids only, never a person's name."""

    role: Literal["member", "staff", "feed", "api", "rule", "alerts", "system"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.name}" if self.name else self.role


CLOCK = Actor("system", "clock")  # what the clock did by itself: expiry, settling
