"""One contract for every transport, on the fake of its provider: what is certain about each call, and no more."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from alerts.channels import TRANSPORTS, Accepted, capabilities_of, open_channel
from alerts.errors import NotSent, Rejected, SendError, Throttled, Unknown
from alerts.texts.words import Telling, built_in, write
from tests.alerts.channels.conftest import KEY, OTHER, WORDS, message, point

ON_HTTP = [
    ("anymail", "email"),
    ("solapi", "sms"),
    ("solapi", "alimtalk"),
    ("nhn", "sms"),
    ("nhn", "alimtalk"),
    ("twilio", "sms"),
]
ALL = [*ON_HTTP, ("smtp", "email"), ("sandbox", "email"), ("sandbox", "sms"), ("sandbox", "alimtalk")]
http = pytest.mark.parametrize(("transport", "channel"), ON_HTTP)
every = pytest.mark.parametrize(("transport", "channel"), ALL)

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(fake, sink, settings, transport, channel):
    settings.TRANSPORTS = {**settings.TRANSPORTS, channel: transport}
    with open_channel(channel) as opened:
        yield opened


def failure(opened, **changed) -> SendError:
    with pytest.raises(SendError) as raised:
        opened.send(message(opened.channel, **changed))
    error = raised.value
    assert type(error) in (Rejected, Throttled, NotSent, Unknown)
    for personal in ("minji", "nobody", "01012345678", "1012345678", "000000000", "1,200"):
        assert personal not in f"{error.detail} {error.answer}"
    return error


def test_every_transport_is_under_the_contract():
    assert {transport for transport, _channel in ALL} == set(TRANSPORTS)
    assert {(t, c) for t, c in ALL} == {(t, c) for t in TRANSPORTS for c in TRANSPORTS[t].carries}


@every
def test_a_message_is_accepted_once(opened, fake):
    accepted = opened.send(message(opened.channel))
    assert isinstance(accepted, Accepted)
    assert accepted.answer
    if opened.name in ("smtp", "sandbox"):
        assert fake.journal.all() == []
        return
    (taken,) = fake.journal.all()
    assert (taken.provider, taken.channel, taken.key) == (opened.name, opened.channel, str(KEY))
    assert taken.number == accepted.provider_id
    assert taken.text.strip() == message(opened.channel).text.text
    expected = {"email": "minji@example.com", "alimtalk": "01012345678", "sms": "01012345678"}[opened.channel]
    assert taken.to == ("+821012345678" if opened.name == "twilio" else expected)


BUILT_IN_WORDS = [
    pytest.param(programme, language, id=f"{len(programme)}-{language}")
    for programme in ("별", "별빛가득한포인트" * 9)  # an SMS, and an LMS
    for language in ("ko", "en")
]


@pytest.mark.parametrize(("transport", "channel"), [pair for pair in ON_HTTP if pair[1] == "sms"])
@pytest.mark.parametrize(("programme", "language"), BUILT_IN_WORDS)
def test_the_words_that_come_with_pointkeep_are_taken_as_they_are(opened, fake, programme, language):
    telling = Telling(
        programme=programme, unit="P", points=1_200, last_day=date(2026, 3, 31), days_left=30, link="https://x.example/"
    )
    text = write(built_in("sms", language), telling, channel="sms", language=language)
    assert text.subject == ""
    opened.send(message("sms", text=text))
    (taken,) = fake.journal.all()
    assert taken.text == text.text
    forms = {"solapi": ("SMS", "LMS"), "nhn": ("sms", "mms"), "twilio": ("SMS", "SMS")}[opened.name]
    assert taken.form == forms[len(text.text.encode("cp949")) > 90]


@every
def test_where_a_key_is_idempotent_the_same_key_twice_is_one_message(opened, fake):
    first = opened.send(message(opened.channel))
    second = opened.send(message(opened.channel))
    kept = capabilities_of(opened.channel).idempotent_for
    if kept is not None:
        assert second.provider_id == first.provider_id
    if opened.name not in ("smtp", "sandbox"):
        assert len(fake.journal.of(str(KEY))) == (2 if kept is None else 1)


@http
@pytest.mark.parametrize(
    ("mode", "kind", "answer"), [("429", Throttled, "429"), ("500", Unknown, "500"), ("503", Unknown, "503")]
)
def test_what_a_provider_refuses_was_not_taken_and_is_said_to_be_no_more_than_that(opened, fake, mode, kind, answer):
    fake.faults.set({mode: 1.0})
    error = failure(opened)
    assert (type(error), error.answer) == (kind, answer)
    if isinstance(error, Throttled):
        assert error.retry_after.total_seconds() == 2
        assert error.of_transport
    assert fake.journal.all() == []


@http
@pytest.mark.parametrize("mode", ["drop", "garbled"])
def test_a_message_that_was_taken_without_an_answer_is_unknown(opened, fake, mode):
    fake.faults.set({mode: 1.0})
    assert type(failure(opened)) is Unknown
    assert len(fake.journal.of(str(KEY))) == 1


@pytest.fixture
def impatient(fake, settings):
    """A second for each answer; the fake takes three where it is slow."""
    settings.PROVIDER_TIMEOUT = 1.0
    settings.ANYMAIL = settings.ANYMAIL | {"REQUESTS_TIMEOUT": (1, 1)}


@http
def test_a_message_that_was_taken_and_answered_too_late_is_unknown(impatient, opened, fake):
    fake.faults.set({"slow": 1.0})
    assert type(failure(opened)) is Unknown
    assert len(fake.journal.of(str(KEY))) == 1


@http
def test_a_call_that_was_hung_up_on_is_unknown_though_nothing_was_taken(opened, fake):
    fake.faults.set({"deaf": 1.0})
    assert type(failure(opened)) is Unknown
    assert fake.journal.all() == []


@http
def test_a_refused_connection_is_not_sent_and_nobody_else_has_a_chance(fake, settings, transport, channel):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        point(settings, f"http://127.0.0.1:{closed.getsockname()[1]}")
        settings.TRANSPORTS = {**settings.TRANSPORTS, channel: transport}
        with open_channel(channel) as opened:
            error = failure(opened)
    assert isinstance(error, NotSent)
    assert error.transport_down


@http
def test_an_address_that_is_refused_is_refused_for_good(opened, fake):
    to = "nobody@example.com" if opened.channel == "email" else "+821000000000"
    error = failure(opened, to=to)
    assert isinstance(error, Rejected)
    assert error.bad_address == (opened.name in ("anymail", "twilio"))  # the others' codes do not say so for certain
    assert fake.journal.all() == []


@pytest.mark.parametrize(("transport", "channel"), [("solapi", "alimtalk"), ("nhn", "alimtalk")])
def test_an_alimtalk_without_a_code_is_refused_for_good(opened, fake):
    error = failure(opened, text=replace(WORDS, provider_code=""))
    assert isinstance(error, Rejected)
    assert not error.bad_address
    assert fake.journal.all() == []


@http
def test_wrong_credentials_are_our_own_fault(fake, settings, transport, channel, monkeypatch):
    def refuse(asked, journal):
        return providers.Answer(401, {"code": "Unauthorized", "message": "no 01012345678"})

    from alerts.fakes import providers

    monkeypatch.setattr(providers, "answer", refuse)
    settings.TRANSPORTS = {**settings.TRANSPORTS, channel: transport}
    with open_channel(channel) as opened:
        error = failure(opened)
    assert isinstance(error, NotSent)
    assert error.transport_down


SAYS: dict[
    str, dict[str, tuple[int, dict[str, Any]]]
] = {  # by whose fault it is: the HTTP status and the content of an answer
    "solapi": {
        "ours": (400, {"errorCode": "1030", "errorMessage": "no balance"}),
        "system": (200, {"failedMessageList": [{"statusCode": "1024", "statusMessage": "so it is"}], "groupInfo": {}}),
        "number": (200, {"failedMessageList": [{"statusCode": "1060", "statusMessage": "so it is"}], "groupInfo": {}}),
    },
    "nhn": {
        fault: (200, {"header": {"isSuccessful": False, "resultCode": code, "resultMessage": "so it is"}})
        for fault, code in (("ours", -1000), ("system", -9999), ("number", -2019))
    },
    "twilio": {
        "ours": (400, {"code": 21606, "message": "no such sender"}),
        "system": (500, {"code": 20500, "message": "internal"}),
        "number": (400, {"code": 21614, "message": "no mobile"}),
    },
    "anymail": {
        "ours": (422, {"ErrorCode": 405, "Message": "no credits"}),
        "system": (500, {"ErrorCode": 500, "Message": "internal"}),
        "number": (
            422,
            {"ErrorCode": 406, "Message": "Found inactive addresses: minji@example.com. Inactive recipients are …"},
        ),
    },
}


@http
@pytest.mark.parametrize("fault", ["ours", "system", "number"])
def test_only_what_is_about_the_message_or_its_address_ends_it_for_good(opened, fake, monkeypatch, fault):
    from alerts.fakes import providers

    status, content = SAYS[opened.name][fault]
    monkeypatch.setattr(providers, "answer", lambda asked, journal: providers.Answer(status, content))
    error = failure(opened)
    if fault == "ours":
        assert isinstance(error, NotSent)
        assert error.transport_down
    elif fault == "system":
        assert isinstance(error, NotSent if opened.name == "solapi" else Unknown)
        assert not getattr(error, "transport_down", False)
    else:
        assert isinstance(error, Rejected)


@every
def test_a_look_up_tells_where_there_is_one(opened, fake):
    if not capabilities_of(opened.channel).can_look_up:
        with pytest.raises(Unknown):
            opened.look_up(KEY)
        return
    assert opened.look_up(KEY) is None
    accepted = opened.send(message(opened.channel))
    found = opened.look_up(KEY)
    assert found is not None
    assert found.provider_id == accepted.provider_id
    assert opened.look_up(OTHER) is None


@http
def test_a_look_up_finds_what_was_taken_without_an_answer(opened, fake):
    if not capabilities_of(opened.channel).can_look_up:
        return
    fake.faults.set({"drop": 1.0})
    failure(opened)
    fake.faults.set({})
    found = opened.look_up(KEY)
    assert found is not None
    assert [taken.number for taken in fake.journal.of(str(KEY))] == [found.provider_id]


@http
def test_a_look_up_that_cannot_ask_says_so_and_not_none(opened, fake):
    if not capabilities_of(opened.channel).can_look_up:
        return
    fake.stop()
    with pytest.raises((Unknown, NotSent)):
        opened.look_up(KEY)
    fake.start = lambda: None


@every
def test_the_capabilities_are_what_the_contract_found(transport, channel, settings):
    settings.TRANSPORTS = {**settings.TRANSPORTS, channel: transport}
    can = capabilities_of(channel)
    minutes = can.idempotent_for and can.idempotent_for.total_seconds() / 60
    assert {
        "again": can.send_again_after_unknown,
        "minutes": minutes if transport == "nhn" else minutes is not None,
        "look_up": can.can_look_up,
        "reports": can.reports,
        "own fallback": can.falls_back_itself,
        "countries": can.countries,
    } == {
        "again": channel == "email" or transport == "sandbox",
        "minutes": (10.0 if channel == "alimtalk" else None) if transport == "nhn" else transport == "sandbox",
        "look_up": transport in ("solapi", "nhn", "sandbox"),
        "reports": transport not in ("smtp", "sandbox"),
        "own fallback": (transport, channel) == ("solapi", "alimtalk"),
        "countries": {"+82"} if transport in ("solapi", "nhn") else None,
    }
    assert 0 < can.longest_call.total_seconds() <= 150


@http
def test_a_connection_is_kept_from_message_to_message(opened, fake):
    seen = set()
    handle = fake._server.finish_request

    def counted(request, address):
        seen.add(address)
        handle(request, address)

    fake._server.finish_request = counted
    for key in (KEY, OTHER):
        opened.send(message(opened.channel, key=key))
    assert len(seen) == 1
    assert [taken.key for taken in fake.journal.all()] == [str(KEY), str(OTHER)]
