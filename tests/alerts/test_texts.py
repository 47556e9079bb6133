from dataclasses import replace
from datetime import date

import pytest

from alerts.texts import Telling, render

TELLING = Telling(
    programme="Byeol & Co <1>",
    unit="P",
    points=1_234_567,
    last_day=date(2026, 3, 31),
    days_left=60,
    link="https://points.example/",
)


def test_the_korean_reminder_says_how_many_until_when_what_to_do_and_where_to_look():
    text = render(TELLING, "ko")
    assert text.subject == "[Byeol & Co <1>] 3월 31일까지 쓸 수 있는 포인트 1,234,567P 안내"
    assert "1,234,567P의 유효기간이\n2026년 3월 31일 (화요일)까지입니다. (60일 남음)" in text.text
    assert "그 전에 사용해 주세요." in text.text
    assert "https://points.example/" in text.text
    assert "<strong>1,234,567P</strong>" in text.html
    assert '<html lang="ko">' in text.html


def test_the_english_reminder_says_the_same():
    text = render(TELLING, "en")
    assert text.subject == "[Byeol & Co <1>] 1,234,567 P can be used until 31 March"
    assert "1,234,567 P of your points can be used until\nTuesday, 31 March 2026 (60 days from today)." in text.text
    assert "Please use them before." in text.text
    assert "https://points.example/" in text.text
    assert '<html lang="en">' in text.html


@pytest.mark.parametrize(("days_left", "words"), [(1, "(tomorrow)"), (0, "(today)")])
def test_the_last_days_are_named(days_left, words):
    assert words in render(replace(TELLING, days_left=days_left), "en").text
    assert render(replace(TELLING, days_left=0), "ko").text.count("(오늘까지)") == 1


def test_names_are_escaped_in_html_only():
    text = render(TELLING, "en")
    assert "Byeol &amp; Co &lt;1&gt;" in text.html
    assert "Byeol & Co <1>" in text.text


def test_a_subject_is_one_line():
    assert "\n" not in render(replace(TELLING, programme="Byeol\r\nBcc: x@example.com"), "en").subject


def test_a_language_without_templates_gets_korean():
    assert render(TELLING, "fr") == render(TELLING, "ko")


def test_the_hash_changes_with_the_words():
    assert len(render(TELLING, "ko").hash) == 64
    assert render(TELLING, "ko").hash == render(TELLING, "ko").hash
    assert render(TELLING, "ko").hash != render(replace(TELLING, points=1), "ko").hash
