"""Every transport on the fake of its provider; the sandbox and the mail server need none."""

from __future__ import annotations

from uuid import UUID

import pytest

from alerts.channels import Message
from alerts.fakes.hooks import Secrets, Sender
from alerts.fakes.server import FakeProvider
from alerts.texts.rendering import Text

KEY = UUID("11111111-2222-4333-8444-555555555555")
OTHER = UUID("99999999-2222-4333-8444-555555555555")
WORDS = Text(
    subject="[별] 포인트 안내",
    text="[별] 포인트 1,200P가 3월 31일에 소멸됩니다.",
    html="<p>1,200P</p>",
    provider_code="points-60",
)
SECRETS = Secrets(solapi="solapi-hooks", nhn="nhn-hooks", twilio="twilio-token", anymail="hooks:pass")


def message(
    channel: str, *, key: UUID = KEY, to: str = "", unsubscribe: str = "", text: Text = WORDS, falls_back: bool = False
) -> Message:
    to = to or ("minji@example.com" if channel == "email" else "+821012345678")
    return Message(key=key, to=to, language="ko", text=text, unsubscribe=unsubscribe, falls_back=falls_back)


def point(settings, url: str) -> None:
    """All providers' interfaces are at this address."""
    settings.PROVIDER_TIMEOUT = 20.0
    settings.SITE_URL = "http://testserver"
    settings.SOLAPI = {
        "api_url": url,
        "api_key": "solapi-key",
        "api_secret": "solapi-secret",
        "sender": "0215880000",
        "pf_id": "KA01PF",
        "webhook_header": SECRETS.solapi_header,
        "webhook_secret": SECRETS.solapi,
    }
    settings.NHN = {
        "sms_api_url": url,
        "alimtalk_api_url": url,
        "sms_app_key": "sms-app",
        "sms_secret_key": "sms-secret",
        "alimtalk_app_key": "talk-app",
        "alimtalk_secret_key": "talk-secret",
        "sender": "0215880000",
        "sender_key": "f" * 40,
        "webhook_signature": SECRETS.nhn,
    }
    settings.TWILIO = {"api_url": url, "account_sid": "AC1", "auth_token": SECRETS.twilio, "sender": "+15005550006"}
    settings.ESP = {"esp": "postmark", "api_key": "token", "api_url": url, "webhook_secret": SECRETS.anymail}
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": url,
        "WEBHOOK_SECRET": SECRETS.anymail,
        "REQUESTS_TIMEOUT": (20, 20),
    }
    settings.DEFAULT_FROM_EMAIL = "points@byeol.example"


@pytest.fixture
def fake(settings):
    """The providers' fake, and settings that point at it."""
    with FakeProvider(slow=3.0) as fake:
        point(settings, fake.url)
        yield fake


@pytest.fixture
def sender() -> Sender:
    """Who makes the fake's reports."""
    return Sender("http://testserver", SECRETS)
