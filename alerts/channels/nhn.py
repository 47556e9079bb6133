"""NHN Cloud: SMS and LMS, and AlimTalk, which NHN itself sends as a text message when it does not arrive and it may.

Sources: docs.nhncloud.com, Notification: "SMS API v3.0 guide" (`sender/sms`, `sender/mms`, lists by senderGroupingKey),
"AlimTalk API v2.3 guide" (`raw-messages`, `messages`; X-NC-API-IDEMPOTENCY-KEY: a second request with the same key
within ten minutes fails, with -1005, later 400305), "Webhook guide" (X-Toast-Webhook-Signature holds the signature
that was entered; MESSAGE_RESULT_UPDATE). The guide names the key for AlimTalk only.

The text in the place of an AlimTalk: `resendParameter.isResend`; left out, it is as the console says. What became of it
the query of messages tells (`resendStatus`: RSC01 is not to be resent, RSC02 would be, RSC03 is under way, RSC04
arrived, RSC05 failed; `resendResultCode`). The webhook guide's MESSAGE_RESULT_UPDATE of AlimTalk names the result and
both grouping keys, and no such field. Where a report has one it is believed; where it has none, what failed and may be
resent is open: the message stays accepted. Whether it may be stands in the recipient's grouping key, which comes back.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings

from alerts.channels import http, reading
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.channels.korean import LMS, digits, kind_of
from alerts.errors import BadInput, NotSent, Rejected, Unknown

USED_BEFORE = {"-1005", "400305"}  # the key was used within the last ten minutes
KEPT = timedelta(minutes=10)
LOOKED_BACK = timedelta(days=2)
# Wrong keys and sender numbers, blocked senders: our own, and somebody will mend them.
OUR_FAULT = {"-1000", "-1001", "-1002", "-1003", "-1006", "-1027", "400300", "400301", "400302", "400303", "400306"}
DELIVERED = {"1000", "MRC01"}  # result codes of what arrived: SMS, and AlimTalk
FALLS_BACK = "/sms"  # behind the recipient's grouping key: NHN may send a text in the place of this message
RESENT = {"RSC01": Kind.UNDELIVERED, "RSC02": Kind.OTHER, "RSC03": Kind.OTHER}
RESENT |= {"RSC04": Kind.DELIVERED, "RSC05": Kind.UNDELIVERED}


class NhnChannel(Channel):
    """Messages one by one over one kept connection."""

    name = "nhn"
    carries = frozenset({"sms", "alimtalk"})

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        alimtalk = channel == "alimtalk"
        return Capabilities(
            longest_call=http.longest_call(calls=2),  # sending, and looking up what a used key stands for
            send_again_after_unknown=False,
            idempotent_for=KEPT if alimtalk else None,
            can_look_up=True,
            reports=True,
            falls_back_itself=alimtalk,
        )

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self._http = http.client(settings.NHN["alimtalk_api_url" if channel == "alimtalk" else "sms_api_url"])
        self._headers = {
            "X-Secret-Key": settings.NHN["alimtalk_secret_key" if channel == "alimtalk" else "sms_secret_key"]
        }

    def send(self, message: Message) -> Accepted:
        """Hand one message over, under its key as the grouping key and, for AlimTalk, as the idempotency key."""
        path, written, headers = self._written(message)
        said = http.call(self._http, "POST", path, json=written, headers=self._headers | headers)
        code, words = _header(said)
        if code in USED_BEFORE:
            return self._sent_before(message)
        if code != "0":
            refusal = NotSent(words, answer=code, transport_down=True) if code in OUR_FAULT else None
            raise refusal or Rejected(words, answer=code)
        body = said.get("message") or (said.get("body") or {}).get("data") or {}
        results = body.get("sendResults") or body.get("sendResultList") or []
        for one in results:
            if str(one.get("resultCode", "0")) != "0":
                words = http.scrubbed(str(one.get("resultMessage", "")))
                raise Rejected(words, answer=str(one["resultCode"]))
        if not body.get("requestId"):
            raise Unknown("the answer names no request", answer="200")
        return Accepted("0", provider_id=str(body["requestId"]))

    def _sent_before(self, message: Message) -> Accepted:
        """The key was used: by a message that was taken, or by a request that came to nothing."""
        found = self.look_up(message.key)
        if found is None:
            raise NotSent("the key was used by a request that came to nothing", answer="key_used")
        return found

    def _written(self, message: Message) -> tuple[str, dict[str, Any], dict[str, str]]:
        """The path, the body and the headers of a message."""
        text, key = message.text, str(message.key)
        to = {"recipientNo": digits(message.to), "recipientGroupingKey": key}
        sender = settings.NHN["sender"]
        kind = kind_of(text.text)
        title = {"title": text.subject[:20]} if kind == LMS else {}
        if self.channel == "alimtalk":
            again: dict[str, Any] = {"isResend": message.falls_back}
            if message.falls_back:
                again |= {"resendType": kind, "resendContent": text.text, "resendSendNo": sender}
                again |= {"resendTitle": title["title"]} if title else {}
                to["recipientGroupingKey"] += FALLS_BACK
            body = {
                "senderKey": settings.NHN["sender_key"],
                "templateCode": text.provider_code,
                "senderGroupingKey": key,
                "recipientList": [to | {"content": text.text, "resendParameter": again}],
            }
            return self._path("raw-messages"), body, {"X-NC-API-IDEMPOTENCY-KEY": key}
        body = {"body": text.text, "sendNo": sender, "senderGroupingKey": key, "recipientList": [to]} | title
        return self._path("sender/mms" if kind == LMS else "sender/sms"), body, {}

    def _path(self, what: str) -> str:
        if self.channel == "alimtalk":
            return f"/alimtalk/v2.3/appkeys/{settings.NHN['alimtalk_app_key']}/{what}"
        return f"/sms/v3.0/appKeys/{settings.NHN['sms_app_key']}/{what}"

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        """Ask for the messages of the last two days under this grouping key."""
        now = datetime.now(reading.KOREA)
        asked = {
            "startRequestDate": f"{now - LOOKED_BACK:%Y-%m-%d %H:%M:%S}",
            "endRequestDate": f"{now + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
            "senderGroupingKey": str(key),
            "pageNum": "1",
            "pageSize": "15",
        }
        for what in ("messages",) if self.channel == "alimtalk" else ("sender/sms", "sender/mms"):
            said = http.call(self._http, "GET", self._path(what), params=asked, headers=self._headers)
            code, words = _header(said)
            if code != "0":
                raise Unknown(words, answer=code)
            lists = said.get("messageSearchResultResponse") or said.get("body") or {}
            found = lists.get("messages", lists.get("data"))
            if not isinstance(found, list):
                raise Unknown("the answer holds no list", answer="200")
            for one in found:
                # What a list holds is checked: a provider that does not know the key would answer with everything.
                if str(key) in (one.get("senderGroupingKey"), one.get("recipientGroupingKey")):
                    return Accepted(str(one.get("resultCode") or "0"), provider_id=str(one.get("requestId") or ""))
        return None

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """The hooks of a MESSAGE_RESULT_UPDATE; hooks of other events are kept and nothing follows."""
        http.same_secret(hook.headers.get("x-toast-webhook-signature", ""), settings.NHN["webhook_signature"])
        body = http.json_body(hook.body)
        if not isinstance(body, dict):
            raise BadInput("an object was expected", field="body")
        results = body.get("event") == "MESSAGE_RESULT_UPDATE"
        return [_report(event, results) for event in reading.objects(body.get("hooks"), field="hooks")]

    def close(self) -> None:
        with suppress(httpx.HTTPError):
            self._http.close()


def _header(said: dict[str, Any]) -> tuple[str, str]:
    header = said.get("header")
    if not isinstance(header, dict) or "resultCode" not in header:
        raise Unknown("the answer has no header", answer="200")
    return str(header["resultCode"]), http.scrubbed(str(header.get("resultMessage", "")))


def _report(event: dict[str, Any], results: bool) -> Report:
    number, result = str(event.get("requestId") or ""), str(event.get("resultCode") or "")
    if results and not (number and result):
        raise BadInput("requestId and resultCode must be there", field="hooks")
    recipient = str(event.get("recipientGroupingKey") or "")
    return Report(
        event_key=str(event.get("hookId") or reading.event_key(reading.raw(event)))[:100],
        kind=_kind(event, result, may_resend=recipient.endswith(FALLS_BACK)) if results else Kind.OTHER,
        provider_id=number,
        key=reading.our_key(recipient.removesuffix(FALLS_BACK) or event.get("senderGroupingKey")),
        at=reading.instant(event.get("receiveDate") or event.get("resultDate") or event.get("updateDate")),
        raw=reading.raw(event),
    )


def _kind(event: dict[str, Any], result: str, *, may_resend: bool) -> Kind:
    """What a result says. `may_resend`: a failure is not the end, because NHN sends a text in its place."""
    if result in DELIVERED:
        return Kind.DELIVERED
    resent = RESENT.get(str(event.get("resendStatus") or ""))
    return resent or (Kind.OTHER if may_resend else Kind.UNDELIVERED)
