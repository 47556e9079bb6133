"""NHN Cloud: SMS and LMS, and AlimTalk, of which NHN is always told to send no text message in its place.

Sources: docs.nhncloud.com, Notification: "SMS API v3.0 guide" (`sender/sms`, `sender/mms` with a title of 1 to 40 bytes
in EUC-KR, lists by senderGroupingKey), "AlimTalk API v2.3 guide" (`raw-messages`, `messages`; X-NC-API-IDEMPOTENCY-KEY:
a second request with the same key within ten minutes fails, with -1005, later 400305), "Webhook guide"
(X-Toast-Webhook-Signature holds the signature that was entered; MESSAGE_RESULT_UPDATE). The guide names the key for
AlimTalk only. The codes are those of "SMS > Result codes" and of "KakaoTalk Bizmessage > Error codes": two tables, in
which the same number says different things. A code that neither gives to us or to the system is about one message, and
refuses that one alone.

No text in the place of an AlimTalk: what became of it only the query of messages tells (`resendStatus`). The webhook
guide's MESSAGE_RESULT_UPDATE of AlimTalk names no such field, and the text's own report bears no key of ours, so a
message that reached nobody would stay accepted for ever. `resendParameter.isResend` left out is as the console says;
so it is false, and after the failed report our own next channel follows.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings

from alerts.channels import http, reading
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.channels.korean import COUNTRIES, LMS, digits, kind_of, title
from alerts.errors import BadInput, NotSent, Rejected, SendError, Throttled, Unknown

USED_BEFORE = {"-1005", "400305"}  # of AlimTalk: the key was used within the last ten minutes
KEPT = timedelta(minutes=10)
ASKED_WITHIN = timedelta(seconds=3)  # of the call that says so; later a tick has no time left for another one
LOOKED_BACK = timedelta(days=2)
# Wrong keys, an IP that is not allowed, a blocked project, no such interface, unknown or blocked senders: our own, and
# somebody will mend them.
OUR_FAULT = {
    "sms": {"-1000", "-1001", "-1002", "-1003", "-1004", "-1007", "-1008", "-2312", "-2313", "-9995", "-9998"},
    "alimtalk": {
        *("-1000", "-1001", "-1002", "-1003", "-1006", "-1014", "-1027", "-1030", "-2017", "-4004", "-4005", "-9998"),
        *("400300", "400301", "400302", "400303", "400306"),
    },
}
NOT_QUEUED = {"sms": {"-2021"}, "alimtalk": set[str]()}  # NHN could not store the message
SYSTEM = {"sms": {"-9999"}, "alimtalk": {"-9999", "-7000"}}  # it failed, and does not say at what
DAILY = {"sms": set[str](), "alimtalk": {"-1017"}}  # more than its volume of a day
DAILY_WAIT = timedelta(hours=1)  # the day's end is not in the answer
DELIVERED = {"1000", "MRC01"}  # result codes of what arrived: SMS, and AlimTalk
FAILED = {"0", "5", "FAILED"}  # the status in a list of what came to nothing: of SMS, and of AlimTalk
NO_SUCH_NUMBER = {"3001", "3003"}  # of SMS: nobody has this number; a malformed one, or one that does not exist


class NhnChannel(Channel):
    """Messages one by one over one kept connection."""

    name = "nhn"
    carries = frozenset({"sms", "alimtalk"})

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        alimtalk = channel == "alimtalk"
        return Capabilities(
            # Sending, and for AlimTalk looking up what a used key stands for.
            longest_call=http.longest_call() + (ASKED_WITHIN if alimtalk else timedelta()),
            send_again_after_unknown=False,
            idempotent_for=KEPT if alimtalk else None,
            can_look_up=True,
            looks_back=LOOKED_BACK,
            reports=True,
            countries=COUNTRIES,
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
        began = monotonic()
        said = http.call(self._http, "POST", path, json=written, headers=self._headers | headers)
        code, words = _header(said)
        if self.channel == "alimtalk" and code in USED_BEFORE:
            if monotonic() - began > ASKED_WITHIN.total_seconds():
                raise Unknown("the key was used, and to ask what for a tick has no time left", answer="key_used")
            return self._sent_before(message)
        if code != "0":
            raise self._refusal(code, words)
        body = said.get("message") or (said.get("body") or {}).get("data") or {}
        results = body.get("sendResults") or body.get("sendResultList") or []
        for one in results:
            if str(one.get("resultCode", "0")) != "0":
                raise self._refusal(str(one["resultCode"]), http.scrubbed(str(one.get("resultMessage", ""))))
        if not body.get("requestId"):
            raise Unknown("the answer names no request", answer="200")
        return Accepted("0", provider_id=str(body["requestId"]))

    def _refusal(self, code: str, words: str) -> SendError:
        """The one of the four errors that this code of the channel's table is."""
        if code in OUR_FAULT[self.channel]:
            return NotSent(words, answer=code, transport_down=True)
        if code in NOT_QUEUED[self.channel]:
            return NotSent(words, answer=code)
        if code in SYSTEM[self.channel]:
            return Unknown(words, answer=code)
        if code in DAILY[self.channel]:
            return Throttled(words, answer=code, retry_after=DAILY_WAIT, of_transport=True)
        return Rejected(words, answer=code)

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
        if self.channel == "alimtalk":
            body = {
                "senderKey": settings.NHN["sender_key"],
                "templateCode": text.provider_code,
                "senderGroupingKey": key,
                "recipientList": [to | {"content": text.text, "resendParameter": {"isResend": False}}],
            }
            return self._path("raw-messages"), body, {"X-NC-API-IDEMPOTENCY-KEY": key}
        kind = kind_of(text.text)
        body = {
            "body": text.text,
            "sendNo": settings.NHN["sender"],
            "senderGroupingKey": key,
            "recipientList": [to],
        }
        if kind == LMS:
            return self._path("sender/mms"), body | {"title": title(text.text)}, {}
        return self._path("sender/sms"), body, {}

    def _path(self, what: str) -> str:
        if self.channel == "alimtalk":
            return f"/alimtalk/v2.3/appkeys/{settings.NHN['alimtalk_app_key']}/{what}"
        return f"/sms/v3.0/appKeys/{settings.NHN['sms_app_key']}/{what}"

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        """Ask for the messages of the last two days under this grouping key. Raises Rejected: it was taken, and failed
        since."""
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
                    return _found(one)
        return None

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """The hooks of a MESSAGE_RESULT_UPDATE; hooks of other events are kept and nothing follows."""
        http.same_secret(hook.headers.get("x-toast-webhook-signature", ""), settings.NHN["webhook_signature"])
        body = http.json_body(hook.body)
        if not isinstance(body, dict):
            raise BadInput("an object was expected", field="body")
        results = body.get("event") == "MESSAGE_RESULT_UPDATE"
        return [_report(event, results) for event in reading.listed(body.get("hooks"), field="hooks")]

    def close(self) -> None:
        with suppress(httpx.HTTPError):
            self._http.close()


def _found(listed: dict[str, Any]) -> Accepted:
    """What a look-up found. Raises Rejected: taken once, and it reached nobody."""
    result = str(listed.get("resultCode") or "0")
    if str(listed.get("msgStatus", listed.get("messageStatus"))) in FAILED:
        bad_address = _kind(result) == Kind.BOUNCED
        raise Rejected("taken, and it reached nobody", answer=result, bad_address=bad_address)
    return Accepted(result, provider_id=str(listed.get("requestId") or ""))


def _header(said: dict[str, Any]) -> tuple[str, str]:
    header = said.get("header")
    if not isinstance(header, dict) or "resultCode" not in header:
        raise Unknown("the answer has no header", answer="200")
    return str(header["resultCode"]), http.scrubbed(str(header.get("resultMessage", "")))


def _report(event: object, results: bool) -> Report:
    """What one hook says. One that cannot be read is kept, and takes none of the others with it."""
    if not reading.is_whole(event):
        return reading.odd(event)
    number, result = str(event.get("requestId") or ""), str(event.get("resultCode") or "")
    kind = _kind(result) if results and number and result else Kind.OTHER
    return Report(
        event_key=str(event.get("hookId") or reading.event_key(reading.raw(event)))[:100],
        kind=kind,
        provider_id=number,
        key=reading.our_key(event.get("recipientGroupingKey")) or reading.our_key(event.get("senderGroupingKey")),
        at=reading.instant(event.get("receiveDate") or event.get("resultDate") or event.get("updateDate")),
        raw=reading.raw(event),
    )


def _kind(result: str) -> Kind:
    if result in DELIVERED:
        return Kind.DELIVERED
    return Kind.BOUNCED if result in NO_SUCH_NUMBER else Kind.UNDELIVERED
