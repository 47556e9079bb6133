"""What may come in: amounts, keys and texts, each refused by name before anything is locked."""

from __future__ import annotations

from datetime import datetime, timedelta

from ledger.errors import BadInput, BadKey, BadPoints

YEARS = range(1900, 9001)  # in which days and instants lie
LONGEST = 36_525  # days: how far ahead a date can lie

MOST = 1_000_000_000_000  # a sum of millions of such amounts still fits a bigint


def check_points(points: object) -> int:
    """Amounts are whole and positive at every edge; the kind gives the direction. Raises BadPoints."""
    if isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= MOST:
        raise BadPoints(field="points")
    return points


def check_key(key: str, *, field: str = "key") -> str:
    """Raises BadKey."""
    if not (isinstance(key, str) and 0 < len(key) <= 200 and key.isprintable()):
        raise BadKey(field=field)
    return key


def check_instant(at: datetime, *, field: str) -> datetime:
    """An instant is a time with its zone: without one nobody can say when it was. Raises BadInput."""
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise BadInput("Must be a time with a zone.", field=field)
    if at.year not in YEARS:  # at the ends of the calendar not every zone has such a time
        raise BadInput(f"Must lie between the years {YEARS[0]} and {YEARS[-1]}.", field=field)
    return at


def check_new_date(expires_at: datetime, *, now: datetime, field: str) -> datetime:
    """A date of points lies at most a century ahead: every zone's calendar still reaches there. Raises BadInput."""
    if check_instant(expires_at, field=field) > check_instant(now, field="now") + timedelta(days=LONGEST):
        raise BadInput("The date can lie at most a hundred years ahead.", field=field)
    return expires_at


def check_text(text: str, *, field: str, longest: int) -> str:
    """A text that can be stored: at most `longest` characters, no control characters. Raises BadInput."""
    if not isinstance(text, str) or len(text) > longest or not text.isprintable():
        raise BadInput(f"At most {longest} printable characters.", field=field)
    return text


def check_reason(reason: str) -> str:
    """An act by hand says why. Raises BadInput."""
    check_text(reason, field="reason", longest=500)
    if not reason.strip():
        raise BadInput("A reason is needed.", field="reason")
    return reason
