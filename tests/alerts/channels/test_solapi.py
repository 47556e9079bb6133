"""Looking a message up among more than a page of them; a text in the place of an AlimTalk; codes; odd reports."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from alerts.channels import Accepted, Hook, Kind, http, open_channel, solapi
from alerts.channels.solapi import SolapiChannel
from alerts.errors import BadInput, NotSent, Rejected, Throttled, Unknown
from alerts.fakes import providers
from alerts.masking import without_addresses
from tests.alerts.channels.conftest import KEY, OTHER, SECRETS, WORDS, message, point


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


def test_a_search_that_lasts_longer_than_a_tick_has_is_no_answer(seven, monkeypatch):
    monkeypatch.setattr(solapi, "SEARCHED_FOR", timedelta())
    with pytest.raises(Unknown) as unknown:
        seven.look_up(KEY, to="+821012345678")
    assert unknown.value.answer == "too_slow"


@pytest.mark.parametrize(
    ("found", "dead"),
    [
        ({"statusCode": "3059"}, False),
        ({"statusCode": "2040"}, False),
        ({"statusCode": "3032"}, True),
        ({"statusCode": "3102", "type": "ATA"}, False),
    ],
)
def test_one_that_failed_since_is_no_message_that_was_taken(seven, monkeypatch, found, dead):
    listed = {"M1": {"messageId": "M1", "customFields": {"key": str(KEY)}} | found}
    monkeypatch.setattr(http, "call", lambda *args, **more: {"messageList": listed})
    with pytest.raises(Rejected) as failed:
        seven.look_up(KEY, to="+821012345678")
    assert (failed.value.answer, failed.value.bad_address) == (found["statusCode"], dead)


@pytest.mark.parametrize(
    "found",
    [
        {"statusCode": "4000"},
        {"statusCode": "2000"},
        {"statusCode": "3000"},
        {},
        # A text of Solapi's may still come in its place.
        {"statusCode": "3102", "type": "ATA", "customFields": {"key": str(KEY), "fallsBack": "yes"}},
    ],
)
def test_one_that_arrived_or_is_under_way_was_taken(seven, monkeypatch, found):
    listed = {"M1": {"messageId": "M1", "customFields": {"key": str(KEY)}} | found}
    monkeypatch.setattr(http, "call", lambda *args, **more: {"messageList": listed})
    assert seven.look_up(KEY, to="+821012345678") == Accepted(found.get("statusCode", ""), provider_id="M1")


# --- A text in the place of an AlimTalk

NO_TALK, NO_PHONE = "+821040400001", "+821040440001"  # the fake's: no KakaoTalk; and no telephone, either


@pytest.fixture
def posted(fake, monkeypatch):
    """The bodies of all calls."""
    bodies = []
    request = httpx.Client.request

    def seen(client, method, path, **more):
        bodies.append(json.loads(more["content"]))
        return request(client, method, path, **more)

    monkeypatch.setattr(httpx.Client, "request", seen)
    return bodies


@pytest.mark.parametrize(("falls_back", "said"), [(True, "yes"), (False, "no")])
def test_it_says_whether_a_text_may_come_in_its_place_and_marks_it(fake, settings, posted, falls_back, said):
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "solapi"}
    with open_channel("alimtalk") as channel:
        channel.send(message("alimtalk", falls_back=falls_back))
    (sent,) = posted[0]["messages"]
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
        *(({"statusCode": code}, Kind.OTHER) for code in ("2000", "3000", "3032")),
        *(({"statusCode": code}, Kind.UNDELIVERED) for code in ("2024", "2062", "2230")),  # no text can be sent, either
        ({"type": "SMS", "customFields": None}, Kind.UNDELIVERED),
    ],
)
def test_a_failure_is_the_end_unless_a_text_comes_in_its_place(settings, fields, kind):
    (report,) = reports(event(settings, **fields))
    assert report.kind == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *(("2000", Kind.OTHER), ("3000", Kind.OTHER), ("4000", Kind.DELIVERED)),
        *(("2230", Kind.UNDELIVERED), ("2024", Kind.UNDELIVERED)),  # it was taken, and failed before any network had it
        ("3032", Kind.BOUNCED),  # nobody has this number
        *(("3043", Kind.UNDELIVERED), ("3044", Kind.UNDELIVERED), ("3045", Kind.UNDELIVERED)),  # off, full, suspended
        *(("3047", Kind.UNDELIVERED), ("3058", Kind.UNDELIVERED)),
    ],
)
@pytest.mark.parametrize("fields", [{"type": "SMS"}, {"type": "LMS"}, {}], ids=["sms", "lms", "untyped"])
def test_what_a_status_says_of_a_text_and_of_its_number(settings, code, kind, fields):
    (report,) = reports(event(settings, statusCode=code, customFields={"key": str(KEY)}, **fields))
    assert (report.kind, report.key) == (kind, str(KEY))


@pytest.mark.parametrize(("falls_back", "replacement"), [("no", False), ("yes", True)])
def test_a_number_that_nobody_has_is_one_for_texts_alone(settings, falls_back, replacement):
    fields = {"key": str(KEY), "fallsBack": falls_back}
    (report,) = reports(event(settings, type="ATA", replacement=replacement, statusCode="3032", customFields=fields))
    assert report.kind == (Kind.BOUNCED if replacement else Kind.UNDELIVERED)


ODD = [
    "text",
    7,
    {},
    {"to": "01012345678"},
    {"messageId": "M2"},
    {"messageId": "M2\x00", "statusCode": "4000"},
]


@pytest.mark.parametrize("odd", ODD, ids=[json.dumps(one) for one in ODD])
def test_an_odd_message_is_kept_and_the_others_with_it(settings, odd):
    (good,) = json.loads(event(settings, statusCode="4000", type="SMS"))
    first, second, third = reports(json.dumps([good, odd, good | {"messageId": "M3"}]).encode())
    assert [(one.kind, one.provider_id) for one in (first, third)] == [(Kind.DELIVERED, "M1"), (Kind.DELIVERED, "M3")]
    assert (second.kind, second.provider_id, second.key, second.at) == (Kind.OTHER, "", "", None)
    assert len({first.event_key, second.event_key, third.event_key}) == 3
    assert [one.event_key for one in reports(json.dumps([odd]).encode())] == [second.event_key]
    written = second.raw + without_addresses(second.raw)
    assert "\\u0000" not in written
    written.encode()


@pytest.mark.parametrize("wrong", [b"half", b"{}", b'"text"', b"null"])
def test_a_body_that_is_no_list_is_refused(settings, wrong):
    point(settings, "http://127.0.0.1:9")
    with pytest.raises(BadInput):
        reports(wrong)


# --- Codes


@pytest.fixture
def answers(fake, settings, monkeypatch):
    """What the fake answers with instead of the provider's own: a refused call, or one message that was not taken."""

    def answer(code, status):
        settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi"}
        content = {"errorCode": code, "errorMessage": "so it is"}
        if status == 200:
            content = {"failedMessageList": [{"statusCode": code, "statusMessage": "so it is"}], "groupInfo": {}}
        monkeypatch.setattr(providers, "answer", lambda asked, journal: providers.Answer(status, content))
        with open_channel("sms") as channel:
            return channel.send(message("sms"))

    return answer


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["1020", "1030", "1041", "1062", "1064", "2230", "NotEnoughBalance", "InvalidAPIKey"])
def test_our_own_fault_costs_nobody_a_message_and_stops_the_transport(answers, code, status):
    with pytest.raises(NotSent) as raised:
        answers(code, status)
    assert (raised.value.answer, raised.value.transport_down) == (code, True)


@pytest.mark.parametrize("status", [200, 400])
def test_after_a_failure_of_the_system_it_is_tried_again_and_no_other_waits_for_it(answers, status):
    with pytest.raises(NotSent) as raised:
        answers("1024", status)
    assert (raised.value.answer, raised.value.transport_down) == ("1024", False)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["1010", "1029", "1043", "1058", "1060", "1061", "9999", "ValidationError"])
def test_what_is_about_one_message_or_is_not_known_refuses_that_one_alone(answers, code, status):
    with pytest.raises(Rejected) as raised:
        answers(code, status)
    assert (raised.value.answer, raised.value.bad_address) == (code, False)


@pytest.mark.parametrize("wrong", ["", "가" * 21])
def test_the_fake_refuses_an_lms_with_no_subject_and_with_too_long_a_one(fake, settings, monkeypatch, wrong):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi"}
    monkeypatch.setattr(solapi, "title", lambda text: wrong)
    asked = message("sms")
    with open_channel("sms") as channel, pytest.raises(Rejected) as refused:
        channel.send(replace(asked, text=replace(asked.text, text="가" * 46)))
    assert refused.value.answer == "1014"
    assert fake.journal.all() == []


# --- Several messages in one call


@pytest.fixture
def solapi_sms(fake, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi"}
    with open_channel("sms") as channel:
        yield channel


def several(*numbers: str):
    """A message to each of these numbers, under a key of its own."""
    return [message("sms", key=uuid4(), to=number) for number in numbers]


def test_several_go_in_one_call_and_each_has_its_own_answer(solapi_sms, fake, posted):
    three = several("+821012345671", "+821000000000", "+821012345673")
    answers = solapi_sms.send_all(three)
    assert len(posted) == 1
    taken = {one.key: one.number for one in fake.journal.all()}
    assert taken.keys() == {str(three[0].key), str(three[2].key)}
    assert [type(answer) for answer in answers] == [Accepted, Rejected, Accepted]
    assert [answers[0].provider_id, answers[2].provider_id] == [taken[str(three[0].key)], taken[str(three[2].key)]]
    assert (answers[1].answer, "000000000" in answers[1].detail) == ("3008", False)


def test_two_members_with_one_telephone_both_get_theirs(solapi_sms, fake):
    two = several("+821012345671", "+821012345671")
    assert [type(answer) for answer in solapi_sms.send_all(two)] == [Accepted, Accepted]
    assert [one.key for one in fake.journal.all()] == [str(one.key) for one in two]


def test_one_alone_is_answered_as_by_itself(solapi_sms, fake):
    (answer,) = solapi_sms.send_all(several("+821012345671"))
    assert answer.provider_id == fake.journal.all()[0].number
    (answer,) = solapi_sms.send_all(several("+821000000000"))
    assert (type(answer), answer.answer) == (Rejected, "3008")


def test_a_number_that_solapi_does_not_carry_to_is_in_no_call_and_refused_alone(solapi_sms, fake, posted):
    three = several("+821012345671", "+14155552671", "+821012345673")
    assert [type(answer) for answer in solapi_sms.send_all(three)] == [Accepted, Rejected, Accepted]
    assert [one["to"] for one in posted[0]["messages"]] == ["01012345671", "01012345673"]
    assert [type(answer) for answer in solapi_sms.send_all(several("+14155552671"))] == [Rejected]
    assert len(posted) == 1  # nothing to hand over, no call


def test_a_call_that_is_refused_as_a_whole_sent_nothing_and_refuses_no_message_for_good(fake, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"alimtalk": "solapi"}
    whole, odd = message("alimtalk"), message("alimtalk", key=OTHER, text=replace(WORDS, provider_code=""))
    with open_channel("alimtalk") as channel:
        refused: list[Any] = list(channel.send_all([whole, odd]))
        assert [(type(one), one.answer, one.transport_down, one.answered) for one in refused] == [
            (NotSent, "ValidationError", False, True)
        ] * 2
        assert fake.journal.all() == []
        (alone,) = list[Any](channel.send_all([odd]))  # then it is known whose fault it is
        assert (type(alone), alone.answer) == (Rejected, "ValidationError")


@pytest.mark.parametrize(
    ("mode", "kind", "taken"),
    [("503", Unknown, 0), ("429", Throttled, 0), ("drop", Unknown, 2), ("garbled", Unknown, 2)],
)
def test_what_the_whole_call_came_to_each_of_its_messages_came_to(solapi_sms, fake, mode, kind, taken):
    fake.faults.set({mode: 1.0})
    answers = solapi_sms.send_all(several("+821012345671", "+821012345672"))
    assert [type(answer) for answer in answers] == [kind, kind]
    assert len(fake.journal.all()) == taken


def test_a_key_that_is_wrong_is_the_whole_calls_fault(solapi_sms, fake, monkeypatch):
    monkeypatch.setattr(solapi, "_signed", dict)
    answers = solapi_sms.send_all(several("+821012345671", "+821012345672"))
    assert [(type(answer), answer.transport_down) for answer in answers] == [(NotSent, True)] * 2


@pytest.mark.parametrize("left_out", [lambda one: {}, lambda one: one | {"customFields": None}])
def test_a_message_that_the_answer_does_not_name_is_unknown(solapi_sms, fake, monkeypatch, left_out):
    """Never taken for accepted, nor for refused: the look-up finds out."""
    two = several("+821012345671", "+821012345672")
    call = http.call

    def without_the_second(*arguments, **more):
        said = call(*arguments, **more)
        first, second = said["messageList"]
        return said | {"messageList": [first, left_out(second)]}

    monkeypatch.setattr(http, "call", without_the_second)
    answers = solapi_sms.send_all(two)
    assert [type(answer) for answer in answers] == [Accepted, Unknown]
    monkeypatch.setattr(http, "call", call)
    assert solapi_sms.look_up(two[1].key, to=two[1].to).answer == "4000"


def test_a_message_that_the_answer_says_was_taken_and_refused_is_unknown(solapi_sms, fake, monkeypatch):
    two = several("+821012345671", "+821012345672")
    call = http.call

    def both(*arguments, **more):
        said = call(*arguments, **more)
        return said | {"failedMessageList": [said["messageList"][1] | {"statusCode": "3008"}]}

    monkeypatch.setattr(http, "call", both)
    assert [type(answer) for answer in solapi_sms.send_all(two)] == [Accepted, Unknown]
