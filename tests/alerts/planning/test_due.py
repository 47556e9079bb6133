from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from alerts.planning.due import Offset, due_at, due_offset, due_on, horizon

SEOUL = ZoneInfo("Asia/Seoul")
LAST_DAY = date(2026, 3, 31)
OFFSETS = [Offset(60), Offset(30), Offset(3)]


def test_a_reminder_is_due_so_many_days_before_the_last_day():
    assert due_on(LAST_DAY, 60) == date(2026, 1, 30)
    assert due_on(LAST_DAY, 0) == LAST_DAY


def test_it_is_due_from_the_first_instant_of_that_day_in_the_programmes_zone():
    assert due_at(LAST_DAY, 30, SEOUL) == datetime(2026, 2, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "offset"),
    [
        (date(2026, 1, 29), None),  # 61 days before: nothing is due
        (date(2026, 1, 30), 60),
        (date(2026, 2, 28), 60),  # 31 days before
        (date(2026, 3, 1), 30),
        (date(2026, 3, 27), 30),
        (date(2026, 3, 28), 3),
        (date(2026, 3, 31), 3),  # the last day itself
    ],
)
def test_of_several_due_offsets_only_the_nearest_counts(today, offset):
    assert due_offset(OFFSETS, today=today, expires_on=LAST_DAY, points=1) == offset


def test_an_offset_that_is_not_worth_so_few_points_is_passed_over():
    offsets = [Offset(60, least_points=10), Offset(30, least_points=500)]
    today = date(2026, 3, 10)
    assert due_offset(offsets, today=today, expires_on=LAST_DAY, points=500) == 30
    assert due_offset(offsets, today=today, expires_on=LAST_DAY, points=499) == 60
    assert due_offset(offsets, today=today, expires_on=LAST_DAY, points=9) is None


def test_the_horizon_is_the_end_of_the_last_day_that_the_widest_offset_reaches():
    assert horizon(OFFSETS, today=date(2026, 1, 30), zone=SEOUL) == datetime(2026, 4, 1, tzinfo=SEOUL)
    assert horizon([], today=date(2026, 1, 30), zone=SEOUL) is None
