"""Settings as a good installation has them: each test spoils one, and sees exactly its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.core.checks import CheckMessage

Check = Callable[[Sequence | None], list[CheckMessage]]


def ids(check: Check) -> list[str]:
    found = check(None)
    assert all(message.hint for message in found), "every finding says what to do"
    return [str(message.id) for message in found]


@pytest.fixture
def good(settings):
    settings.DEBUG = False
    settings.SITE_URL = "https://points.example.org"
    settings.DEFAULT_FROM_EMAIL = "Points <points@example.org>"
    settings.METRICS_TOKEN = "t" * 24
    settings.SANDBOX_ALLOW, settings.SANDBOX_TELLS = [], False
    settings.TRANSPORTS = {"email": "smtp", "sms": "nhn", "alimtalk": "solapi"}
    settings.SOLAPI = settings.SOLAPI | {
        "api_key": "k",
        "api_secret": "s",
        "sender": "0215880000",
        "pf_id": "pf",
        "webhook_secret": "w",
    }
    settings.NHN = settings.NHN | {
        "sms_app_key": "k",
        "sms_secret_key": "s",
        "sender": "0215880000",
        "alimtalk_app_key": "a",
        "alimtalk_secret_key": "b",
        "sender_key": "c",
        "webhook_signature": "w",
    }
    settings.TWILIO = settings.TWILIO | {"account_sid": "AC1", "auth_token": "t", "sender": "+12025550100"}
    settings.ESP = settings.ESP | {"api_key": "k", "webhook_secret": "user:password"}
    return settings
