import pytest

from alerts.checks import check_metrics_token, check_transports, check_webhooks
from tests.alerts.checks.conftest import ids


def test_the_shipped_settings_and_good_ones_are_fine(good):
    assert ids(check_transports) == ids(check_webhooks) == ids(check_metrics_token) == []
    good.TRANSPORTS = {"email": "anymail", "sms": "twilio", "alimtalk": "nhn"}
    assert ids(check_transports) == ids(check_webhooks) == []
    good.TRANSPORTS = {"email": "sandbox", "sms": "sandbox", "alimtalk": "sandbox"}
    good.METRICS_TOKEN = ""
    assert ids(check_transports) == ids(check_webhooks) == ids(check_metrics_token) == []


@pytest.mark.parametrize(
    ("channel", "transport", "setting", "key"),
    [
        ("sms", "solapi", "SOLAPI", "sender"),
        ("sms", "solapi", "SOLAPI", "api_secret"),
        ("alimtalk", "solapi", "SOLAPI", "pf_id"),
        ("sms", "nhn", "NHN", "sms_secret_key"),
        ("alimtalk", "nhn", "NHN", "sender_key"),
        ("sms", "twilio", "TWILIO", "auth_token"),
        ("email", "anymail", "ESP", "api_key"),
    ],
)
def test_a_transport_without_its_key_or_sender_is_an_error(good, channel, transport, setting, key):
    good.TRANSPORTS = {channel: transport}
    setattr(good, setting, getattr(good, setting) | {key: ""})
    (found,) = check_transports(None)
    assert found.id == "alerts.E003"
    assert found.msg == f"{transport!r} carries the channel {channel!r} and lacks {key}."


def test_smtp_without_a_host_is_an_error(good):
    good.EMAIL_HOST = ""
    assert ids(check_transports) == ["alerts.E003"]


@pytest.mark.parametrize(("channel", "transport"), [("sms", "pigeon"), ("alimtalk", "twilio"), ("email", "nhn")])
def test_a_channel_whose_transport_cannot_carry_it_is_an_error(good, channel, transport):
    good.TRANSPORTS = {channel: transport}
    assert ids(check_transports) == ["alerts.E004"]


@pytest.mark.parametrize(
    ("transport", "setting", "key"),
    [("solapi", "SOLAPI", "webhook_secret"), ("nhn", "NHN", "webhook_signature"), ("anymail", "ESP", "webhook_secret")],
)
def test_a_transport_that_reports_and_has_no_secret_is_a_warning(good, transport, setting, key):
    good.TRANSPORTS = {"sms": transport, "alimtalk": transport}
    setattr(good, setting, getattr(good, setting) | {key: ""})
    (found,) = check_webhooks(None)
    assert found.id == "alerts.W012"
    assert f"{transport.upper()}_{key.upper()}" in str(found.hint)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        *(("user:password", []), ("user:pass:word", []), ("", ["alerts.W012"])),
        *((wrong, ["alerts.E009"]) for wrong in ("password", ":password", "user:", ":")),
    ],
)
def test_a_secret_of_anymail_that_is_no_user_and_password_is_an_error(good, secret, expected):
    """Reports come with HTTP basic authentication: nothing else is ever the same."""
    good.ESP = good.ESP | {"webhook_secret": secret}
    assert ids(check_webhooks) == []  # it carries nothing
    good.TRANSPORTS = {"email": "anymail"}
    assert ids(check_webhooks) == expected


def test_a_token_that_can_be_guessed_is_an_error(good):
    good.METRICS_TOKEN = "t" * 23
    assert ids(check_metrics_token) == ["alerts.E008"]
