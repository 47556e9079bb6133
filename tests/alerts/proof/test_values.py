from datetime import date, time

from django.utils import translation

from alerts.proof.values import readable
from alerts.sending.deliveries import variables
from alerts.texts.words import Telling

SAID = variables(
    Telling(
        programme="Byeol",
        unit="P",
        points=1_200,
        last_day=date(2026, 3, 31),
        days_left=60,
        link="https://byeol.example/points",
        name="Minji",
    )
)


def test_values_are_told_in_words_and_empty_ones_not_at_all():
    assert readable(dict(sorted(SAID.items()))) == [
        "programme: Byeol",
        "points: 1,200P",
        "last day: 2026-03-31",
        "60 days before",
        "https://byeol.example/points",
    ]
    with translation.override("ko"):
        assert readable(SAID)[1] == "포인트: 1,200P"


def test_a_time_on_the_last_day_stands_beside_it():
    told = readable(SAID | {"last_time": str(time(16, 0))})
    assert told[2:4] == ["last day: 2026-03-31 16:00", "60 days before"]


def test_values_of_other_words_than_todays_are_told_as_they_are():
    assert readable({"points": 0, "shop": "Seoul", "unit": "", "last_time": None}) == ["points: 0", "shop: Seoul"]
    assert readable({"last_time": "16:00", "unit": "P"}) == ["last_time: 16:00", "unit: P"]
    assert readable({}) == []
