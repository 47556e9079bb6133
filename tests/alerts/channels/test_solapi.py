"""Looking a message up among more than a page of them."""

from uuid import uuid4

import pytest

from alerts.channels import open_channel, solapi
from alerts.errors import Unknown
from tests.alerts.channels.conftest import KEY, message


@pytest.fixture
def seven(fake, settings, monkeypatch):
    """Six messages of others to the same number, and then ours; two to a page of a look-up."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi"}
    monkeypatch.setattr(solapi, "PAGE", 2)
    with open_channel("sms") as channel:
        for key in [*(uuid4() for _ in range(6)), KEY]:
            channel.send(message("sms", key=key))
        yield channel


def test_a_message_is_found_on_the_last_page(seven, fake):
    found = seven.look_up(KEY, to="+821012345678")
    assert found.provider_id == next(taken.number for taken in fake.journal.all() if taken.key == str(KEY))


def test_one_that_was_never_taken_is_looked_for_on_all_pages_and_not_found(seven):
    assert seven.look_up(uuid4(), to="+821012345678") is None


def test_more_pages_than_can_be_searched_are_no_answer(seven, monkeypatch):
    """To say that it was not taken would send it a second time."""
    monkeypatch.setattr(solapi, "MOST_PAGES", 3)
    with pytest.raises(Unknown) as unknown:
        seven.look_up(KEY, to="+821012345678")
    assert unknown.value.answer == "too_many"
