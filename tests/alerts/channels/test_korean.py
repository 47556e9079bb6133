"""What the Korean transports share, and what they refuse before any call is made."""

from dataclasses import replace

import pytest

from alerts.channels import open_channel
from alerts.channels.korean import LMS, SMS, TITLE_BYTES, digits, kind_of, title
from alerts.errors import Rejected
from tests.alerts.channels.conftest import message


def test_ninety_bytes_in_cp949_are_an_sms_and_one_more_is_an_lms():
    assert kind_of("가" * 45) == SMS
    assert kind_of("가" * 45 + ".") == LMS
    assert kind_of("가" * 1_000) == LMS


@pytest.mark.parametrize(("text", "answer"), [("가" * 1_000 + ".", "too_long"), ("𠮷", "encoding")])
def test_what_no_korean_telephone_can_show_is_refused(text, answer):
    with pytest.raises(Rejected) as refused:
        kind_of(text)
    assert refused.value.answer == answer
    assert text not in str(refused.value)


def test_numbers_are_national_digits_and_others_are_refused():
    assert digits("+821012345678") == "01012345678"
    with pytest.raises(Rejected) as refused:
        digits("+15005550006")
    assert refused.value.answer == "not_korean"


@pytest.mark.parametrize("transport", ["solapi", "nhn"])
@pytest.mark.parametrize(
    ("to", "text", "answer"),
    [
        ("+821012345678", "𠮷", "encoding"),
        ("+821012345678", "가" * 1_001, "too_long"),
        ("+15005550006", "points", "not_korean"),
    ],
)
def test_nothing_is_called_for_a_message_that_cannot_be_shown(fake, settings, transport, to, text, answer):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": transport}
    asked = message("sms", to=to)
    asked = replace(asked, text=replace(asked.text, text=text))
    with open_channel("sms") as channel, pytest.raises(Rejected) as refused:
        channel.send(asked)
    assert refused.value.answer == answer
    assert (refused.value.bad_address, refused.value.asked) == (False, False)
    assert fake.journal.all() == []


@pytest.mark.parametrize("transport", ["solapi", "nhn"])
def test_a_long_text_goes_as_lms(fake, settings, transport):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": transport}
    asked = message("sms")
    asked = replace(asked, text=replace(asked.text, text="가" * 46))
    with open_channel("sms") as channel:
        assert channel.send(asked).provider_id
    assert [taken.text for taken in fake.journal.all()] == ["가" * 46]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[별] 1,200P, 2026.3.31까지 사용하세요.\nhttps://x", "[별] 1,200P, 2026.3.31까지 사용하세요."),
        ("가" * 21, "가" * 20),
        ("a" + "가" * 20, "a" + "가" * 19),  # no half of a letter
        ("가나 " + "다" * 20, "가나"),
        ("\n [별] 안내 \n" + "가" * 50, "[별] 안내"),
        ("x" * 40 + " y", "x" * 40),
    ],
)
def test_the_title_of_an_lms_is_the_first_words_that_fit(text, expected):
    found = title(text)
    assert found == expected
    assert 0 < len(found.encode("cp949")) <= TITLE_BYTES
