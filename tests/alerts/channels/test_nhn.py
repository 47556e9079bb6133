"""No text message of NHN's in the place of an AlimTalk; its codes, of two tables; its reports, odd ones among them."""

import json
import socket
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from alerts.channels import Accepted, Hook, Kind, http, open_channel
from alerts.channels.nhn import NhnChannel
from alerts.errors import BadInput, NotSent, Rejected, Throttled, Unknown
from alerts.fakes import providers
from alerts.masking import without_addresses
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
def test_nhn_is_told_to_send_no_text_in_its_place_and_the_keys_are_plain(posted, falls_back):
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", falls_back=falls_back))
    (recipient,) = posted[0]["recipientList"]
    assert recipient["resendParameter"] == {"isResend": False}  # left out, it would be as the console says
    assert recipient["recipientGroupingKey"] == posted[0]["senderGroupingKey"] == str(KEY)


@pytest.mark.parametrize("falls_back", [True, False])
def test_whoever_has_no_kakaotalk_gets_no_text_of_nhns_and_the_failure_is_the_end(posted, fake, sender, falls_back):
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", to=NO_TALK, falls_back=falls_back))
        assert channel.look_up(KEY) is not None
    (talk,) = fake.journal.all()
    (report,) = reports(sender.report(talk).body)
    assert (report.kind, report.key) == (Kind.UNDELIVERED, str(KEY))


def body(*hooks, event="MESSAGE_RESULT_UPDATE"):
    return json.dumps({"event": event, "hooks": list(hooks)}).encode()


def reports(body):
    return NhnChannel.reports(Hook({"x-toast-webhook-signature": SECRETS.nhn}, body))


def hook(**fields):
    return {"hookId": "1", "requestId": "R1", "resultCode": "1000", "recipientGroupingKey": str(KEY)} | fields


@pytest.fixture
def signed(settings):
    point(settings, "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *(("1000", Kind.DELIVERED), ("MRC01", Kind.DELIVERED), ("MRC02", Kind.UNDELIVERED), ("3015", Kind.UNDELIVERED)),
        *(("3001", Kind.BOUNCED), ("3003", Kind.BOUNCED)),  # nobody has it; it does not exist
        *(("2003", Kind.UNDELIVERED), ("2004", Kind.UNDELIVERED), ("3004", Kind.UNDELIVERED)),  # off, full, suspended
        *(("3006", Kind.UNDELIVERED), ("3000", Kind.UNDELIVERED)),  # refused; cannot be sent
    ],
)
def test_what_a_result_says_of_the_message_and_of_its_number(signed, code, kind):
    (report,) = reports(body(hook(resultCode=code)))
    assert (report.kind, report.key, report.provider_id) == (kind, str(KEY), "R1")


def test_a_report_of_a_message_whose_recipient_key_had_a_mark_is_found_by_the_senders(signed):
    (report,) = reports(body(hook(recipientGroupingKey=f"{KEY}/sms", senderGroupingKey=str(KEY))))
    assert report.key == str(KEY)


ODD = [
    "text",
    None,
    {},
    {"hookId": "2"},
    {"hookId": "2", "requestId": "R2"},
    {"hookId": "a\x00", "requestId": "R2", "resultCode": "1000"},
]


@pytest.mark.parametrize("odd", ODD, ids=[json.dumps(one) for one in ODD])
def test_an_odd_hook_is_kept_and_the_others_with_it(signed, odd):
    first, second, third = reports(body(hook(), odd, hook(hookId="3", requestId="R3")))
    assert [(one.kind, one.provider_id) for one in (first, third)] == [(Kind.DELIVERED, "R1"), (Kind.DELIVERED, "R3")]
    assert second.kind == Kind.OTHER
    assert 0 < len(second.event_key) <= 100
    assert second.event_key not in (first.event_key, third.event_key)
    assert [one.event_key for one in reports(body(odd))] == [second.event_key]
    written = second.raw + second.provider_id + second.key + without_addresses(second.raw)
    assert "\\u0000" not in written
    assert "\x00" not in written
    written.encode()


@pytest.mark.parametrize("wrong", [b"half", b"[]", b'{"hooks": {}}', b'{"event": "MESSAGE_RESULT_UPDATE"}'])
def test_a_body_that_is_no_list_of_hooks_is_refused(signed, wrong):
    with pytest.raises(BadInput):
        reports(wrong)


@pytest.fixture
def answers(fake, settings, monkeypatch):
    """What the fake answers with instead of the provider's own: a code in the header, or of the one recipient."""

    def answer(channel, header, recipient=None):
        settings.TRANSPORTS = settings.TRANSPORTS | {channel: "nhn"}
        result = {"recipientNo": "01012345678", "resultCode": recipient or 0}
        listed = "sendResults" if channel == "alimtalk" else "sendResultList"
        sent = {"requestId": "R1", listed: [result]}
        told = {"message": sent} if channel == "alimtalk" else {"body": {"data": sent}}
        said = {"header": {"isSuccessful": header == 0, "resultCode": header}} | told
        monkeypatch.setattr(providers, "answer", lambda asked, journal: providers.Answer(200, said))
        with open_channel(channel) as opened:
            return opened.send(message(channel))

    return answer


@pytest.mark.parametrize(
    ("channel", "code", "kind"),
    [
        *((channel, -1000, NotSent) for channel in ("sms", "alimtalk")),
        ("sms", -1004, NotSent),  # an IP that is not allowed; in the other table, a channel that is registered already
        ("alimtalk", -1004, Rejected),
        *(("sms", -1008, NotSent), ("sms", -2312, NotSent), ("sms", -2313, NotSent), ("alimtalk", -1027, NotSent)),
    ],
)
def test_our_own_fault_costs_nobody_a_message_and_stops_the_transport(answers, channel, code, kind):
    with pytest.raises(kind) as raised:
        answers(channel, code)
    assert raised.value.answer == str(code)
    assert getattr(raised.value, "transport_down", False) is (kind is NotSent)


@pytest.mark.parametrize("recipient", [False, True])
def test_a_message_that_was_not_queued_is_tried_again_and_no_other_waits_for_it(answers, recipient):
    with pytest.raises(NotSent) as raised:
        answers("sms", *((0, -2021) if recipient else (-2021,)))
    assert (raised.value.answer, raised.value.transport_down) == ("-2021", False)


@pytest.mark.parametrize(("channel", "code"), [("sms", -9999), ("alimtalk", -9999), ("alimtalk", -7000)])
def test_after_a_failure_of_the_system_nobody_knows(answers, channel, code):
    with pytest.raises(Unknown) as raised:
        answers(channel, code)
    assert raised.value.answer == str(code)


def test_a_day_that_is_used_up_leaves_the_transport_alone_for_an_hour(answers):
    with pytest.raises(Throttled) as raised:
        answers("alimtalk", -1017)
    assert (raised.value.retry_after.total_seconds(), raised.value.of_transport) == (3_600, True)
    with pytest.raises(Rejected):
        answers("sms", -1017)


def test_a_used_key_is_of_alimtalk_alone(answers):
    """The same code says of an SMS that a parameter is wrong: to look it up would find nothing, and try for ever."""
    with pytest.raises(Rejected) as raised:
        answers("sms", -1005)
    assert raised.value.answer == "-1005"


@pytest.mark.parametrize("channel", ["sms", "alimtalk"])
@pytest.mark.parametrize(("header", "recipient"), [(-2019, None), (0, -2019), (-123456, None)])
def test_what_is_about_one_number_or_is_not_known_refuses_that_message_alone(answers, channel, header, recipient):
    with pytest.raises(Rejected):
        answers(channel, header, recipient)


def test_the_fake_refuses_an_lms_without_a_title(fake, settings, monkeypatch):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn"}
    monkeypatch.setattr("alerts.channels.nhn.title", lambda text: "")
    asked = message("sms")
    with open_channel("sms") as channel, pytest.raises(Rejected) as refused:
        channel.send(replace(asked, text=replace(asked.text, text="가" * 46)))
    assert refused.value.answer == "-2014"
    assert fake.journal.all() == []


def test_what_a_used_key_stands_for_is_not_asked_late_in_a_tick(fake, settings, monkeypatch):
    """It is unknown then, and is found out by whoever has the time."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "nhn"}
    with open_channel("alimtalk") as channel:
        first = channel.send(message("alimtalk"))
        monkeypatch.setattr("alerts.channels.nhn.ASKED_WITHIN", timedelta(seconds=-1))
        with pytest.raises(Unknown) as unknown:
            channel.send(message("alimtalk"))
        assert unknown.value.answer == "key_used"
        found = channel.look_up(KEY)
    assert found is not None
    assert found.provider_id == first.provider_id
    assert len(fake.journal.all()) == 1


@pytest.mark.parametrize(
    ("channel", "found", "answer"),
    [
        ("sms", {"msgStatus": "3", "resultCode": "1000"}, "1000"),
        ("sms", {"msgStatus": "2", "resultCode": None}, "0"),
        ("sms", {"msgStatus": "0", "resultCode": "3015"}, None),
        ("alimtalk", {"messageStatus": "COMPLETED", "resultCode": "MRC01"}, "MRC01"),
        ("alimtalk", {"messageStatus": "FAILED", "resultCode": "MRC02"}, None),
    ],
)
def test_what_a_look_up_finds_was_taken_unless_it_failed_since(fake, settings, monkeypatch, channel, found, answer):
    settings.TRANSPORTS = settings.TRANSPORTS | {channel: "nhn"}
    one = {"requestId": "R1", "senderGroupingKey": str(KEY)} | found
    said = {"header": {"resultCode": 0}, "body": {"data": [one]}, "messageSearchResultResponse": {"messages": [one]}}
    monkeypatch.setattr(http, "call", lambda *args, **more: said)
    with open_channel(channel) as opened:
        if answer:
            assert opened.look_up(KEY) == Accepted(answer, provider_id="R1")
            return
        with pytest.raises(Rejected) as failed:
            opened.look_up(KEY)
    assert (failed.value.answer, failed.value.bad_address) == (found["resultCode"], False)


def test_half_a_request_of_a_caller_that_died_uses_no_key(fake, settings):
    """The fake's own: a provider that has not read the message has not taken it."""
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "nhn"}
    with socket.create_connection(("127.0.0.1", fake.port)) as died:
        lines = ["POST /alimtalk/v2.3/appkeys/a/raw-messages HTTP/1.1", "X-Secret-Key: s", "Content-Length: 500"]
        lines += [f"X-NC-API-IDEMPOTENCY-KEY: {KEY}", "", '{"recipientList": [{']
        died.sendall("\r\n".join(lines).encode())
        died.shutdown(socket.SHUT_WR)
        assert died.recv(12) == b"HTTP/1.1 400"
    assert fake.journal.all() == []
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk"))
    assert [one.key for one in fake.journal.all()] == [str(KEY)]
