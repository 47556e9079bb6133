"""What a fake provider took: by the sender's key, in order of arrival; in memory, and in a file if asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that a provider took, and will send."""

    provider: str
    channel: str
    number: str  # the provider's
    key: str  # the sender's; empty: the interface has no place for it
    to: str
    text: str
    at: str  # an instant, ISO 8601
    form: str = ""  # what kind of message the interface was asked for
    calls_back: str = ""  # where the sender wants to be told
    echo: str = ""  # what else of the sender's comes back in reports


class Journal:
    """Safe for the threads of a server."""

    def __init__(self, path: Path | None = None, *, then: Callable[[Taken], None] | None = None) -> None:
        """`path` gets a line of JSON for every message; `then` is told of it."""
        self._lock = threading.Lock()
        self._taken: list[Taken] = []
        self._keys: dict[tuple[str, str], datetime] = {}
        self._numbers = 0
        self._path, self._then = path, then

    def take(self, message: Taken) -> None:
        with self._lock:
            self._taken.append(message)
            if self._path:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
        if self._then:
            self._then(message)

    def use_key(self, provider: str, key: str, *, now: datetime, kept: timedelta) -> bool:
        """Note that an idempotency key is used; False: it was, not longer ago than `kept`."""
        with self._lock:
            used = self._keys.get((provider, key))
            if used is not None and now - used < kept:
                return False
            self._keys[provider, key] = now
            return True

    def next_number(self, prefix: str) -> str:
        with self._lock:
            self._numbers += 1
            return f"{prefix}{self._numbers:012d}"

    def all(self) -> list[Taken]:
        with self._lock:
            return list(self._taken)

    def of(self, key: str) -> list[Taken]:
        """The messages that were taken under a key: more than one are doubled."""
        return [message for message in self.all() if message.key == key]

    def clear(self) -> None:
        with self._lock:
            self._taken.clear()
            self._keys.clear()
