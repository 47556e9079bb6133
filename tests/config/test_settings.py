"""Settings are read from the environment, strictly: an odd value stops the start and names its variable."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from django.conf import settings

from config.settings import broker_url

ROOT = Path(__file__).resolve().parent.parent.parent


def started_with(code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python that reads the settings in this environment, and then runs the code."""
    return subprocess.run(
        [sys.executable, "-c", f"from config import settings; {code}"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEBUG", "perhaps"),
        ("HTTPS", "2"),
        ("DATABASE_URL", "nonsense://x/y"),
        ("LOG_LEVEL", "LOUD"),
        ("LANGUAGE_CODE", "fr"),
        ("DATABASE_URL", "mysql://x/y"),
        ("SEAL_KEY", "secret"),
        ("SEAL_KEY", "A" * 42 + "=="),  # 31 bytes
        ("SEAL_KEY", "A" * 43),  # nothing fills it up
        ("SEAL_KEY", "A" * 42 + "B="),  # bits beyond the 32 bytes
        ("SEAL_KEY", "_" * 43 + "="),  # another alphabet
        ("SEAL_KEY", "A" * 43 + "=\n"),
        ("SEAL_KEY", "키" * 16),
        ("SEAL_PUBLIC_KEYS", "A" * 43 + "=,secret"),
        ("SEAL_PUBLIC_KEYS", "A" * 43 + "=,"),
        ("EMAIL_TRANSPORT", "pigeon"),
        ("EMAIL_TRANSPORT", "solapi"),  # it carries no e-mail
        ("SMS_TRANSPORT", "smtp"),
        ("ALIMTALK_TRANSPORT", "twilio"),
        ("SANDBOX_ALLOW", "minji"),
        ("SANDBOX_ALLOW", "010-1234-5678"),
        ("SANDBOX_TELLS", "sometimes"),
        ("MESSAGES_A_SECOND", "twilio"),
        ("MESSAGES_A_SECOND", "twilio=fast"),
        ("MESSAGES_A_SECOND", "twilio=0"),
        ("MESSAGES_A_SECOND", "twilio=inf"),
        ("MESSAGES_A_SECOND", "pigeon=1"),
        ("PROVIDER_TIMEOUT", "0"),
        ("PROVIDER_TIMEOUT", "60"),
        ("ANYMAIL_ESP", "mailgun"),
    ],
)
def test_an_odd_value_stops_the_start_and_names_its_variable(variable, value):
    started = started_with(**{variable: value})
    assert started.returncode != 0
    assert variable in started.stderr


def test_rates_are_read_by_transport():
    code = "assert settings.MESSAGES_A_SECOND == {'twilio': 1.0, 'solapi': 0.5}"
    assert started_with(code, MESSAGES_A_SECOND="twilio=1,solapi=0.5").returncode == 0
    assert started_with("assert settings.MESSAGES_A_SECOND == {}", MESSAGES_A_SECOND="").returncode == 0


def test_a_refused_key_is_not_said():
    started = started_with(SEAL_KEY="a-secret-that-is-too-short")
    assert "SEAL_KEY must be 32 bytes in base64" in started.stderr
    assert "a-secret-that-is-too-short" not in started.stderr


def test_keys_are_read_from_base64():
    code = "assert settings.SEAL_KEY == bytes(32); assert settings.SEAL_PUBLIC_KEYS == [bytes(32), b'z' * 32]"
    two = "A" * 43 + "=," + b64encode(b"z" * 32).decode()
    assert started_with(code, SEAL_KEY="A" * 43 + "=", SEAL_PUBLIC_KEYS=two).returncode == 0


def test_without_a_key_there_is_none_and_nobody_guesses_one():
    code = "assert settings.SEAL_KEY == b''; assert settings.SEAL_PUBLIC_KEYS == []"
    assert started_with(code, SEAL_KEY="", SEAL_PUBLIC_KEYS="").returncode == 0


def test_an_installation_is_not_in_debug_unless_it_says_so():
    assert started_with("assert settings.DEBUG is False", DEBUG="false").returncode == 0
    environment = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    fresh = subprocess.run(
        [sys.executable, "-c", "from config import settings; assert settings.DEBUG is False"],
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert fresh.returncode == 0


def test_https_hardens_the_cookies_and_the_redirects_together():
    code = "; ".join(
        f"assert settings.{name}"
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    )
    assert started_with(code, HTTPS="true").returncode == 0
    assert started_with(code, HTTPS="false").returncode != 0


def test_nobody_waits_for_a_lock_longer_than_two_seconds():
    assert "-c lock_timeout=2000" in settings.DATABASES["default"]["OPTIONS"]["options"]


@pytest.mark.parametrize(
    ("redis_url", "broker"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://:secret@redis.example.org:6380/2", "rediss://:secret@redis.example.org:6380/2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("unix:///run/a%20b/redis.sock?db=3", "redis+socket:///run/a%20b/redis.sock?virtual_host=3"),
    ],
)
def test_the_broker_gets_the_url_of_redis_in_its_own_form(redis_url, broker):
    assert broker_url(redis_url) == broker


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        ({"EMAIL_TRANSPORT": "anymail"}, ["ANYMAIL_API_KEY"]),
        ({"SMS_TRANSPORT": "solapi"}, ["SOLAPI_API_KEY", "SOLAPI_API_SECRET", "SOLAPI_SENDER"]),
        ({"SMS_TRANSPORT": "nhn", "NHN_SENDER": "0215880000"}, ["NHN_SMS_APP_KEY", "NHN_SMS_SECRET_KEY"]),
        ({"SMS_TRANSPORT": "twilio", "TWILIO_ACCOUNT_SID": "AC1"}, ["TWILIO_AUTH_TOKEN", "TWILIO_SENDER"]),
        (
            {
                "ALIMTALK_TRANSPORT": "solapi",
                "SOLAPI_API_KEY": "a",
                "SOLAPI_API_SECRET": "b",
                "SOLAPI_SENDER": "0215880000",
            },
            ["SOLAPI_PF_ID"],
        ),
        (
            {"ALIMTALK_TRANSPORT": "nhn", "NHN_SENDER": "0215880000"},
            ["NHN_ALIMTALK_APP_KEY", "NHN_ALIMTALK_SECRET_KEY", "NHN_SENDER_KEY"],
        ),
    ],
)
def test_a_provider_that_carries_a_channel_needs_its_values_and_all_that_are_missing_are_named(chosen, missing):
    started = started_with(**chosen)
    assert started.returncode != 0
    assert f"{', '.join(missing)} must be set" in started.stderr
    assert started_with(**chosen | dict.fromkeys(missing, "x")).returncode == 0
