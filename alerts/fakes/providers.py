"""The interfaces that the fake speaks, as far as the transports use them: each is a request read and an answer written.

The shapes are those of the providers' documents, named in `alerts/channels/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alerts.fakes.journal import Journal, Taken

KEY_KEPT = timedelta(minutes=10)  # how long NHN remembers an idempotency key
BAD_NUMBER = "000000000"  # every provider refuses it for good; as an address: nobody@
NO_TALK = "010404"  # numbers that begin so have no KakaoTalk: an AlimTalk to them is taken and does not arrive …
NO_PHONE = "0104044"  # … and to these no text message arrives, either
PAGE = 500
TITLE_BYTES = 40  # of an LMS, at most; and at least one


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `path` is without its query, header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: dict[str, Any]


def call(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
    """A request as it came over the wire."""
    parts = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Call(method, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)


def answer(asked: Call, journal: Journal) -> Answer:
    """What the provider whose interface this is answers, when all is well with it."""
    for begins, speak in _INTERFACES.items():
        if asked.path.startswith(begins):
            try:
                return speak(asked, journal)
            except (ValueError, LookupError, TypeError):
                return Answer(400, {"code": "BadRequest", "message": "the request cannot be read"})
    return Answer(404, {"code": "NotFound", "message": "no such interface"})


def arrives(taken: Taken) -> bool:
    """Whether a message that was taken comes to its reader."""
    return not taken.to.startswith(NO_TALK if taken.channel == "alimtalk" else NO_PHONE)


def sends(asked: Call) -> bool:
    """Whether this call hands a message over; the faults are for these."""
    return asked.method == "POST"


def _euc_kr(text: str) -> int:
    """How many bytes a text has on the Korean networks."""
    return len(text.encode("cp949"))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _solapi(asked: Call, journal: Journal) -> Answer:
    if not asked.headers.get("authorization", "").startswith("HMAC-SHA256 apiKey="):
        return Answer(401, {"errorCode": "Unauthorized", "errorMessage": "no signature"})
    if asked.method == "GET":
        mine = [m for m in journal.all() if m.provider == "solapi" and asked.query.get("to", m.to) == m.to]
        start, size = int(asked.query.get("startKey", "0")), int(asked.query.get("limit", "20"))
        page = mine[start : start + min(size, PAGE)]
        listed = {
            m.number: {"messageId": m.number, "customFields": {"key": m.key}, "statusCode": "4000", "to": m.to}
            for m in page
        }
        more = str(start + len(page)) if start + len(page) < len(mine) else None
        return Answer(200, {"messageList": listed, "startKey": None, "nextKey": more, "limit": size})
    asked_for = asked.json()
    messages = asked_for["messages"]
    for message in messages:
        kakao = message.get("kakaoOptions", {})
        if message["type"] == "ATA" and not (kakao["pfId"] and kakao["templateId"]):
            words = 'kakaoOptions: "templateId" is not allowed to be empty'
            return Answer(400, {"errorCode": "ValidationError", "errorMessage": words})  # and nothing of it is taken
    once = [] if asked_for.get("allowDuplicates") else [message["to"] for message in messages]
    listed_ones, failed = [], []
    for place, message in enumerate(messages):
        refusal = ("1062", "the same number twice") if message["to"] in once[:place] else _solapi_refusal(message)
        shown = {"customFields": message.get("customFields", {})}
        if refusal:
            code, words = refusal
            failed.append(shown | {"to": message["to"], "statusCode": code, "statusMessage": words})
        else:
            listed_ones.append(shown | {"messageId": _solapi_takes(message, journal), "statusCode": "2000"})
    count = {"registeredFailed": len(failed), "registeredSuccess": len(listed_ones)}
    group = {"groupId": journal.next_number("G4V"), "count": count} if listed_ones else {}
    return Answer(200, {"failedMessageList": failed, "messageList": listed_ones, "groupInfo": group})


def _solapi_refusal(message: dict[str, Any]) -> tuple[str, str] | None:
    """The code and the words with which this message is refused; None: it is taken."""
    if BAD_NUMBER in message["to"]:
        return "3008", f"bad number {message['to']}"
    if message["type"] == "LMS" and not 0 < _euc_kr(message.get("subject", "")) <= TITLE_BYTES:
        return "1014", "the subject has 1 to 40 bytes"
    return None


def _solapi_takes(message: dict[str, Any], journal: Journal) -> str:
    """Take a message, and the text in its place where it may be sent; its number."""
    fields, kakao = message.get("customFields", {}), message.get("kakaoOptions", {})
    number, key, echo = journal.next_number("M4V"), fields.get("key", ""), fields.get("fallsBack", "")
    channel = "alimtalk" if message["type"] == "ATA" else "sms"
    taken = Taken("solapi", channel, number, key, message["to"], message["text"], _now(), message["type"], "", echo)
    journal.take(taken)
    if channel == "alimtalk" and not arrives(taken) and not kakao["disableSms"]:
        journal.take(replace(taken, channel="sms", form="LMS"))  # the same message, as a text
    return number


def _nhn(asked: Call, journal: Journal) -> Answer:
    alimtalk = asked.path.startswith("/alimtalk/")
    form = asked.path.rsplit("/", 1)[1]
    if not asked.headers.get("x-secret-key"):
        return Answer(200, _nhn_header("-1001", "Invalid secretKey"))
    if asked.method == "GET":
        wanted = {"messages": "raw-messages"}.get(form, form)
        found = [
            {"requestId": m.number, "senderGroupingKey": m.key, "recipientGroupingKey": m.key, "resultCode": "1000"}
            for m in journal.all()
            if (m.provider, m.key, m.form) == ("nhn", asked.query.get("senderGroupingKey", m.key), wanted)
        ]
        listed = {"messageSearchResultResponse": {"messages": found}} if alimtalk else {"body": {"data": found}}
        return Answer(200, _nhn_header("0", "SUCCESS") | listed)
    body = asked.json()  # first: half a request, of a caller that was killed, uses no key
    (recipient,) = body["recipientList"]
    used = asked.headers.get("x-nc-api-idempotency-key", "")
    if alimtalk and used and not journal.use_key("nhn", used, now=datetime.now(UTC), kept=KEY_KEPT):
        return Answer(200, _nhn_header("-1005", "The same 'X-NC-API-IDEMPOTENCY-KEY' was used"))
    if alimtalk and not body["templateCode"]:
        return Answer(200, _nhn_header("-2001", "The 'templateCode' must not be blank."))
    if form == "mms" and not 0 < _euc_kr(body.get("title", "")) <= TITLE_BYTES:
        return Answer(200, _nhn_header("-2014", "The recipient can not be empty."))
    bad = BAD_NUMBER in recipient["recipientNo"]
    number, key = journal.next_number("R"), body.get("senderGroupingKey", "")
    text = recipient["content"] if alimtalk else body["body"]
    if not bad:
        channel, to = "alimtalk" if alimtalk else "sms", recipient["recipientNo"]
        echo = recipient["recipientGroupingKey"]
        taken = Taken("nhn", channel, number, key, to, text, _now(), form, "", echo)
        journal.take(taken)
        if alimtalk and not arrives(taken) and recipient.get("resendParameter", {}).get("isResend", True):
            # Of the SMS service: another request, which does not know our key. Unasked as well: so says the console.
            journal.take(Taken("nhn", "sms", journal.next_number("R"), "", to, text, _now(), "sms"))
    result = {"recipientNo": recipient["recipientNo"], "resultCode": -2019 if bad else 0, "resultMessage": "said so"}
    sent = {"requestId": number, "senderGroupingKey": key}
    told = (
        {"message": sent | {"sendResults": [result]}}
        if alimtalk
        else {"body": {"data": sent | {"sendResultList": [result]}}}
    )
    return Answer(200, _nhn_header("0", "SUCCESS") | told)


def _nhn_header(code: str, words: str) -> dict[str, Any]:
    return {"header": {"isSuccessful": code == "0", "resultCode": int(code), "resultMessage": words}}


def _twilio(asked: Call, journal: Journal) -> Answer:
    if not asked.headers.get("authorization", "").startswith("Basic "):
        return Answer(401, {"code": 20003, "message": "Authenticate"})
    form = {name: values[-1] for name, values in parse_qs(asked.body.decode(), strict_parsing=True).items()}
    if BAD_NUMBER in form["To"]:
        return Answer(400, {"code": 21211, "message": f"The 'To' number {form['To']} is not valid"})
    number, calls_back = journal.next_number("SM"), form.get("StatusCallback", "")
    key = parse_qs(urlsplit(calls_back).query).get("key", [""])[0]
    journal.take(Taken("twilio", "sms", number, key, form["To"], form["Body"], _now(), "SMS", calls_back))
    return Answer(201, {"sid": number, "status": "queued"})


def _postmark(asked: Call, journal: Journal) -> Answer:
    if not asked.headers.get("x-postmark-server-token"):
        return Answer(401, {"ErrorCode": 10, "Message": "No or bad token"})
    mail = asked.json()
    if mail["To"].startswith("nobody@"):
        words = f"Found inactive addresses: {mail['To']}. Inactive recipients are ones that have bounced."
        return Answer(422, {"ErrorCode": 406, "Message": words})
    number, key = journal.next_number("postmark-"), (mail.get("Metadata") or {}).get("key", "")
    journal.take(Taken("anymail", "email", number, key, mail["To"], mail["TextBody"], _now(), "email"))
    return Answer(200, {"ErrorCode": 0, "Message": "OK", "MessageID": number, "To": mail["To"]})


def _brevo(asked: Call, journal: Journal) -> Answer:
    if asked.headers.get("api-key", "unknown") == "unknown":
        return Answer(401, {"code": "unauthorized", "message": "Key not found"})
    mail = asked.json()
    (to,) = (reader["email"] for reader in mail["to"])
    if to.startswith("nobody@"):
        return Answer(400, {"code": "invalid_parameter", "message": f"email is not valid in to: {to}"})
    number, key = journal.next_number("brevo-"), json.loads(mail["headers"]["X-Mailin-custom"])["key"]
    journal.take(Taken("anymail", "email", number, key, to, mail["textContent"], _now(), "email"))
    return Answer(201, {"messageId": number})


_INTERFACES: dict[str, Callable[[Call, Journal], Answer]] = {
    "/messages/v4/": _solapi,
    "/sms/v3.0/": _nhn,
    "/alimtalk/": _nhn,
    "/2010-04-01/": _twilio,
    "/email": _postmark,
    "/smtp/email": _brevo,
}
