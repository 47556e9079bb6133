"""The other provider that django-anymail is set up for: what it answers, and what it reports."""

from __future__ import annotations

import base64
import json

import pytest

from alerts.channels import open_channel
from alerts.channels.anymail import AnymailChannel
from alerts.channels.base import Hook, Kind
from alerts.errors import BadInput, BadSignature, NotSent, Rejected, SendError, Throttled, Unknown
from tests.alerts.channels.conftest import KEY, SECRETS, message

LOGIN = base64.b64encode(SECRETS.anymail.encode()).decode()


@pytest.fixture(autouse=True)
def brevo(fake, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"email": "anymail"}
    settings.ESP = settings.ESP | {"esp": "brevo"}
    settings.ANYMAIL = {
        "BREVO_API_KEY": "token",
        "BREVO_API_URL": fake.url,
        "WEBHOOK_SECRET": SECRETS.anymail,
        "REQUESTS_TIMEOUT": (20, 20),
    }


def failure(**changed) -> SendError:
    with open_channel("email") as channel, pytest.raises(SendError) as raised:
        channel.send(message("email", **changed))
    assert "@" not in str(raised.value)
    return raised.value


def test_a_message_is_accepted_under_its_key(fake):
    with open_channel("email") as channel:
        accepted = channel.send(message("email"))
    (taken,) = fake.journal.all()
    assert (accepted.provider_id, accepted.answer) == (taken.number, "queued")
    assert (taken.key, taken.to) == (str(KEY), "minji@example.com")


@pytest.mark.parametrize(
    ("mode", "kind", "taken"),
    [("429", Throttled, 0), ("500", Unknown, 0), ("drop", Unknown, 1), ("garbled", Unknown, 1), ("deaf", Unknown, 0)],
)
def test_what_is_certain_about_a_call_that_failed(fake, mode, kind, taken):
    fake.faults.set({mode: 1.0})
    assert type(failure()) is kind
    assert len(fake.journal.all()) == taken


def test_an_address_that_is_none_is_refused(fake):
    assert type(failure(to="nobody@example.com")) is Rejected
    assert fake.journal.all() == []


def test_a_key_that_the_provider_does_not_know_is_our_own_fault(fake, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"BREVO_API_KEY": "unknown"}
    error = failure()
    assert isinstance(error, NotSent)
    assert error.transport_down


def hook(event: dict[str, object] | str, login: str = LOGIN) -> Hook:
    body = event if isinstance(event, str) else json.dumps(event)
    headers = {"authorization": f"Basic {login}", "content-type": "application/json"}
    return Hook(headers, body.encode())


def event(name: str) -> dict[str, object]:
    custom = json.dumps({"key": str(KEY)})
    return {
        "event": name,
        "email": "minji@example.com",
        "message-id": "brevo-1",
        "ts_epoch": 1_774_000_000_000,
        "X-Mailin-custom": custom,
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("delivered", Kind.DELIVERED),
        ("hard_bounce", Kind.BOUNCED),
        ("soft_bounce", Kind.UNDELIVERED),
        ("invalid_email", Kind.BOUNCED),
        ("blocked", Kind.UNDELIVERED),
        ("spam", Kind.COMPLAINED),
        ("unsubscribe", Kind.UNSUBSCRIBED),
        ("opened", Kind.OTHER),
    ],
)
def test_events_are_read(name, kind):
    (report,) = AnymailChannel.reports(hook(event(name)))
    assert (report.kind, report.provider_id, report.key) == (kind, "brevo-1", str(KEY))
    assert report.at is not None


def test_a_wrong_login_and_half_a_body_are_refused():
    with pytest.raises(BadSignature):
        AnymailChannel.reports(hook(event("delivered"), base64.b64encode(b"hooks:wrong").decode()))
    with pytest.raises(BadInput, match="body"):
        AnymailChannel.reports(hook(json.dumps(event("delivered"))[:40]))
