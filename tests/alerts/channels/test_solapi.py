"""Looking a message up among more than a page of them; a text message in the place of an AlimTalk."""

import json
from uuid import uuid4

import httpx
import pytest

from alerts.channels import Hook, Kind, open_channel, solapi
from alerts.channels.solapi import SolapiChannel
from alerts.errors import Unknown
from tests.alerts.channels.conftest import KEY, SECRETS, message, point


@pytest.fixture
def seven(fake, settings, monkeypatch):
    """Six messages of others to the same number, and then ours; two to a page of a look-up."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi"}
    monkeypatch.setattr(solapi, "PAGE", 2)
    with open_channel("sms") as channel:
        for key in [*(uuid4() for _ in range(6)), KEY]:
            channel.send(message("sms", key=key))
        yield channel


def test_a_message_is_found_on_the_last_page(seven, fake):
    found = seven.look_up(KEY, to="+821012345678")
    assert found.provider_id == next(taken.number for taken in fake.journal.all() if taken.key == str(KEY))


def test_one_that_was_never_taken_is_looked_for_on_all_pages_and_not_found(seven):
    assert seven.look_up(uuid4(), to="+821012345678") is None


def test_more_pages_than_can_be_searched_are_no_answer(seven, monkeypatch):
    """To say that it was not taken would send it a second time."""
    monkeypatch.setattr(solapi, "MOST_PAGES", 3)
    with pytest.raises(Unknown) as unknown:
        seven.look_up(KEY, to="+821012345678")
    assert unknown.value.answer == "too_many"


# --- A text in the place of an AlimTalk

NO_TALK, NO_PHONE = "+821040400001", "+821040440001"  # the fake's: no KakaoTalk; and no telephone, either


@pytest.mark.parametrize(("falls_back", "said"), [(True, "yes"), (False, "no")])
def test_it_says_whether_a_text_may_come_in_its_place_and_marks_it(fake, settings, monkeypatch, falls_back, said):
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "solapi"}
    bodies = []
    request = httpx.Client.request

    def seen(client, method, path, **more):
        bodies.append(more["json"])
        return request(client, method, path, **more)

    monkeypatch.setattr(httpx.Client, "request", seen)
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", falls_back=falls_back))
    (sent,) = bodies[0]["messages"]
    kakao = {"pfId": "KA01PF", "templateId": "points-60", "disableSms": not falls_back}
    assert (sent["type"], sent["kakaoOptions"]) == ("ATA", kakao)
    assert sent["customFields"] == {"key": str(KEY), "fallsBack": said}


def reports(body):
    return SolapiChannel.reports(Hook({SECRETS.solapi_header.lower(): SECRETS.solapi}, body))


@pytest.mark.parametrize(
    ("to", "falls_back", "kinds"),
    [
        ("+821012345678", True, [Kind.DELIVERED]),
        (NO_TALK, True, [Kind.OTHER, Kind.DELIVERED]),
        (NO_PHONE, True, [Kind.OTHER, Kind.UNDELIVERED]),
        (NO_TALK, False, [Kind.UNDELIVERED]),
    ],
)
def test_what_may_come_as_a_text_ends_with_the_text(fake, sender, settings, to, falls_back, kinds):
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "solapi"}
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", to=to, falls_back=falls_back))
    told = [report for taken in fake.journal.all() for report in reports(sender.report(taken).body)]
    assert [report.kind for report in told] == kinds
    assert {report.key for report in told} == {str(KEY)}
    assert len({report.event_key for report in told}) == len(kinds)  # though both failed with the same code


def event(settings, **fields):
    point(settings, "http://127.0.0.1:9")
    said = {"messageId": "M1", "statusCode": "3104", "customFields": {"key": str(KEY), "fallsBack": "yes"}}
    return json.dumps([said | fields]).encode()


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "ATA"}, Kind.OTHER),
        ({}, Kind.OTHER),
        ({"type": "ATA", "replacement": False}, Kind.OTHER),
        ({"type": "ATA", "replacement": True}, Kind.UNDELIVERED),
        ({"type": "LMS"}, Kind.UNDELIVERED),
        ({"type": "LMS", "statusCode": "3000"}, Kind.OTHER),
        ({"type": "SMS", "statusCode": "4000"}, Kind.DELIVERED),
        ({"type": "ATA", "customFields": {"key": str(KEY), "fallsBack": "no"}}, Kind.UNDELIVERED),
        ({"type": "SMS", "customFields": {"key": str(KEY)}}, Kind.UNDELIVERED),
        ({"type": "SMS", "customFields": None}, Kind.UNDELIVERED),
    ],
)
def test_a_failure_is_the_end_unless_a_text_comes_in_its_place(settings, fields, kind):
    (report,) = reports(event(settings, **fields))
    assert report.kind == kind
