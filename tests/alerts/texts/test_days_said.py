"""Whether words say a day: what counts as saying it, and what only looks like it."""

from datetime import date, timedelta

import pytest

from alerts.texts import wording
from alerts.texts.days_said import says_the_day, says_the_month

DAY, IN_ANOTHER_MONTH = date(2026, 9, 30), date(2026, 12, 30)
FIXED = "1588-0930 30% 9,999 Sep. "


def said(source: str, day: date, language: str) -> str:
    values = dict.fromkeys(wording.VARIABLES, "") | {"last_day": day}
    return wording.read(FIXED + source).write(values, language=language)


def found(source: str, language: str) -> tuple[bool, bool]:
    """Whether it says the day, and the month."""
    written = said(source, DAY, language)
    return (
        says_the_day(DAY, written, on_another_day=said(source, DAY - timedelta(weeks=1), language)),
        says_the_month(DAY, written, in_another_month=said(source, IN_ANOTHER_MONTH, language), language=language),
    )


BOTH = ["", "Y-m-d", "Y.n.j", "n월 j일", "Y년 n월 j일", "j F Y", "jS M", "d/m", "m/d", "N j", "j b", "j E", "c"]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("form", BOTH)
def test_every_usual_form_of_day_and_month_counts(form, language):
    source = f'{{{{ last_day|date:"{form}" }}}}' if form else "{{ last_day }}"
    assert found(source, language) == (True, True)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("form", "says"),
    [
        *(("Y", (False, False)), ("l", (False, False)), ("z", (False, False)), ("W", (False, False))),
        *(("t", (False, False)), ("j", (True, False)), ("jS", (True, False)), ("F", (False, True))),
        *(("n", (False, True)), ("Y-m", (False, True)), ("Ymd", (False, False))),
    ],
)
def test_a_part_of_the_day_says_no_more_than_it_says(form, says, language):
    assert found(f'{{{{ last_day|date:"{form}" }}}}', language) == says


@pytest.mark.parametrize("source", ["", "30.9.", "{% if name %}{{ last_day }}{% endif %}"])
def test_a_number_that_merely_stands_there_says_nothing(source):
    assert found(source, "en") == (False, False)


def test_a_month_is_read_in_the_language_of_the_words():
    written = "30 September"
    assert says_the_month(DAY, written, in_another_month="30 December", language="en")
    assert not says_the_month(DAY, written, in_another_month="30 December", language="ko")
