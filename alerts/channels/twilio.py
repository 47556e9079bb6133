"""Twilio: SMS outside Korea. It has no idempotency key and cannot be asked for our key; its callback tells it.

Sources: www.twilio.com/docs: "Messages resource" (`POST /2010-04-01/Accounts/{sid}/Messages.json`), "Track the status
of outbound messages" (StatusCallback, MessageStatus), "Security" (X-Twilio-Signature: base64 of the HMAC-SHA1, with the
auth token, over the whole URL and the sorted parameters), "Error and warning dictionary" (/docs/api/errors), which asks
not to build on its codes, because they are split and added to. So a code that is not known is about one message: that
one is refused, and the transport goes on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode

import httpx
from django.conf import settings

from alerts.channels import http, reading
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.errors import BadInput, NotSent, Rejected, SendError, Throttled, Unknown

BAD_NUMBERS = {"21211", "21610", "21614", "21635"}  # no number, has opted out, receives no SMS, a landline
# The account is closed, suspended or on trial, the key is wrong, or the sender is none of ours or cannot send: somebody
# will mend it.
OUR_FAULT = {
    *("10001", "20003", "20403", "21212", "21601", "21603", "21606", "21607", "21608", "21659", "21660", "21661"),
    "30002",
}
OF_A_COUNTRY = {"21408"}  # the account may not send to it: ours as well, and all other countries go on
DAILY, QUEUE_FULL = {"63038"}, {"21611"}  # more than the account may send in 24 hours; than the sender's queue holds
DAILY_WAIT = timedelta(hours=1)  # the window rolls
# Of a report: "unknown and may no longer exist". 30003 is off or out of reach, and 30006 can be our short code's fault.
NO_SUCH_NUMBER = "30005"
KINDS = {"delivered": Kind.DELIVERED, "undelivered": Kind.UNDELIVERED, "failed": Kind.UNDELIVERED}


def callback_url(query: str) -> str:
    """Where Twilio reports to: this very text is what it signs."""
    return f"{settings.SITE_URL}/hooks/twilio/?{query}" if query else f"{settings.SITE_URL}/hooks/twilio/"


def signature(url: str, fields: list[tuple[str, str]]) -> str:
    """What X-Twilio-Signature must hold."""
    signed = url + "".join(name + value for name, value in sorted(fields))
    digest = hmac.new(settings.TWILIO["auth_token"].encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class TwilioChannel(Channel):
    """Messages one by one over one kept connection."""

    name = "twilio"
    carries = frozenset({"sms"})

    @classmethod
    def capabilities(cls, channel: str = "sms") -> Capabilities:
        return Capabilities(longest_call=http.longest_call(), send_again_after_unknown=False, reports=True)

    def __init__(self, channel: str = "sms") -> None:
        super().__init__(channel)
        self._http = http.client(settings.TWILIO["api_url"])

    def send(self, message: Message) -> Accepted:
        """Hand one message over; its key comes back in the query of the callback."""
        account = settings.TWILIO["account_sid"]
        written = {
            "To": message.to,
            "From": settings.TWILIO["sender"],
            "Body": message.text.text,
            "StatusCallback": callback_url(urlencode({"key": str(message.key)})),
        }
        path = f"/2010-04-01/Accounts/{account}/Messages.json"
        try:
            said = http.call(self._http, "POST", path, data=written, auth=(account, settings.TWILIO["auth_token"]))
        except Rejected as error:
            raise _refusal(error.answer, error.detail) from error
        if not said.get("sid"):
            raise Unknown("the answer names no message", answer="201")
        return Accepted(str(said.get("status") or "queued"), provider_id=str(said["sid"]))

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """The one status that a callback tells."""
        try:
            fields = parse_qsl(hook.body.decode(), keep_blank_values=True, strict_parsing=bool(hook.body))
        except ValueError:
            fields = []  # half a letter, half a form: its signature cannot be right either
        http.same_secret(
            hook.headers.get("x-twilio-signature", ""),
            signature(callback_url(hook.query), fields) if settings.TWILIO["auth_token"] else "",
        )
        said = dict(fields)
        number, status = said.get("MessageSid", ""), said.get("MessageStatus", "")
        if not number or not status:
            raise BadInput("MessageSid and MessageStatus must be there", field="body")
        return [
            Report(
                event_key=reading.event_key(number, status),
                kind=_kind(status, said.get("ErrorCode", "")),
                provider_id=number,
                key=reading.our_key(parse_qs(hook.query).get("key", [""])[0]),
                at=None,
                raw=reading.raw(said),
            )
        ]

    def close(self) -> None:
        with suppress(httpx.HTTPError):
            self._http.close()


def _refusal(code: str, words: str) -> SendError:
    """The one of the four errors that a code says, of a message that was not taken."""
    if code in OUR_FAULT | OF_A_COUNTRY:
        return NotSent(words, answer=code, transport_down=code in OUR_FAULT)
    if code in DAILY | QUEUE_FULL:
        wait = DAILY_WAIT if code in DAILY else http.USUAL_WAIT
        return Throttled(words, answer=code, retry_after=wait, of_transport=True)
    return Rejected(words, answer=code, bad_address=code in BAD_NUMBERS)


def _kind(status: str, error: str) -> Kind:
    kind = KINDS.get(status, Kind.OTHER)
    return Kind.BOUNCED if kind == Kind.UNDELIVERED and error == NO_SUCH_NUMBER else kind
