import pytest

from alerts.admin.lengths import in_words, longest
from alerts.texts.sms_length import Length, PriceClass
from alerts.texts.words import PAID_POINTS, Words

TEXT = "{{ points }}{{ unit }} {{ last_day }} {{ link }}"


def said(programme, text: str, channel: str = "sms") -> str:
    return longest(programme=programme, channel=channel, language="ko", words=Words(text))


def test_a_length_in_words():
    assert in_words(Length(PriceClass.GSM7, 170, 306, 2)) == "GSM-7 × 2, 170/306"


def test_an_sms_is_counted_in_korea_and_elsewhere(byeol, settings):
    settings.SITE_URL = "https://byeol.example"
    # 10 digits with 3 commas, “P”, “2026년 12월 30일” and the link.
    assert said(byeol, TEXT) == "Korea: SMS × 1, 54/90 · elsewhere: UCS-2 × 1, 51/70"


def test_an_alimtalk_goes_to_korea_only_and_an_email_is_not_counted(byeol):
    assert said(byeol, f"{TEXT} {PAID_POINTS}", "alimtalk").startswith("Korea: AlimTalk × 1, ")
    assert "elsewhere" not in said(byeol, TEXT, "alimtalk")
    assert said(byeol, TEXT, "email") == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ pionts }}", "“pionts” is no variable that templates know."),
        ("가" * 1_100, "Korea: It has 2200 bytes; an LMS has room for 2000. · elsewhere: It needs"),
    ],
)
def test_what_cannot_be_sent_says_so(byeol, text, words):
    assert said(byeol, text).startswith(words)
