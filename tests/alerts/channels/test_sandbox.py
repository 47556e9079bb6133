import pytest

from alerts.channels import open_channel
from alerts.models import SandboxMessage
from tests.alerts.channels.conftest import KEY, OTHER, message

pytestmark = pytest.mark.django_db


def test_a_message_is_a_row_once_for_its_key():
    with open_channel("sms") as channel:
        assert channel.send(message("sms")) == channel.send(message("sms"))
    row = SandboxMessage.objects.get()
    assert (row.key, row.channel, row.to) == (KEY, "sms", "+821012345678")
    assert row.text == message("sms").text.text


def test_only_named_addresses_go_through(settings, fake):
    settings.TRANSPORTS = {**settings.TRANSPORTS, "sms": "solapi"}
    settings.SANDBOX_ALLOW = ["+821099998888"]
    with open_channel("sms") as channel:
        channel.send(message("sms"))
        channel.send(message("sms", key=OTHER, to="+821099998888"))
        assert [taken.key for taken in fake.journal.all()] == [str(OTHER)]
        assert [row.key for row in SandboxMessage.objects.all()] == [KEY]
        kept, sent = channel.look_up(KEY), channel.look_up(OTHER)
    assert kept is not None
    assert sent is not None
    assert (kept.answer, sent.answer) == ("kept", "4000")
