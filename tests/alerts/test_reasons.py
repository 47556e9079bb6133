"""The one rule for the reasons that people give."""

import pytest

from alerts.errors import BadInput
from alerts.reasons import LONGEST, reason


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("asked the shop", "asked the shop"),
        ("  asked\r\n\tthe   shop ", "asked the shop"),
        ("가" * LONGEST, "가" * LONGEST),
        ("she said minji@example.com, 010-1234-5678", "she said …, …"),
    ],
)
def test_a_reason_is_one_line_without_addresses(said, kept):
    assert reason(said) == kept


@pytest.mark.parametrize("said", ["", " \r\n\t ", "x" * (LONGEST + 1), "a\0b"])
def test_without_one_or_with_one_that_cannot_be_kept_it_is_refused(said):
    with pytest.raises(BadInput) as refused:
        reason(said)
    assert (refused.value.field, refused.value.detail) == ("why", "Say why, in at most 200 letters.")
