"""E-mail through a provider's HTTP interface, by django-anymail: its backend sends, its webhook view reads.

Sources: anymail.dev: "Anymail API" (metadata, anymail_status, exceptions) and "Tracking sent mail status" (the
normalised events). Our key goes out as metadata and comes back in every event.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import requests
from anymail import exceptions
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from django.conf import settings
from django.core.mail import get_connection
from django.http import HttpRequest

from alerts.channels import http, reading
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.channels.email import written
from alerts.errors import BadInput, BadSignature, NotSent, Rejected, SendError, Unknown

KEY = "key"  # the metadata that holds our key
VIEWS: dict[str, Any] = {"postmark": PostmarkTrackingWebhookView, "brevo": BrevoTrackingWebhookView}
KINDS = {
    "delivered": Kind.DELIVERED,
    "bounced": Kind.BOUNCED,
    "rejected": Kind.UNDELIVERED,
    "failed": Kind.UNDELIVERED,
    "complained": Kind.COMPLAINED,
    "unsubscribed": Kind.UNSUBSCRIBED,
}
# Postmark's codes, all with status 422: the token, the sender's signature, no credit. Somebody will mend them.
OUR_FAULT = {"10", "400", "401", "402", "405"}
SOFT = {"SoftBounce", "soft_bounce"}  # a full mailbox says nothing about the address


class AnymailChannel(Channel):
    """The provider that ANYMAIL_ESP names, over one kept session."""

    name = "anymail"
    carries = frozenset({"email"})

    @classmethod
    def capabilities(cls, channel: str = "email") -> Capabilities:
        connect, read = settings.ANYMAIL["REQUESTS_TIMEOUT"]
        return Capabilities(longest_call=timedelta(seconds=connect + read), send_again_after_unknown=True, reports=True)

    def __init__(self, channel: str = "email") -> None:
        super().__init__(channel)
        self._backend: Any = get_connection(f"anymail.backends.{settings.ESP['esp']}.EmailBackend")
        self._backend.open()

    def send(self, message: Message) -> Accepted:
        """Hand one e-mail over, with its key as metadata."""
        mail: Any = written(message)
        mail.metadata = {KEY: str(message.key)}
        try:
            self._backend.send_messages([mail])
        except (exceptions.AnymailError, requests.RequestException, ValueError) as error:
            raise _classified(error) from error
        status = mail.anymail_status
        return Accepted(",".join(sorted(status.status or ())), provider_id=str(status.message_id or ""))

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """The events of a webhook, normalised by anymail."""
        if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
            raise BadSignature()
        request = _request(hook)
        view = VIEWS[settings.ESP["esp"]]()
        try:
            view.run_validators(request)
        except exceptions.AnymailWebhookValidationFailure as error:
            raise BadSignature() from error
        http.json_body(hook.body)
        try:
            return [_report(event) for event in view.parse_events(request)]
        except (LookupError, TypeError, ValueError, AttributeError, exceptions.AnymailConfigurationError) as error:
            raise BadInput("the body is no event of the provider", field="body") from error

    def close(self) -> None:
        with suppress(requests.RequestException):
            self._backend.close()


def _request(hook: Hook) -> HttpRequest:
    """The request as anymail's views want it."""
    request = HttpRequest()
    request.method = "POST"
    request.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in hook.headers.items()}
    request.META["CONTENT_TYPE"] = hook.headers.get("content-type", "application/json")
    request._body = hook.body  # as Django keeps it after reading
    return request


def _report(event: Any) -> Report:
    raw = event.esp_event if isinstance(event.esp_event, dict) else {"event": str(event.esp_event)}
    kind = KINDS.get(event.event_type, Kind.OTHER)
    if kind is Kind.BOUNCED and SOFT & {raw.get("Type"), raw.get("event")}:
        kind = Kind.UNDELIVERED
    if event.event_type == "rejected" and event.reject_reason == "invalid":
        kind = Kind.BOUNCED
    return Report(
        event_key=reading.event_key(reading.raw(raw)),
        kind=kind,
        provider_id=str(event.message_id or "")[:100],
        key=reading.our_key((event.metadata or {}).get(KEY)),
        at=event.timestamp,
        raw=reading.raw(raw),
    )


def _classified(error: Exception) -> SendError:
    """The one of the four errors that says what is certain about this failure."""
    name = type(error).__name__
    if isinstance(error, exceptions.AnymailRecipientsRefused):
        return Rejected("the provider refuses the address", answer="refused", bad_address=True)
    if isinstance(error, exceptions.AnymailAPIError):
        response = getattr(error, "response", None)
        content = _content(response) if response is not None else {}
        if str(content.get("ErrorCode")) in OUR_FAULT:
            return NotSent(
                "the provider does not take our messages", answer=str(content["ErrorCode"]), transport_down=True
            )
        if response is not None and not 200 <= response.status_code < 300:
            return http.failure(response.status_code, response.headers.get("Retry-After", ""), content)
        if response is None and _never_left(error):
            return NotSent("no connection", answer="ConnectionError", transport_down=True)
        return Unknown("no answer that can be read", answer=name)
    # Serialization, an address that no header can hold, a feature that the provider lacks: nothing was posted.
    of_the_address = isinstance(error, exceptions.AnymailInvalidAddress | ValueError)
    return Rejected(name, answer=name, bad_address=of_the_address, asked=False)


def _never_left(error: BaseException) -> bool:
    """Whether the connection itself failed. A ConnectionError may also be one that broke after the bytes left."""
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    reason = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    return isinstance(cause, requests.ConnectionError) and type(reason).__name__ in (
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    )


def _content(response: requests.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
