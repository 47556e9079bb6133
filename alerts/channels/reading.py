"""What every webhook's reader needs: a name for an event that has none, instants, words of bounded length."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from alerts.errors import BadInput

KOREA = ZoneInfo("Asia/Seoul")  # in which the Korean providers mean times that name no zone


def objects(found: Any, field: str = "body") -> list[dict[str, Any]]:
    """A list of JSON objects, as it must be. Raises BadInput."""
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadInput("a list of objects was expected", field=field)
    return found


def raw(event: dict[str, Any]) -> str:
    """The event as text, the same for the same event."""
    return json.dumps(event, ensure_ascii=False, sort_keys=True)


def event_key(*named: object) -> str:
    """A name for an event whose provider gave it none: the same event any number of times has the same."""
    return hashlib.sha256("\n".join(str(part) for part in named).encode()).hexdigest()


def instant(said: object) -> datetime | None:
    """An instant as a provider writes it; without a zone it is Korea's. None: it cannot be read."""
    try:
        found = parse_datetime(str(said)) if said else None
    except ValueError:
        return None
    return found.replace(tzinfo=KOREA) if found and found.tzinfo is None else found


def our_key(said: object) -> str:
    """Our key where it came back as we sent it, else an empty string."""
    try:
        return str(UUID(str(said)))
    except ValueError:
        return ""
