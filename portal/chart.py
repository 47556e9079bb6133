"""“What expires when” as a picture: columns over time, drawn as SVG by a template. Pure: no database, no clock.

Places across are in per cent and heights in pixels, so that the picture fits any width while its letters keep their
size. They are strings, because a template would write numbers by locale, which no browser reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from portal import words

MOST_COLUMNS = 13  # a year in months, and the month it began in
FULL_HEIGHT = 120  # pixels of the tallest column
BASELINE = 148  # pixels from the top; above the columns there is room for a number
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time. `name` is its full name, `label` and `year` what stands below it."""

    name: str
    label: str
    year: str
    points: int
    value: str
    soon: bool  # some of its points go within thirty days
    left: str
    middle: str
    width: str
    top: str
    height: str
    value_top: str


@dataclass(frozen=True, slots=True)
class Chart:
    columns: list[Column]
    description: str  # the same in words, for who cannot see it
    any_soon: bool

    @property
    def dense(self) -> bool:
        """Whether the numbers over the columns have no room on a phone; the table below has them."""
        return len(self.columns) > 6


@dataclass(frozen=True, slots=True)
class Scale:
    """A width of the columns: where the one that holds a day begins, and how far it is to the next."""

    start: Callable[[date], date]
    step: relativedelta
    label: Callable[[date], str]
    name: Callable[[date], str]


def draw(dates: Sequence[tuple[date, int]], today: date, unit: str) -> Chart | None:
    """The picture of these (last day, points), soonest first; None where there is nothing to show."""
    if not dates:
        return None
    scale, starts = _columns(today, dates[-1][0])
    sums = [0] * len(starts)
    soon = [False] * len(starts)
    for on, points in dates:
        # What is overdue and waits for a notice stands in the first column, what lies too far off in the last.
        place = max(0, sum(start <= on for start in starts) - 1)
        sums[place] += points
        soon[place] |= on <= today + SOON
    tallest = max(sums)
    columns = [
        _column(place, len(starts), scale, start, points, tallest, soon[place])
        for place, (start, points) in enumerate(zip(starts, sums, strict=True))
    ]
    if starts[-1] + scale.step <= dates[-1][0]:
        columns[-1] = replace(columns[-1], name=_("%(year)s and later") % {"year": columns[-1].name})
    description = "; ".join(
        f"{column.name}: {words.points(column.points, unit)}" for column in columns if column.points
    )
    return Chart(columns, description, any(soon))


def _columns(today: date, last: date) -> tuple[Scale, list[date]]:
    """The finest scale that needs no more than MOST_COLUMNS from today to `last`, and where its columns begin."""
    for scale in SCALES:
        starts = [scale.start(today)]
        while len(starts) <= MOST_COLUMNS and starts[-1] + scale.step <= last:
            starts.append(starts[-1] + scale.step)
        if len(starts) <= MOST_COLUMNS:
            break
    return scale, starts[:MOST_COLUMNS]


def _column(place: int, count: int, scale: Scale, start: date, points: int, tallest: int, soon: bool) -> Column:
    share = 100 / count
    height = max(3, round(points / tallest * FULL_HEIGHT)) if points else 0
    width = min(share * 0.64, 14)
    middle = share * (place + 0.5)
    return Column(
        name=scale.name(start),
        label=scale.label(start),
        year=str(start.year) if place == 0 or start.year != (start - scale.step).year else "",
        points=points,
        value=number_format(points, force_grouping=True),
        soon=soon,
        left=f"{middle - width / 2:.2f}%",
        middle=f"{middle:.2f}%",
        width=f"{width:.2f}%",
        top=str(BASELINE - height),
        height=str(height),
        value_top=str(BASELINE - height - 7),
    )


def _quarter(day: date) -> dict[str, int]:
    return {"number": (day.month + 2) // 3, "year": day.year}


# Finest first. The formats are translated, because languages order a date differently.
SCALES = (
    Scale(
        start=lambda day: day,
        step=relativedelta(days=1),
        label=lambda day: date_format(day, pgettext("format of a day below a chart", "j M")),
        name=words.day,
    ),
    Scale(
        start=lambda day: day.replace(day=1),
        step=relativedelta(months=1),
        label=lambda day: date_format(day, pgettext("format of a month below a chart", "M")),
        name=lambda day: date_format(day, "YEAR_MONTH_FORMAT"),
    ),
    Scale(
        start=lambda day: date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        step=relativedelta(months=3),
        label=lambda day: pgettext("a quarter of a year, short", "Q%(number)d") % _quarter(day),
        name=lambda day: _("quarter %(number)d of %(year)d") % _quarter(day),
    ),
    Scale(
        start=lambda day: date(day.year, 1, 1),
        step=relativedelta(years=1),
        label=lambda day: "",
        name=lambda day: str(day.year),
    ),
)
