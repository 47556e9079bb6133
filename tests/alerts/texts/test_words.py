import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from alerts.errors import CannotBeWritten
from alerts.texts.words import (
    CHANNELS,
    LANGUAGES,
    PAID_POINTS,
    Telling,
    Text,
    Words,
    built_in,
    ending,
    measure,
    widest,
    write,
)

TELLING = Telling(
    programme="Byeol & Co <1>",
    unit="P",
    points=1_234_567,
    last_day=date(2026, 3, 31),
    days_left=60,
    link="https://points.example/",
)


def render(telling, language, channel="email"):
    return write(built_in(channel, language), telling, channel=channel, language=language)


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


def test_a_korean_sms_is_a_short_one():
    text = render(replace(TELLING, programme="Byeol"), "ko", "sms").text
    assert text == "[Byeol] 1,234,567P, 2026.3.31까지 사용하세요. 이후 소멸\nhttps://points.example/"
    assert measure(text, channel="sms", korean_number=True).used == 79


def test_an_alimtalk_says_of_which_points_it_speaks():
    for language in LANGUAGES:
        assert render(TELLING, language, "alimtalk").text.endswith(PAID_POINTS)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_built_in_words_carry_the_longest_values_in_every_turn(channel, language):
    for telling in widest(replace(TELLING, programme="가" * 100, unit="가" * 12)):
        text = write(built_in(channel, language), telling, channel=channel, language=language)
        assert "9,999,999,999" in text.text
        assert "https://points.example/" in text.text


@pytest.mark.parametrize(("days_left", "words"), [(1, "(tomorrow)"), (0, "(today)")])
def test_the_last_days_are_named(days_left, words):
    assert words in render(replace(TELLING, days_left=days_left), "en").text
    assert render(replace(TELLING, days_left=0), "ko").text.count("(오늘까지)") == 1


def test_names_are_escaped_in_html_only():
    text = render(replace(TELLING, name="<b>Minji</b>"), "en")
    assert "Byeol &amp; Co &lt;1&gt;" in text.html
    assert "&lt;b&gt;Minji&lt;/b&gt;" in text.html
    assert "<b>Minji" not in text.html
    assert "Hello <b>Minji</b> from Byeol & Co <1>" in text.text


def test_a_value_is_one_line_and_no_template():
    text = render(replace(TELLING, programme="Byeol\r\nBcc: x@example.com {{ link }}"), "en")
    assert text.subject.startswith("[Byeol Bcc: x@example.com {{ link }}] ")
    assert "\n" not in text.subject


def test_a_language_without_words_gets_korean():
    assert render(TELLING, "fr") == render(TELLING, "ko")


def test_the_hash_changes_with_the_words():
    assert len(render(TELLING, "ko").hash) == 64
    assert render(TELLING, "ko").hash == render(TELLING, "ko").hash
    assert render(TELLING, "ko").hash != render(replace(TELLING, points=1), "ko").hash


def test_the_hash_covers_each_part_that_a_reader_sees():
    """Most see the HTML alone."""
    text = Text("subject", "text", "<p>html</p>")
    others = [replace(text, subject="other"), replace(text, text="other"), replace(text, html="other")]
    assert len({text.hash, *(other.hash for other in others)}) == 4
    assert text.hash == hashlib.sha256(b"subject\ntext\n<p>html</p>").hexdigest()
    assert replace(text, html="").hash == hashlib.sha256(b"subject\ntext").hexdigest()  # an SMS has none


@pytest.mark.parametrize(
    ("zone", "there"),
    [
        ("Asia/Seoul", (date(2026, 3, 31), None)),
        ("Europe/London", (date(2026, 3, 31), time(16))),  # summer time since 29 March
        ("America/New_York", (date(2026, 3, 31), time(11))),
        ("Pacific/Auckland", (date(2026, 4, 1), time(4))),
    ],
)
def test_points_end_on_the_members_own_day_and_at_the_time_on_it(zone, there):
    assert ending(datetime(2026, 3, 31, 15, tzinfo=UTC), ZoneInfo(zone)) == there


def test_the_time_is_said_where_the_day_does_not_end_with_the_points():
    abroad = replace(TELLING, last_time=time(16))
    assert "2026년 3월 31일 (화요일) 16:00까지입니다." in render(abroad, "ko").text
    assert "Tuesday, 31 March 2026, 16:00 (60 days from today)" in render(abroad, "en").text
    assert "2026.3.31 16:00까지" in render(abroad, "ko", "sms").text


# What becomes of a name in an SMS to a Korean number; None: the greeting goes without it, and the message goes.
NAMES = [
    ("김민지", "김민지"),
    ("뷁쀍", "뷁쀍"),  # rare syllables, which cp949 has
    ("민지".encode().decode(), "민지"),
    ("\u1106\u1175\u11ab\u110c\u1175", "민지"),  # in single letters, as macOS writes them
    ("金民芝", "金民芝"),
    ("𠮷田", None),  # a Hanja outside cp949
    ("\u1112\u119e\u11ab별", None),  # an old syllable
    ("민지🌸", "민지"),
    ("👩🏽‍💻민지", "민지"),
    ("José Nuñez", "Jose Nunez"),
    ("z\u0351oe\u0308", "zoe"),
    ("🌸", None),
    ("Мария", "Мария"),  # Cyrillic without marks is in cp949
    ("สมชาย", None),
]


@pytest.mark.parametrize("channel", ["sms", "alimtalk"])
@pytest.mark.parametrize(("name", "written"), NAMES)
def test_no_text_is_lost_because_a_name_cannot_be_encoded(channel, name, written):
    words = Words("{% if name %}{{ name }}, {% endif %}{{ points }}P")
    text = write(words, replace(TELLING, name=name), channel=channel, language="ko").text
    assert text == (f"{written}, 1,234,567P" if written else "1,234,567P")
    text.encode("cp949")


def test_elsewhere_and_by_e_mail_a_name_stays_as_it_is():
    words = Words("{% if name %}{{ name }}{% endif %}", "{{ points }}", "<p>{{ points }}</p>")
    abroad = replace(TELLING, name="𠮷田🌸", korean_number=False)
    assert write(words, abroad, channel="sms", language="en").text == "𠮷田🌸"
    assert write(words, replace(abroad, korean_number=True), channel="email", language="ko").text == "𠮷田🌸\n"


@pytest.mark.parametrize("field", ["programme", "unit"])
def test_a_programmes_name_or_unit_without_a_substitute_is_refused_by_name(field):
    with pytest.raises(CannotBeWritten) as refusal:
        render(replace(TELLING, **{field: "🌸"}), "ko", "sms")  # type: ignore[arg-type]  # both are texts
    assert refusal.value.field == field


def test_what_is_too_long_for_the_channel_is_refused():
    long = Words("가" * 1_001)
    for channel, korean_number in [("sms", True), ("sms", False), ("alimtalk", True)]:
        with pytest.raises(CannotBeWritten) as refusal:
            write(long, replace(TELLING, korean_number=korean_number), channel=channel, language="ko")
        assert refusal.value.field == "text"
    with pytest.raises(CannotBeWritten) as refusal:
        write(replace(long, subject="x" * 301), TELLING, channel="email", language="ko")
    assert refusal.value.field == "subject"
