"""What is right for a demo and wrong in production: shown by `check --deploy`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning

from alerts.channels.sandbox import SandboxChannel

NOWHERE = {"", "localhost"}


def check_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Whether members would be told, and could answer. Other channels in the sandbox: `programmes.py`, if used."""
    return [] if settings.DEBUG else list(_found())


def _found() -> Iterator[CheckMessage]:
    if settings.TRANSPORTS.get("email") == SandboxChannel.name:
        yield Warning(
            "E-mail is carried by the sandbox, which keeps every message: nobody is told anything.",
            hint="Set EMAIL_TRANSPORT to smtp or anymail; with SANDBOX_ALLOW only those who are named get theirs.",
            id="alerts.W010",
        )
    if settings.SANDBOX_TELLS:
        yield Warning(
            "SANDBOX_TELLS is on: what the sandbox keeps counts as told, and points expire of which nobody was told.",
            hint="Turn it off, except for a demo or staging.",
            id="alerts.W011",
        )
    if settings.SANDBOX_ALLOW and set(settings.TRANSPORTS.values()) != {SandboxChannel.name}:
        yield Warning(
            "SANDBOX_ALLOW is set: only those who are named are told; what is for anybody else stays in the sandbox.",
            hint="Leave it empty, except for staging.",
            id="alerts.W015",
        )
    if urlsplit(settings.SITE_URL).scheme != "https" or urlsplit(settings.SITE_URL).hostname in (None, "localhost"):
        yield Warning(
            "SITE_URL is no https address: links in messages lead nowhere, and mail programs offer one-click "
            "unsubscribing (RFC 8058) over https only.",
            hint="Set SITE_URL to where members find their pages, for example https://points.example.org.",
            id="alerts.W013",
        )
    if parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] in NOWHERE:
        yield Warning(
            "DEFAULT_FROM_EMAIL is the default: mail servers refuse a sender at localhost, and nobody can answer.",
            hint="Set it to an address of your own domain.",
            id="alerts.W014",
        )
