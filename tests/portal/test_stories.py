"""What a story says of its entry by itself."""

from __future__ import annotations

from django.utils.translation import override

from ledger.models import Entry
from portal.stories import Story
from tests.builders import SEOUL


def test_points_are_written_without_their_direction():
    with override("en"):
        assert Story(Entry(), SEOUL, "P").points(-1234) == "1,234 P"


def test_an_entry_that_undoes_another_withdraws():
    assert Story(Entry(undoes_seq=3), SEOUL, "P").withdraws
    assert not Story(Entry(), SEOUL, "P").withdraws
