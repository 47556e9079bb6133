import pytest

from alerts import phones
from alerts.errors import BadInput


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("010-1234-5678", "+821012345678"),
        ("+82 10 1234 5678", "+821012345678"),
        ("01012345678", "+821012345678"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
def test_a_number_is_kept_as_e164(written, kept):
    assert phones.parse(written) == kept


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "This is no telephone number."),
        ("minji", "This is no telephone number."),
        ("010-12", "This is no telephone number."),
        ("02-312-3456", "This number cannot receive SMS."),
        ("1588-0000", "This number cannot receive SMS."),
    ],
)
def test_a_number_that_cannot_receive_is_refused_by_name(written, words):
    with pytest.raises(BadInput) as raised:
        phones.parse(written, field="phone")
    assert (raised.value.field, raised.value.detail) == ("phone", words)


def test_korean_providers_get_national_digits():
    assert phones.korean_digits("+821012345678") == "01012345678"
    assert phones.korean_digits("+14155552671") is None
    assert phones.korean_digits("minji") is None


def test_people_read_a_number_as_they_write_it():
    assert phones.readable("+821012345678") == "010-1234-5678"
    assert phones.readable("+14155552671") == "+1 415-555-2671"
    assert phones.readable("minji") == "minji"
