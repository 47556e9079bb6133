from uuid import uuid4

import pytest

from alerts.channels import Accepted, open_channel
from alerts.errors import Rejected, Unknown
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


def test_of_several_in_one_call_only_the_named_ones_go_through(settings, fake):
    settings.TRANSPORTS = {**settings.TRANSPORTS, "sms": "solapi"}
    settings.SANDBOX_ALLOW = ["+821099998888", "+821099997777"]
    mine = [message("sms", key=uuid4(), to=to) for to in ("+821099998888", "+821012345678", "+821099997777")]
    with open_channel("sms") as channel:
        assert [answer.answer for answer in channel.send_all(mine)] == ["2000", "kept", "2000"]
        assert [taken.key for taken in fake.journal.all()] == [str(mine[0].key), str(mine[2].key)]
        assert [row.key for row in SandboxMessage.objects.all()] == [mine[1].key]
        assert channel.send_all(mine[1:2])[0].answer == "kept"


def test_what_the_call_comes_to_is_said_of_those_who_were_in_it(settings, fake):
    settings.TRANSPORTS = {**settings.TRANSPORTS, "sms": "solapi"}
    settings.SANDBOX_ALLOW = ["+821099998888", "+821000000000"]
    kept, unknown = message("sms"), message("sms", key=OTHER, to="+821099998888")
    with open_channel("sms") as channel:
        fake.faults.set({"deaf": 1.0})
        assert [type(answer) for answer in channel.send_all([kept, unknown])] == [Accepted, Unknown]
        fake.faults.set({})
        refused = message("sms", key=OTHER, to="+821000000000")
        assert [type(answer) for answer in channel.prepare([refused, kept])()] == [Rejected, Accepted]
        assert [type(answer) for answer in channel.prepare([refused])()] == [Rejected]
    assert [row.key for row in SandboxMessage.objects.all()] == [KEY]
