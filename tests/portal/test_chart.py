from datetime import date, timedelta

import pytest
from django.utils.translation import override

from portal.chart import BASELINE, FULL_HEIGHT, draw

TODAY = date(2025, 3, 10)


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def test_nothing_to_show_is_no_picture():
    assert draw([], TODAY, "P") is None


def test_months_without_points_keep_their_place():
    chart = draw([(date(2025, 3, 31), 1200), (date(2025, 6, 30), 300)], TODAY, "P")

    assert chart is not None
    assert [(column.label, column.year, column.points) for column in chart.columns] == [
        ("Mar", "2025", 1200),
        ("Apr", "", 0),
        ("May", "", 0),
        ("Jun", "", 300),
    ]
    assert chart.description == "March 2025: 1,200 P; June 2025: 300 P"


def test_heights_follow_the_points():
    chart = draw([(date(2025, 3, 31), 1200), (date(2025, 4, 30), 300), (date(2025, 5, 31), 1)], TODAY, "P")

    assert chart is not None
    assert [column.height for column in chart.columns] == [str(FULL_HEIGHT), str(FULL_HEIGHT // 4), "3"]
    assert [column.top for column in chart.columns] == [str(BASELINE - int(c.height)) for c in chart.columns]


def test_places_are_in_per_cent_and_the_same_in_every_language():
    def places() -> list[tuple[str, str, str]]:
        chart = draw([(date(2025, 3, 31), 1), (date(2025, 6, 30), 1)], TODAY, "P")
        assert chart is not None
        return [(column.left, column.middle, column.width) for column in chart.columns]

    assert places()[0] == ("5.50%", "12.50%", "14.00%")
    with override("ko"):
        assert places()[0] == ("5.50%", "12.50%", "14.00%")


@pytest.mark.parametrize(
    ("days", "columns", "first", "last"),
    [
        (0, 1, "March 10, 2025", "March 10, 2025"),
        (12, 13, "March 10, 2025", "March 22, 2025"),
        (13, 1, "March 2025", "March 2025"),
        (386, 13, "March 2025", "March 2026"),
        (400, 6, "quarter 1 of 2025", "quarter 2 of 2026"),
        (3650, 11, "2025", "2035"),
        (9000, 13, "2025", "2037 and later"),
    ],
)
def test_the_scale_is_the_finest_that_fits(days: int, columns: int, first: str, last: str):
    chart = draw([(TODAY + timedelta(days=days), 5)], TODAY, "P")

    assert chart is not None
    assert (len(chart.columns), chart.columns[0].name, chart.columns[-1].name) == (columns, first, last)
    assert sum(column.points for column in chart.columns) == 5


def test_points_past_their_day_stand_in_the_first_column():
    chart = draw([(date(2025, 2, 28), 70), (date(2025, 4, 30), 30)], TODAY, "P")

    assert chart is not None
    assert [(column.points, column.soon) for column in chart.columns] == [(70, True), (30, False)]


def test_soon_is_within_thirty_days():
    chart = draw([(TODAY + timedelta(days=30), 1), (TODAY + timedelta(days=60), 1)], TODAY, "P")

    assert chart is not None
    assert chart.any_soon
    assert [column.soon for column in chart.columns] == [False, True, False]
