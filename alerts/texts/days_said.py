"""Whether words say a day: found by comparing them with the same words about other days. No database, no clock.

A number that merely stands in the words (of points, of days, of a telephone) stays as it is when the day changes; what
says the day does not. Only the usual forms count: digits on their own, or the names of months in the language.
"""

from __future__ import annotations

import re
from datetime import date

from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_ALT, MONTHS_AP

from alerts.texts.words import spoken_as


def says_the_day(day: date, written: str, *, on_another_day: str) -> bool:
    """Whether `written` says the number of the day in its month. `on_another_day`: the same words about a day of the
    same month that is the same day of the week, so that a weekday is not taken for it."""
    return _numbers(day.day, written) > _numbers(day.day, on_another_day)


def says_the_month(day: date, written: str, *, in_another_month: str, language: str) -> bool:
    """Whether `written` says the month, in digits or by its name. `in_another_month`: the same words about the same
    number of day and day of the week, in another month of that year."""
    return _months(day.month, written, language) > _months(day.month, in_another_month, language)


def _months(month: int, written: str, language: str) -> int:
    with translation.override(spoken_as(language)):
        names = {str(known[month]).lower() for known in (MONTHS, MONTHS_3, MONTHS_AP, MONTHS_ALT)}
    return _numbers(month, written) + sum(written.lower().count(name) for name in names)


def _numbers(number: int, written: str) -> int:
    """How often a number of at most two digits stands on its own: 9, 09, 9월, 30th."""
    return len(re.findall(rf"(?<!\d)0?{number}(?!\d)", written))
