"""Whether every channel has a transport that can carry it, with all that the transport needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from alerts.channels import TRANSPORTS, capabilities_of
from alerts.errors import UnknownChannel, UnknownTransport

SHORTEST_TOKEN = 24  # characters; `openssl rand -hex 16` prints 32

# By transport: its settings, and by channel what must be in them. The webhook's secret is not among them: without it
# messages go out, and nobody hears what became of them.
NEEDED: dict[str, tuple[str, dict[str, list[str]]]] = {
    "solapi": (
        "SOLAPI",
        {"sms": ["api_key", "api_secret", "sender"], "alimtalk": ["api_key", "api_secret", "sender", "pf_id"]},
    ),
    "nhn": (
        "NHN",
        {
            "sms": ["sms_app_key", "sms_secret_key", "sender"],
            "alimtalk": ["alimtalk_app_key", "alimtalk_secret_key", "sender_key", "sender"],
        },
    ),
    "twilio": ("TWILIO", {"sms": ["account_sid", "auth_token", "sender"]}),
    "anymail": ("ESP", {"email": ["api_key"]}),
}
WEBHOOK_SECRETS = {
    "solapi": ("SOLAPI", "webhook_secret"),
    "nhn": ("NHN", "webhook_signature"),
    "anymail": ("ESP", "webhook_secret"),
}


def check_transports(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """A channel without its transport, or a transport without its keys, sends nothing at all."""
    return [*_without_transport(), *_without_values()]


def _without_transport() -> Iterator[CheckMessage]:
    for channel, transport in settings.TRANSPORTS.items():
        try:
            capabilities_of(channel)
        except (UnknownChannel, UnknownTransport):
            yield Error(
                f"The channel {channel!r} is to be carried by {transport!r}, which cannot.",
                hint=f"{channel.upper()}_TRANSPORT can be one of: {', '.join(_able(channel)) or 'there is none'}.",
                id="alerts.E004",
            )


def _able(channel: str) -> list[str]:
    return sorted(name for name, transport in TRANSPORTS.items() if channel in transport.carries)


def _without_values() -> Iterator[CheckMessage]:
    for channel, transport in settings.TRANSPORTS.items():
        name, by_channel = NEEDED.get(transport, ("", {}))
        values: Mapping[str, str] = getattr(settings, name, {})
        missing = [key for key in by_channel.get(channel, []) if not values.get(key)]
        if transport == "smtp" and not settings.EMAIL_HOST:
            missing = ["EMAIL_URL"]
        if missing:
            yield Error(
                f"{transport!r} carries the channel {channel!r} and lacks {', '.join(missing)}.",
                hint="Credentials and sender numbers come from the environment: see docs/operations.md.",
                id="alerts.E003",
            )


def check_webhooks(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Without its secret every report is refused: nothing is ever known to have arrived, or to have come back."""
    found: list[CheckMessage] = []
    for transport in sorted(set(settings.TRANSPORTS.values()) & WEBHOOK_SECRETS.keys()):
        name, key = WEBHOOK_SECRETS[transport]
        if not getattr(settings, name).get(key):
            found.append(
                Warning(
                    f"{transport!r} reports by webhook, and its {key} is empty: every report is refused.",
                    hint=f"Enter a long random text at the provider and set it as {transport.upper()}_{key.upper()}.",
                    id="alerts.W012",
                )
            )
    secret = settings.ESP.get("webhook_secret", "")
    user, _, password = secret.partition(":")
    if "anymail" in settings.TRANSPORTS.values() and secret and not (user and password):
        found.append(
            Error(
                "ANYMAIL_WEBHOOK_SECRET is no user and password with a colon between them: every report is refused.",
                hint="Set it as user:password, and put the same before the host of the webhook's address there.",
                id="alerts.E009",
            )
        )
    return found


def check_metrics_token(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Whoever guesses it sees how the business goes."""
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        return [
            Error(
                f"METRICS_TOKEN has fewer than {SHORTEST_TOKEN} characters: it can be guessed.",
                hint="`openssl rand -hex 16` prints a good one.",
                id="alerts.E008",
            )
        ]
    return []
