"""A text message in the place of an AlimTalk: asked for where it may be, believed where NHN says what came of it."""

import json

import httpx
import pytest

from alerts.channels import Hook, Kind, open_channel
from alerts.channels.nhn import NhnChannel
from tests.alerts.channels.conftest import KEY, SECRETS, message, point

NO_TALK = "+821040400001"  # the fake's: no KakaoTalk, and a telephone


@pytest.fixture
def posted(fake, settings, monkeypatch):
    """The bodies of all calls."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "nhn"}
    bodies = []
    request = httpx.Client.request

    def seen(client, method, path, **more):
        bodies.append(more.get("json"))
        return request(client, method, path, **more)

    monkeypatch.setattr(httpx.Client, "request", seen)
    return bodies


@pytest.mark.parametrize("falls_back", [True, False])
def test_it_says_whether_a_text_may_come_in_its_place_and_marks_it(posted, falls_back):
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", falls_back=falls_back))
    (recipient,) = posted[0]["recipientList"]
    if falls_back:
        assert recipient["resendParameter"] == {
            "isResend": True,
            "resendType": "SMS",
            "resendContent": recipient["content"],
            "resendSendNo": "0215880000",
        }
        assert recipient["recipientGroupingKey"] == f"{KEY}/sms"
    else:
        assert recipient["resendParameter"] == {"isResend": False}  # left out, it would be as the console says
        assert recipient["recipientGroupingKey"] == str(KEY)
    assert posted[0]["senderGroupingKey"] == str(KEY)  # a look-up asks for it


@pytest.mark.parametrize(("falls_back", "texts"), [(True, 1), (False, 0)])
def test_whoever_has_no_kakaotalk_gets_a_text_where_one_may_come(posted, fake, sender, falls_back, texts):
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", to=NO_TALK, falls_back=falls_back))
        assert channel.look_up(KEY) is not None
    talk, *sent = fake.journal.all()
    assert [(one.channel, one.to, one.key) for one in sent] == [("sms", "01040400001", "")] * texts
    (report,) = reports(sender.report(talk).body)
    assert (report.kind, report.key) == (Kind.OTHER if falls_back else Kind.UNDELIVERED, str(KEY))


def hook(settings, **fields):
    point(settings, "http://127.0.0.1:9")
    event = {"hookId": "1", "requestId": "R1", "resultCode": "MRC02", "senderGroupingKey": str(KEY)} | fields
    return json.dumps({"event": "MESSAGE_RESULT_UPDATE", "hooks": [event]}).encode()


def reports(body):
    return NhnChannel.reports(Hook({"x-toast-webhook-signature": SECRETS.nhn}, body))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, Kind.OTHER),  # the text is under way, for all that anybody knows
        ({"resendStatus": "RSC01"}, Kind.UNDELIVERED),  # and none is sent
        ({"resendStatus": "RSC02"}, Kind.OTHER),
        ({"resendStatus": "RSC03"}, Kind.OTHER),
        ({"resendStatus": "RSC04", "resendResultCode": "1000"}, Kind.DELIVERED),
        ({"resendStatus": "RSC05", "resendResultCode": "3015"}, Kind.UNDELIVERED),
        ({"resendStatus": "RSC99"}, Kind.OTHER),
        ({"resultCode": "MRC01"}, Kind.DELIVERED),
        ({"resultCode": "MRC01", "resendStatus": "RSC02"}, Kind.DELIVERED),  # it would have been resent
    ],
)
def test_what_failed_and_may_come_as_a_text_ends_with_the_text(settings, fields, kind):
    (report,) = reports(hook(settings, recipientGroupingKey=f"{KEY}/sms", **fields))
    assert (report.kind, report.key) == (kind, str(KEY))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, Kind.UNDELIVERED), ({"resendStatus": "RSC01"}, Kind.UNDELIVERED), ({"resultCode": "MRC01"}, Kind.DELIVERED)],
)
def test_what_failed_and_may_not_has_come_back(settings, fields, kind):
    (report,) = reports(hook(settings, recipientGroupingKey=str(KEY), **fields))
    assert (report.kind, report.key) == (kind, str(KEY))
