import pytest

from alerts.errors import CannotBeWritten
from alerts.texts.sms_length import Length, PriceClass, alimtalk, elsewhere, korean


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("가" * 45, Length(PriceClass.SMS, 90, 90)),
        ("가" * 45 + "a", Length(PriceClass.LMS, 91, 2_000)),
        ("가" * 1_000, Length(PriceClass.LMS, 2_000, 2_000)),
        ("\n" * 90, Length(PriceClass.SMS, 90, 90)),
    ],
)
def test_korea_counts_bytes(text, length):
    assert korean(text) == length


@pytest.mark.parametrize("text", ["가" * 1_000 + "a", "🌸"])
def test_more_than_an_lms_or_outside_cp949_is_refused(text):
    with pytest.raises(CannotBeWritten):
        korean(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a" * 160, Length(PriceClass.GSM7, 160, 160)),
        ("a" * 161, Length(PriceClass.GSM7, 161, 306, 2)),
        ("a" * 306, Length(PriceClass.GSM7, 306, 306, 2)),
        ("a" * 307, Length(PriceClass.GSM7, 307, 459, 3)),
        ("€" * 80, Length(PriceClass.GSM7, 160, 160)),
        ("€" * 153, Length(PriceClass.GSM7, 306, 459, 3)),  # 76 in a segment: an escape is not torn from its letter
        ("가" * 70, Length(PriceClass.UCS2, 70, 70)),
        ("가" * 71, Length(PriceClass.UCS2, 71, 134, 2)),
        ("🌸" * 35, Length(PriceClass.UCS2, 70, 70)),
        ("🌸" * 67, Length(PriceClass.UCS2, 134, 201, 3)),  # 33 in a segment
        ("a" * 1_530, Length(PriceClass.GSM7, 1_530, 1_530, 10)),
    ],
)
def test_elsewhere_counts_segments(text, length):
    assert elsewhere(text) == length


@pytest.mark.parametrize("text", ["a" * 1_531, "가" * 671])
def test_more_than_ten_segments_are_refused(text):
    with pytest.raises(CannotBeWritten, match="11 segments"):
        elsewhere(text)


def test_an_alimtalk_counts_characters_and_fits_an_lms():
    assert alimtalk("가" * 1_000) == Length(PriceClass.ALIMTALK, 1_000, 1_000)
    for text in ("a" * 1_001, "🌸"):
        with pytest.raises(CannotBeWritten):
            alimtalk(text)
