"""A notice or advertising, never a mix; and the marks that belong on each."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.errors import BadInput
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.texts import classifying
from alerts.texts.classifying import Marks, classify, marks_of, refused_of
from alerts.texts.words import PAID_POINTS, Words, built_in
from ledger.kinds import Origin

TEXT = "{{ points }}{{ unit }} {{ last_day }} {{ link }}"


def codes(words: Words, **more: Any) -> list[tuple[str, str]]:
    """(code, field) of everything for which a Korean SMS notice, or what is told instead, is refused."""
    facts: dict[str, Any] = {"purpose": "notice", "channel": "sms", "language": "ko"}
    return [(refusal.code, refusal.field) for refusal in classify(words=words, **(facts | more)).refusals]


def sms_ad(text: str) -> list[tuple[str, str]]:
    return codes(Words(text), purpose="advertising")


def test_purposes_and_channels_are_those_of_the_tables():
    assert list(classifying.PURPOSES) == Purpose.values
    assert list(classifying.CHANNELS) == Channel.values


@pytest.mark.parametrize("channel", ["email", "sms", "alimtalk"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_built_in_words_are_notices(channel, language):
    found = classify(purpose="notice", channel=channel, language=language, words=built_in(channel, language))
    assert found.refusals == ()
    assert found.marks == Marks(says=PAID_POINTS if channel == "alimtalk" else "")


@pytest.mark.parametrize("purpose", ["advertising", "night_advertising"])
def test_advertising_in_korea_begins_with_the_mark_in_every_language(purpose):
    assert marks_of(purpose=purpose, channel="sms", language="ko") == Marks("(광고)", "text")
    assert marks_of(purpose=purpose, channel="email", language="en") == Marks("(광고)", "subject")
    assert marks_of(purpose=purpose, channel="sms", language="ko", country="CA-QC") == Marks("(광고)", "text")
    assert marks_of(purpose=purpose, channel="sms", language="en", country="CA-QC") == Marks("", "text")


def test_advertising_with_its_mark_may_go():
    assert sms_ad("(광고)별 오늘만 50% 할인") == []
    assert codes(Words("별", subject="(광고) 별"), purpose="advertising", channel="email") == []
    assert codes(Words("Byeol"), purpose="advertising", language="en", country="CA-ON") == []


@pytest.mark.parametrize(
    "text",
    [
        "(광 고) 별", "[광고] 별", "광고) 별", "(광고 별", "( 광고 ) 별", "(광.고) 별", "(광/고)별", "（광고）별",
        "<광고>별", "【광고】별", "(廣告) 별", "(AD) 별", "[ad] Byeol", "(\u200b광고) 별", "(광\u200b고) 별",
        "“(광 고)” 별", " [광고] 별", "(대출광고) 별",
    ],
)  # fmt: skip
def test_what_is_nearly_the_mark_is_named_as_such(text):
    assert sms_ad(text) == [("mark_nearly", "text")]


def test_the_near_miss_stands_in_the_words_for_people():
    (refusal,) = classify(purpose="advertising", channel="sms", language="ko", words=Words("[광고] 별")).refusals
    assert "“[광고]”" in refusal.words
    assert "(광고)" in refusal.words


@pytest.mark.parametrize(
    "text", [" (광고) 별", "\n(광고) 별", "\ufeff(광고) 별", "별 (광고)", "{% if name %}(광고){% endif %}"]
)
def test_the_mark_stands_at_the_very_beginning(text):
    assert sms_ad(text) == [("mark_not_first", "text")]


@pytest.mark.parametrize("text", ["별 50% 할인", "광고 별", "address", "Adieu", "별 [광고]"])
def test_advertising_without_the_mark_is_refused(text):
    assert sms_ad(text) == [("mark_missing", "text")]


def test_of_an_email_it_is_the_subject_that_begins_so():
    words = Words("(광고) 별", subject="별", html="(광고) 별")
    assert codes(words, purpose="advertising", channel="email") == [("mark_missing", "subject")]


def test_a_notice_bears_no_mark_and_no_near_miss_of_one():
    assert codes(Words(f"(광고) {TEXT}")) == [("mark_on_a_notice", "text")]
    assert codes(Words(f"{TEXT} (광고)")) == [("mark_on_a_notice", "text")]
    assert codes(Words(f"[광고] {TEXT}")) == [("mark_nearly", "text")]
    assert codes(Words(f"{TEXT} (광 고)")) == [("mark_nearly", "text")]
    assert codes(Words(f"광고) {TEXT}")) == [("mark_nearly", "text")]
    assert codes(Words(TEXT, subject="(광고) 별"), channel="email") == [("mark_on_a_notice", "subject")]
    assert codes(Words(f"{TEXT} (광고 수신 동의는 홈페이지에서)")) == []


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("지금 쓰면 10% 할인", "할인"), ("쿠폰도 드려요", "쿠폰"), ("이벤트 참여", "이벤트"),
        ("무료 수신거부 080-000-0000", "무료 수신거부"), ("Get 20% off", "0% off"), ("Use your Coupon", "Coupon"),
    ],
)  # fmt: skip
def test_advertising_inside_a_notice_is_refused_naming_the_word(more, word):
    (refusal,) = classify(purpose="notice", channel="sms", language="ko", words=Words(f"{TEXT} {more}")).refusals
    assert (refusal.code, refusal.field) == ("advertising_in_a_notice", "text")
    assert f"“{word}”" in refusal.words
    assert codes(Words(TEXT, subject="x", html=f"<p>{more}</p>"), channel="email") == [
        ("advertising_in_a_notice", "html")
    ]


@pytest.mark.parametrize(
    "text", ["※ 고객님의 유료 구매로 지급된 포인트 안내입니다", "고객님의 유료 구매로 지급된 포인트 안내입니다.", ""]
)
def test_an_alimtalk_says_of_which_points_it_speaks_word_for_word(text):
    assert codes(Words(f"{TEXT} {text}"), channel="alimtalk") == [("sentence_missing", "text")]
    assert codes(Words(f"{TEXT} {PAID_POINTS}"), channel="alimtalk", language="en") == []
    assert codes(Words(f"{TEXT} {text}")) == []


def test_an_alimtalk_speaks_of_points_from_purchases_alone():
    def refused(*origins: str, channel: str = "alimtalk") -> str | None:
        refusal = refused_of(purpose="notice", channel=channel, origins=frozenset(origins))
        return refusal.code if refusal else None

    assert refused(Origin.PURCHASE) is None
    assert refused() is None
    for other in set(Origin) - {Origin.PURCHASE}:
        assert refused(other) == refused(Origin.PURCHASE, other) == "other_points_in_alimtalk"
        assert refused(other, channel="sms") is refused(other, channel="email") is None
    refusal = refused_of(purpose="notice", channel="alimtalk", origins=["purchase", "promotion", "adjustment"])
    assert refusal
    assert refusal.words.endswith("adjustment, promotion.")


def test_no_advertising_goes_by_alimtalk():
    words = Words(f"(광고) 별 {PAID_POINTS}")
    for purpose in ("advertising", "night_advertising"):
        assert codes(words, purpose=purpose, channel="alimtalk") == [("advertising_by_alimtalk", "purpose")]
        refusal = refused_of(purpose=purpose, channel="alimtalk", origins=frozenset({Origin.PURCHASE}))
        assert refusal
        assert refusal.code == "advertising_by_alimtalk"


def test_everything_is_said_at_once():
    found = codes(Words(f"(광고) {TEXT} 할인"), channel="alimtalk", origins=frozenset({Origin.PROMOTION}))
    assert found == [
        ("other_points_in_alimtalk", "origins"),
        ("mark_on_a_notice", "text"),
        ("advertising_in_a_notice", "text"),
        ("sentence_missing", "text"),
    ]


@pytest.mark.parametrize(
    ("field", "more"),
    [("purpose", {"purpose": "x"}), ("channel", {"channel": "fax"}), ("origins", {"origins": {"found"}})],
)
def test_what_is_not_known_is_refused_at_its_field(field, more):
    with pytest.raises(BadInput) as refusal:
        codes(Words(TEXT), **more)
    assert refusal.value.field == field
