"""The days of rest: the public holidays of a country, and what a programme says otherwise. Pure: no database, no clock.

The calendars are those of the `holidays` package. They know Korea's substitute and temporary holidays as far as they
are announced; what a government adds later a programme enters itself, as it enters a working day that the calendar
takes for a holiday.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from holidays import country_holidays


def is_day_off(day: date, *, country: str, own: Mapping[date, bool]) -> bool:
    """Whether a day is one of rest: what the programme says of it (`own`), else what the country's calendar says.

    `country` is written as `KR`, or with a part of the country as `CA-QC`; an empty one has no holidays.
    """
    if day in own:
        return own[day]
    return bool(country) and day in public_holidays(country, day.year)


@cache
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays that fall in a year, also one of the next year that is kept on its last day.

    Raises NotImplementedError for a country that is not known; `TellingRules` lets none in.
    """
    code, _, part = country.partition("-")
    return frozenset(country_holidays(code, subdiv=part or None, years=year, expand=False))
