import pytest

from alerts.channels import CHANNELS, Channels
from alerts.channels.base import Channel
from alerts.errors import UnknownChannel
from alerts.models.contact import Channel as Names


def test_every_declared_channel_exists_under_its_name():
    assert set(CHANNELS) == set(Names.values)
    assert all(issubclass(channel, Channel) and channel.name == name for name, channel in CHANNELS.items())


def test_a_channel_is_opened_once_and_closed_at_the_end(settings, monkeypatch):
    closed = []
    monkeypatch.setattr(CHANNELS["email"], "close", lambda self: closed.append(self))
    with Channels() as channels:
        assert channels["email"] is channels["email"]
        assert closed == []
    assert len(closed) == 1


def test_an_unknown_channel_is_refused():
    with Channels() as channels, pytest.raises(UnknownChannel):
        channels["pigeon"]
