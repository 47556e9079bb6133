"""What every webhook's reader needs: a name for an event that has none, instants, words of bounded length."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any, TypeGuard
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from alerts.channels.base import Kind, Report
from alerts.errors import BadInput
from ledger.inputs import YEARS

KOREA = ZoneInfo("Asia/Seoul")  # in which the Korean providers mean times that name no zone
HALF = re.compile(r"[\ud800-\udfff]")
ZERO = "\\u0000"  # as JSON writes the one letter that the database cannot hold


def listed(found: Any, field: str = "body") -> list[Any]:
    """A list, as it must be; what is in it, each event's reader sees. Raises BadInput."""
    if not isinstance(found, list):
        raise BadInput("a list was expected", field=field)
    return found


def is_whole(event: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object whose texts can be stored: no zero byte. Half letters are mended."""
    return isinstance(event, dict) and ZERO not in raw(event)


def odd(event: object) -> Report:
    """An event that cannot be read, as far as it can be kept, under a name of its own: nothing follows from it."""
    written = raw(event).replace(ZERO, "\\ufffd")
    return Report(event_key=event_key(raw(event)), kind=Kind.OTHER, provider_id="", key="", at=None, raw=written)


def raw(event: object) -> str:
    """The event as text, the same for the same event."""
    return mended(json.dumps(event, ensure_ascii=False, sort_keys=True))


def mended(text: str) -> str:
    """The text with a mark in the place of each half letter: a provider that cuts a text within an emoji leaves one,
    which nothing can store."""
    return HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def storable(text: str) -> str:
    """The text as the database can hold it: mended, and without the letter zero."""
    return mended(text).replace("\0", "\N{REPLACEMENT CHARACTER}")


def event_key(*named: object) -> str:
    """A name for an event whose provider gave it none: the same event any number of times has the same."""
    return hashlib.sha256(mended("\n".join(str(part) for part in named)).encode()).hexdigest()


def instant(said: object) -> datetime | None:
    """An instant as a provider writes it; without a zone it is Korea's. None: it cannot be read, or lies far outside of
    our time, as the zero of some clocks does: the database would take it for a year before Christ."""
    try:
        found = parse_datetime(str(said)) if said else None
    except ValueError:
        return None
    if found is None or found.year < 1970 or found.year not in YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=KOREA)


def our_key(said: object) -> str:
    """Our key where it came back as we sent it, else an empty string."""
    try:
        return str(UUID(str(said)))
    except ValueError:
        return ""
