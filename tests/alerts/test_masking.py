"""What is kept of a report: everything but addresses and numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alerts.channels import reading
from alerts.masking import without_addresses

KEY = "0a1b2c3d-0101-4234-8567-010112345678"


def kept(event: Any) -> Any:
    return json.loads(without_addresses(reading.raw(event) if isinstance(event, dict) else json.dumps(event)))


@pytest.mark.parametrize(
    "name",
    [
        *("to", "To", "from", "From", "recipient", "Recipient", "recipientNo", "internationalRecipientNo", "sendNo"),
        *("email", "Email", "email_address", "senderEmail", "phone", "phoneNumber", "mobileNo", "msisdn", "ReplyTo"),
        *("recipients", "user_email", "Called", "original-recipient", "toNumber"),
    ],
)
@pytest.mark.parametrize("value", ["anything at all", 1012345678, "4155552671"], ids=["text", "number", "digits"])
def test_a_field_of_people_is_masked_whatever_it_holds(name, value):
    assert kept({name: value, "status": "4000"}) == {name: "…", "status": "4000"}


def test_it_is_masked_in_its_depth_with_its_shape():
    event = {"msg": [{"to": [{"email": "minji@example.com", "name": "Minji", "n": 1}, "jun@example.com", None, ""]}]}
    assert kept(event) == {"msg": [{"to": [{"email": "…", "name": "…", "n": "…"}, "…", None, ""]}]}


@pytest.mark.parametrize(
    "address",
    [
        *("minji@example.com", "Minji.Kim+points@mail.example.co.kr", "minji%40example.com", "민지@예시.한국"),
        *("010-1234-5678", "01012345678", "010 1234 5678", "+821012345678", "+82 10-1234-5678", "821012345678"),
        *("82-10-1234-5678", "011-234-5678", "02-123-4567", "+14155552671", "+1 (415) 555-2671", "0212345678"),
    ],
)
def test_what_looks_like_an_address_is_masked_wherever_it_stands(address):
    assert kept({"reason": address}) == {"reason": "…"}
    assert kept({"detail": f"550 <{address}> unknown"}) == {"detail": "550 <…> unknown"}
    assert kept({"detail": [f"no user: {address}, sorry", 1]}) == {"detail": ["no user: …, sorry", 1]}
    assert kept({address: {"status": "1"}}) == {"…": {"status": "1"}}


def test_a_korean_number_needs_no_space_before_the_words_around_it():
    assert kept({"reason": "번호010-1234-5678로"}) == {"reason": "번호…로"}


def test_a_number_that_is_no_text_is_masked_where_it_looks_like_one():
    assert kept({"target": 821012345678, "points": 1_200}) == {"target": "…", "points": 1_200}


def test_everything_else_stays_as_it_came():
    event = {
        "messageId": "M4V20260310120000ABCDEF",
        "message-id": "<202603100300.12345678901@smtp-relay.example.com>",
        "MessageSid": "SM0101234567801012345678",
        "requestId": "20260310120000a1b2c3",
        "statusCode": "4000",
        "customFields": {"key": KEY},
        "at": ["2026-03-10T03:00:00.000Z", "2026-03-10 12:00:00", "2026-03-10T12:00:00+0900", 1773111600, "20260310"],
        "ts_epoch": 1773111600123,
        "price": 8.4,
        "points": "1,200",
        "networkCode": "450-05",
        "done": True,
        "nothing": None,
        "empty": {"to": "", "email": None},
        "statusMessage": "3월 31일에 1,200P가 소멸됩니다",
        "contentType": "application/json",
        "messageCount": 2,
    }
    assert kept(event) == event
    assert without_addresses(reading.raw(event)) == reading.raw(event)


def test_what_is_no_json_is_masked_by_its_looks():
    assert without_addresses("to minji@example.com: 250") == "to …: 250"


@pytest.mark.parametrize(
    "name",
    [
        *("text", "Text", "content", "resendContent", "templateContent", "subject", "Subject", "title", "resendTitle"),
        *("body", "Body", "body-plain", "TextBody", "HtmlBody", "html", "stripped-text", "message", "variables"),
        *("replacements", "Messages"),
    ],
)
def test_the_words_of_the_message_are_masked_whatever_they_say(name):
    words = "[별] 김민지님, 1,200P가 3월 31일에 소멸됩니다"
    event = {"statusCode": "4000", "customFields": {"key": KEY}, "price": 8.4, "log": [{"number": "M4V1"}]}
    assert kept(event | {name: words}) == event | {name: "…"}
    assert kept({"hooks": [{"sent": {name: [words, 1, None]}}]}) == {"hooks": [{"sent": {name: ["…", "…", None]}}]}


def test_the_values_of_its_variables_are_masked_and_their_names_stay():
    event = {"kakaoOptions": {"templateId": "points-60", "variables": {"#{이름}": "김민지", "#{포인트}": 1_200}}}
    masked = {"kakaoOptions": {"templateId": "points-60", "variables": {"#{이름}": "…", "#{포인트}": "…"}}}
    assert kept(event) == masked


def test_a_message_that_is_an_object_keeps_its_codes():
    event = {"message": {"id": "M1", "statusCode": "4000", "text": "김민지님", "headers": {"subject": "포인트"}}}
    masked = {"message": {"id": "M1", "statusCode": "4000", "text": "…", "headers": {"subject": "…"}}}
    assert kept(event) == masked
    assert kept({"messages": [event["message"], "김민지님"]}) == {"messages": [masked["message"], "…"]}
