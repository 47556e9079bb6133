"""Solapi: SMS, LMS and AlimTalk. AlimTalk that does not arrive Solapi itself sends as a text message, where it may.

Sources: developers.solapi.com and solapi.com/developers: "sendManyDetail" (`POST /messages/v4/send-many/detail`, many
messages in one call, SMS up to 90 bytes and LMS above, custom fields of at most 100 characters), "msg-getList" (`GET
/messages/v4/list`), API key authentication (HMAC-SHA256 over date and salt), "webhook" (a list of messages). The pages
that were found do not say the name of the header in which a webhook's secret comes, so it is a setting,
SOLAPI_WEBHOOK_HEADER; the example `webhook_report.asp` of github.com/solapi/solapi-asp reads X-Solapi-Secret.

What a call answers is in the types of Solapi's own clients (github.com/solapi/solapi-nodejs, `FailedMessage` and
`MessageResponseItem`): both lists bear the custom fields, by which each message of a call is known again. With
`allowDuplicates` unset a number may stand in a call once only.

Status codes are those of "Message status codes" (github.com/solapi/documents, api-reference); "Overview" there says
that a refused call (HTTP 4xx) bears its `errorCode` from there, too. The names that come in its place, as
ValidationError, no page lists. So one that speaks of the balance, the sender, the key or a permission is taken for our
own fault, and any other one, like a code that is not known, for one message's: that one is refused, and the transport
goes on.

The text in the place of an AlimTalk: `kakaoOptions.disableSms` forbids it. "msg-getList" shows for each message its
`type` and `replacement`, whether it was sent in the place of another; the example names `type`, `statusCode` and
`customFields` of a reported one. How a replaced message is reported no page says outright. So what failed as AlimTalk
and may be replaced is open: only a report of an SMS or LMS, or of a `replacement`, under our key says how it ended.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings

from alerts.channels import http, reading
from alerts.channels.base import Accepted, Capabilities, Channel, Hook, Kind, Message, Report
from alerts.channels.korean import COUNTRIES, LMS, SMS, digits, kind_of, title
from alerts.errors import NotSent, Rejected, SendError, Unknown
from alerts.stopwatch import Stopwatch

KEY = "key"  # the custom field that holds our key
FALLS_BACK = "fallsBack"  # the custom field that says in a report whether a text may come in this message's place
AT_ONCE = 50  # Solapi takes far more; a worker that dies leaves so many to be looked up
PAGE, MOST_PAGES = 500, 20  # of a look-up
SEARCHED_FOR = timedelta(seconds=10)  # no page is asked for later: a search that began late still ends within a tick
LOOKED_BACK = timedelta(days=2)  # an outcome that is unknown is asked for within minutes; later it is not asked for
TEXTS = (SMS, LMS, "MMS")
DELIVERED, UNDER_WAY = "4000", {"2000", "3000"}  # all other status codes are failures, those of 2xxx as well
NO_SUCH_NUMBER = "3032"  # of a text: nobody has this number
# A wrong key, no balance, an unknown channel of KakaoTalk, a sender that is not registered or is blocked, a blocked
# account: somebody will mend them. Those of 2xxx are said after a message was taken, as a rule.
OUR_FAULT = {"1020", "1030", "1041", "1062", "1064", "2062", "2063", "2064", "2230"}
OUR_FAULT_BY_NAME = re.compile("balance|sender|apikey|signature|unauthorized|forbidden|permission", re.IGNORECASE)
SYSTEM = {"1024", "2024"}  # Solapi's own failure: it says that the message is not among those that it took


class SolapiChannel(Channel):
    """Up to AT_ONCE messages in a call, over one kept connection."""

    name = "solapi"
    carries = frozenset({"sms", "alimtalk"})

    @classmethod
    def capabilities(cls, channel: str) -> Capabilities:
        return Capabilities(
            longest_call=http.longest_call(),
            send_again_after_unknown=False,
            at_once=AT_ONCE,
            can_look_up=True,
            looks_back=LOOKED_BACK,
            reports=True,
            falls_back_itself=channel == "alimtalk",
            countries=COUNTRIES,
        )

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self._http = http.client(settings.SOLAPI["api_url"])

    def send(self, message: Message) -> Accepted:
        """Hand one message over, under its key as a custom field."""
        return self._one(_body([self._written(message)]))

    def send_all(self, messages: Sequence[Message]) -> list[Accepted | SendError]:
        """Hand these over in one call: each is taken or refused under its own key.

        Solapi refuses a call as a whole for one message that it cannot read (4xx). Nothing of it was taken then, and
        whose fault it was is not known: NotSent for all, and whoever tries again calls for each by itself.
        """
        return self.prepare(messages)()

    def prepare(self, messages: Sequence[Message]) -> Callable[[], list[Accepted | SendError]]:
        written: dict[UUID, dict[str, Any]] = {}
        answers: dict[UUID, Accepted | SendError] = {}
        for message in messages:
            try:
                written[message.key] = self._written(message)
            except SendError as error:  # of a number, for example, that Solapi does not carry to
                answers[message.key] = error
        body = _body(written.values())

        def hand_over() -> list[Accepted | SendError]:
            if written:
                answers.update(self._hand_over(written, body))
            return [answers[message.key] for message in messages]

        return hand_over

    def _hand_over(self, keys: Collection[UUID], body: bytes) -> Mapping[UUID, Accepted | SendError]:
        try:
            return dict.fromkeys(keys, self._one(body)) if len(keys) == 1 else self._many(keys, body)
        except SendError as error:
            return dict.fromkeys(keys, error)

    def _one(self, body: bytes) -> Accepted:
        """The answer to a call with one message, which need not be named in it."""
        said = self._call(body)
        for refused in _listed(said.get("failedMessageList")):
            raise _refused(refused)
        taken = _listed(said.get("messageList"))
        group = said.get("groupInfo") or {}
        if not taken and not group.get("groupId"):
            raise Unknown("the answer names no message", answer="200")
        return _taken(taken[0] if taken else {})

    def _many(self, keys: Collection[UUID], body: bytes) -> Mapping[UUID, Accepted | SendError]:
        try:
            said = self._call(body)
        except Rejected as error:
            raise NotSent(error.detail, answer=error.answer, answered=True) from error
        taken = {_key_of(one): _taken(one) for one in _listed(said.get("messageList"))}
        refused = {_key_of(one): _refused(one) for one in _listed(said.get("failedMessageList"))}
        unclear = dict.fromkeys(taken.keys() & refused.keys(), Unknown("taken and refused", answer="200"))
        unnamed = Unknown("the answer does not name this message", answer="200")
        answers = taken | refused | unclear
        return {key: answers.get(str(key), unnamed) for key in keys}

    def _call(self, body: bytes) -> dict[str, Any]:
        headers = _signed() | {"Content-Type": "application/json"}
        try:
            return http.call(self._http, "POST", "/messages/v4/send-many/detail", content=body, headers=headers)
        except Rejected as error:
            raise _refusal(error.answer, error.detail) from error

    def _written(self, message: Message) -> dict[str, Any]:
        written: dict[str, Any] = {
            "to": digits(message.to),
            "from": settings.SOLAPI["sender"],
            "text": message.text.text,
            "customFields": {KEY: str(message.key)},
        }
        if self.channel == "alimtalk":
            kakao: dict[str, str | bool] = {"pfId": settings.SOLAPI["pf_id"], "templateId": message.text.provider_code}
            kakao |= {"disableSms": not message.falls_back}
            fields = {KEY: str(message.key), FALLS_BACK: "yes" if message.falls_back else "no"}
            return written | {"type": "ATA", "customFields": fields, "kakaoOptions": kakao}
        kind = kind_of(message.text.text)
        return written | {"type": kind} | ({"subject": title(message.text.text)} if kind == LMS else {})

    def look_up(self, key: UUID, *, to: str = "") -> Accepted | None:
        """Search the messages of the last two days, page by page. Raises Rejected: it was taken, and failed since;
        Unknown: too many, or it lasts too long."""
        watch = Stopwatch(datetime.now(UTC))
        since = watch.now - LOOKED_BACK
        asked = {"limit": str(PAGE), "dateType": "CREATED", "startDate": since.isoformat(timespec="seconds")}
        if to:
            asked["to"] = digits(to)
        for _page in range(MOST_PAGES):
            if watch.spent >= SEARCHED_FOR:
                raise Unknown("the search takes too long", answer="too_slow")
            said = http.call(self._http, "GET", "/messages/v4/list", params=asked, headers=_signed())
            if not isinstance(said.get("messageList"), dict | list):
                raise Unknown("the answer holds no list", answer="200")
            for found in _listed(said["messageList"]):
                if _key_of(found) == str(key):
                    return _found(found)
            if not said.get("nextKey"):
                return None
            asked["startKey"] = str(said["nextKey"])
        raise Unknown("too many messages to search", answer="too_many")

    @classmethod
    def reports(cls, hook: Hook) -> list[Report]:
        """The messages of a report, each with its status."""
        header = settings.SOLAPI["webhook_header"].lower()
        http.same_secret(hook.headers.get(header, ""), settings.SOLAPI["webhook_secret"])
        return [_report(event) for event in reading.listed(http.json_body(hook.body))]

    def close(self) -> None:
        with suppress(httpx.HTTPError):
            self._http.close()


def _body(written: Iterable[dict[str, Any]]) -> bytes:
    # Two members may have one telephone.
    asked = {"messages": list(written), "showMessageList": True, "allowDuplicates": True}
    return json.dumps(asked, ensure_ascii=False).encode()


def _key_of(listed: dict[str, Any]) -> str:
    """Our key in a message of an answer; empty: it has none."""
    return str(_fields(listed).get(KEY, ""))


def _fields(listed: dict[str, Any]) -> dict[str, Any]:
    fields = listed.get("customFields")
    return fields if isinstance(fields, dict) else {}


def _taken(listed: dict[str, Any]) -> Accepted:
    return Accepted(str(listed.get("statusCode") or "2000"), provider_id=str(listed.get("messageId") or ""))


def _found(listed: dict[str, Any]) -> Accepted:
    """What a look-up found. Raises Rejected: taken once, and it reached nobody."""
    kind = _kind_of(listed)
    status = str(listed.get("statusCode") or "")
    if status and kind in (Kind.UNDELIVERED, Kind.BOUNCED):
        raise Rejected("taken, and it reached nobody", answer=status, bad_address=kind == Kind.BOUNCED)
    return Accepted(status, provider_id=str(listed.get("messageId") or ""))


def _refused(listed: dict[str, Any]) -> SendError:
    return _refusal(str(listed.get("statusCode")), http.scrubbed(str(listed.get("statusMessage", ""))))


def _refusal(code: str, words: str) -> SendError:
    """The one of the four errors that a code says, of a message that was not taken."""
    if code in OUR_FAULT or (not code.isdecimal() and OUR_FAULT_BY_NAME.search(code)):
        return NotSent(words, answer=code, transport_down=True)
    return NotSent(words, answer=code) if code in SYSTEM else Rejected(words, answer=code)


def _report(event: object) -> Report:
    """What one message's report says. One that cannot be read is kept, and takes none of the others with it."""
    if not reading.is_whole(event):
        return reading.odd(event)
    number, status = str(event.get("messageId") or ""), str(event.get("statusCode") or "")
    if not number or not status:
        return reading.odd(event)
    in_its_place = _is_text(event) and FALLS_BACK in _fields(event)
    return Report(
        # An AlimTalk and the text in its place can fail with the same code.
        event_key=reading.event_key(number, status, *(["text"] if in_its_place else [])),
        kind=_kind_of(event),
        provider_id=number,
        key=reading.our_key(_key_of(event)),
        at=reading.instant(event.get("dateReported") or event.get("dateReceived") or event.get("dateUpdated")),
        raw=reading.raw(event),
    )


def _is_text(one: dict[str, Any]) -> bool:
    """Whether it is a text message, and be it one that Solapi sent in the place of an AlimTalk."""
    return one.get("type") in TEXTS or one.get("replacement") is True


def _kind_of(one: dict[str, Any]) -> Kind:
    """What the status of a message says, in a report as in a list."""
    fields = _fields(one)
    is_talk = not _is_text(one) and (one.get("type") == "ATA" or FALLS_BACK in fields)
    open_ended = is_talk and fields.get(FALLS_BACK) == "yes"
    return _kind(str(one.get("statusCode") or ""), is_talk=is_talk, open_ended=open_ended)


def _kind(status: str, *, is_talk: bool, open_ended: bool) -> Kind:
    """What a status says. `open_ended`: a failure is not the end, because Solapi sends a text in its place.

    Not where the failure is the account's: there a text would fail as well.
    """
    if status == DELIVERED:
        return Kind.DELIVERED
    if status in UNDER_WAY or (open_ended and status not in OUR_FAULT | SYSTEM):
        return Kind.OTHER
    return Kind.BOUNCED if status == NO_SUCH_NUMBER and not is_talk else Kind.UNDELIVERED


def _listed(found: Any) -> list[dict[str, Any]]:
    """Messages as a list: answers hold them by their numbers, or as a list."""
    if isinstance(found, dict):
        found = list(found.values())
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _signed() -> dict[str, str]:
    """The header of a call: an HMAC-SHA256 over the date and a salt."""
    date = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    salt = secrets.token_hex(16)
    signature = hmac.new(settings.SOLAPI["api_secret"].encode(), f"{date}{salt}".encode(), hashlib.sha256).hexdigest()
    key = settings.SOLAPI["api_key"]
    return {"Authorization": f"HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, signature={signature}"}
