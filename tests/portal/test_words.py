from datetime import date, datetime

from django.utils.translation import override

from portal import words
from tests.builders import SEOUL


def test_points_are_written_by_locale_with_the_unit():
    with override("en"):
        assert words.points(1234567, "P") == "1,234,567 P"
    with override("ko"):
        assert words.points(1234567, "P") == "1,234,567P"


def test_signed_points_say_their_direction():
    with override("en"):
        assert [words.signed_points(n, "P") for n in (1200, -50, 0)] == ["+1,200 P", "−50 P", "0 P"]


def test_a_day_is_written_in_full():
    with override("en"):
        assert words.day(date(2025, 3, 31)) == "March 31, 2025"
    with override("ko"):
        assert words.day(date(2025, 3, 31)) == "2025년 3월 31일"


def test_a_moment_has_its_day_and_its_time():
    at = datetime(2025, 3, 31, 9, 5, tzinfo=SEOUL)
    with override("en"):
        assert words.moment(at) == "March 31, 2025, 09:05"
    with override("ko"):
        assert words.moment(at) == "2025년 3월 31일 09:05"
