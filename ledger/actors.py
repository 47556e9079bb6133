"""Who did it: a short name that is stored with every entry and holds no personal data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ledger.errors import BadInput


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts: `Actor("staff", "3")` is stored as `staff:3`; ids only, never a person's name."""

    role: Literal["member", "staff", "feed", "api", "rule", "alerts", "system"]
    name: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{0,60}", self.name):
            raise BadInput("An actor's name is an id: at most 60 letters, digits, dots and hyphens.", field="by")

    def __str__(self) -> str:
        return f"{self.role}:{self.name}" if self.name else self.role


CLOCK = Actor("system", "clock")  # what the clock did by itself: expiry, settling
