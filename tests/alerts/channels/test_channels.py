from datetime import timedelta

import pytest

from alerts.channels import (
    TRANSPORTS,
    Channels,
    capabilities_of,
    carries,
    carries_abroad,
    countries_of,
    open_channel,
    tells,
    transport_of,
)
from alerts.channels.base import Channel, Kind
from alerts.errors import UnknownChannel, UnknownTransport
from alerts.models import ProviderEvent
from alerts.models.contact import Channel as Names
from tests.alerts.carrier import can


def test_every_channel_is_carried_and_every_transport_exists_under_its_name(settings):
    assert set(settings.TRANSPORTS) == set(Names.values)
    assert all(issubclass(transport, Channel) and transport.name == name for name, transport in TRANSPORTS.items())
    assert {channel for transport in TRANSPORTS.values() for channel in transport.carries} == set(Names.values)


def test_the_settings_say_who_carries_a_channel(settings):
    settings.TRANSPORTS = {"email": "smtp", "sms": "twilio", "alimtalk": "nhn"}
    assert [transport_of(channel) for channel in ("email", "sms", "alimtalk")] == ["smtp", "twilio", "nhn"]
    assert capabilities_of("alimtalk").idempotent_for == timedelta(minutes=10)
    assert capabilities_of("sms").idempotent_for is None


def test_a_channel_is_opened_once_and_closed_at_the_end(settings, monkeypatch):
    closed = []
    monkeypatch.setattr(TRANSPORTS["smtp"], "close", lambda self: closed.append(self))
    with Channels() as channels:
        assert channels["email"] is channels["email"]
        assert (channels["email"].name, channels["email"].channel) == ("smtp", "email")
        assert closed == []
    assert len(closed) == 1


def test_an_unknown_channel_is_refused():
    with Channels() as channels, pytest.raises(UnknownChannel):
        channels["pigeon"]


def test_a_transport_that_does_not_carry_the_channel_is_refused(settings):
    for wrong in ("twilio", "pigeon"):
        settings.TRANSPORTS = {"email": wrong}
        with pytest.raises(UnknownTransport):
            open_channel("email")
        with pytest.raises(UnknownTransport):
            capabilities_of("email")


def test_reports_say_what_rows_say():
    assert {kind.value for kind in Kind} == set(ProviderEvent.Kind.values)


def test_what_the_sandbox_keeps_tells_nobody_unless_it_is_said_so(settings):
    settings.SANDBOX_ALLOW = []
    assert tells("smtp", "minji@example.com")
    assert not tells("sandbox", "+821012345678")
    settings.SANDBOX_ALLOW = ["Minji@example.com"]
    assert tells("smtp", "minji@example.com")
    assert not tells("smtp", "jun@example.com")
    assert not tells("sandbox", "minji@example.com")
    settings.SANDBOX_TELLS = True
    assert tells("sandbox", "+821012345678")
    assert tells("smtp", "jun@example.com")


def test_a_transport_carries_to_the_numbers_of_its_countries(settings):
    settings.TRANSPORTS = {"email": "smtp", "sms": "twilio", "alimtalk": "nhn"}
    american, korean = "+14155552671", "+821012345678"
    assert [carries("sms", number) for number in (american, korean)] == [True, True]
    assert [carries("alimtalk", number) for number in (american, korean)] == [False, True]
    assert carries("email", "minji@example.com")
    assert [carries_abroad(channel) for channel in ("email", "sms", "alimtalk")] == [True, True, False]


@pytest.mark.parametrize(
    ("countries", "abroad"), [({"+82"}, False), ({"+82", "+81"}, True), ({"+1"}, True), (set(), False)]
)
def test_abroad_is_any_country_but_korea(carrier, countries, abroad):
    carrier.can = can(countries=frozenset(countries))
    assert carries_abroad("sms") is abroad
    assert carries("sms", "+14155552671") is ("+1" in countries)


@pytest.mark.parametrize("transports", [{}, {"sms": "pigeon"}, {"sms": "smtp"}])
def test_nobody_knows_to_which_countries_a_channel_without_a_transport_carries(settings, transports):
    settings.TRANSPORTS = transports
    assert countries_of("sms") is None
    assert carries("sms", "+14155552671")
    assert carries_abroad("sms")
