import pytest

from alerts.errors import CannotBeWritten
from alerts.texts.encoding import encoded, fits, substituted


def test_every_modern_syllable_fits():
    assert fits("".join(chr(code) for code in range(0xAC00, 0xD7A4)))


@pytest.mark.parametrize("text", ["🌸", "é", "𠮷", "\u1112\u119e\u11ab", "\u1106\u1175"])
def test_the_first_character_that_does_not_fit_is_named_by_its_number(text):
    assert not fits(text)
    with pytest.raises(CannotBeWritten) as refusal:
        encoded(f"별{text}", field="name")
    assert refusal.value.field == "name"
    assert f"U+{ord(text[0]):04X}" in refusal.value.detail
    assert text not in refusal.value.detail


def test_bytes_are_two_for_hangul_and_one_for_latin():
    assert encoded("별B") == b"\xba\xb0B"


@pytest.mark.parametrize(
    ("value", "substitute"),
    [
        ("", ""),
        ("Ａ—B", "Ａ-B"),  # the wide A is in cp949
        ("é", "e"),
        ("e\u0301", "e"),
        ("\uf900", "\u8c48"),  # a Hanja that Unicode has twice
        ("a\u00a0b", "a b"),
        ("🌸a\u200d", "a"),
        ("ᴀ", None),
        ("ɨ", "i"),
        ("Ɨ", "I"),
        ("㐀", None),
        ("ไทย", None),
    ],
)
def test_substitutes_are_readable_or_there_is_none(value, substitute):
    assert substituted(value) == substitute
    assert substitute is None or fits(substitute)
