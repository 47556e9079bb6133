"""Numbers and days as a member reads them, in the language of the page."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _


def points(number: int, unit: str) -> str:
    """“1,234 P”: by locale, with the programme's unit, never broken over two lines."""
    return _("%(number)s %(unit)s") % {"number": number_format(number, force_grouping=True), "unit": unit}


def signed_points(number: int, unit: str) -> str:
    """As `points`, with its direction: “+1,234 P”, “−50 P”."""
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return sign + points(abs(number), unit)


def day(of: date) -> str:
    """A day in full: “March 31, 2025”."""
    return date_format(of, "DATE_FORMAT")


def moment(at: datetime) -> str:
    """A time of a day: “March 31, 2025, 14:30”, on the clock that `at` carries."""
    return _("%(day)s, %(time)s") % {"day": day(at.date()), "time": f"{at:%H:%M}"}
