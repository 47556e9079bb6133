"""The channel against a real mail server: what was certain about each failure."""

from itertools import count
from uuid import UUID

import pytest
from django.core import mail

from alerts.channels import Accepted, Message
from alerts.channels.email import LONGEST_CALL, EmailChannel
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.texts.rendering import Text

KEY = UUID("11111111-2222-4333-8444-555555555555")
TEXT = Text(subject="[별] 포인트 안내", text="포인트 1,200P\n", html="<p>포인트 <b>1,200P</b></p>\n")


def message(to="minji@example.com"):
    return Message(key=KEY, to=to, language="ko", text=TEXT)


def failure(channel, to="minji@example.com"):
    with pytest.raises((Rejected, Throttled, NotSent, Unknown)) as raised:
        channel.send(message(to))
    return raised.value


@pytest.fixture
def channel(sink):
    with EmailChannel() as channel:
        yield channel


def test_the_message_arrives_whole_in_korean(channel, sink):
    assert channel.send(message()) == Accepted("250")
    (got,) = sink.mails
    assert got["Message-ID"] == f"<{KEY}@byeol.example>"
    assert (got["To"], got["From"]) == ("minji@example.com", "Byeol <points@byeol.example>")
    assert got["Subject"] == "[별] 포인트 안내"
    assert (got["Auto-Submitted"], got["Content-Language"]) == ("auto-generated", "ko")
    assert got.get_body(("plain",)).get_content().strip() == "포인트 1,200P"
    assert got.get_body(("html",)).get_content().strip() == "<p>포인트 <b>1,200P</b></p>"


def test_one_click_unsubscribing_where_the_message_says_where(channel, sink):
    channel.send(Message(KEY, "minji@example.com", "ko", TEXT, unsubscribe="https://byeol.example/u/1"))
    channel.send(message())
    one_click, plain = sink.mails
    assert one_click["List-Unsubscribe"] == "<https://byeol.example/u/1>"
    assert one_click["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (plain["List-Unsubscribe"], plain["List-Unsubscribe-Post"]) == (None, None)


def test_a_server_that_is_away_got_nothing(channel, sink):
    sink.stop()
    error = failure(channel)
    assert isinstance(error, NotSent)
    assert error.transport_down
    sink.start()
    assert channel.send(message()) == Accepted("250")


def test_an_address_refused_for_good(channel, sink):
    sink.rcpt = lambda address: "550 5.1.1 no <minji@example.com> here, ask minji.kim@other.example"
    error = failure(channel)
    assert isinstance(error, Rejected)
    assert (error.answer, error.bad_address) == ("550", True)
    assert "minji" not in error.detail


@pytest.mark.parametrize(
    ("said", "dead"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.1.10 null MX", True),
        ("551 5.1.6 moved", True),
        ("550 5.2.1 disabled", True),
        ("550 no such user", True),
        ("553 not a mailbox", True),
        ("550 5.7.1 your server is on a block list", False),
        ("552 5.2.2 mailbox full", False),
        ("550 5.1.8 bad sender's system", False),
        ("550 5.1.11 unheard of", False),
        ("552 mailbox full", False),
        ("554 transaction failed", False),
    ],
)
def test_an_address_is_dead_only_where_the_server_says_so_of_it(channel, sink, said, dead):
    """A server on a block list would otherwise end every address that it writes to."""
    sink.rcpt = lambda address: said
    error = failure(channel)
    assert isinstance(error, Rejected)
    assert (error.answer, error.bad_address) == (said[:3], dead)


def test_an_address_refused_for_now(channel, sink):
    sink.rcpt = lambda address: "450 greylisted"
    error = failure(channel)
    assert isinstance(error, Throttled)
    assert (error.answer, error.retry_after.total_seconds()) == ("450", 60)
    assert not error.of_transport


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(
    ("said", "of_transport"),
    [("421 4.7.0 too fast", True), ("454 Throttling failure", True), ("452 4.2.2 full", False)],
)
def test_a_server_that_takes_nothing_of_ours_for_now_says_so_by_its_code(channel, sink, at, said, of_transport):
    setattr(sink, at, (lambda address: said) if at == "rcpt" else said)
    error = failure(channel)
    assert isinstance(error, Throttled)
    assert (error.answer, error.of_transport) == (said[:3], of_transport)


@pytest.mark.parametrize(("answer", "kind"), [("554 we call it spam", Rejected), ("452 disk full", Throttled)])
def test_a_message_refused_after_it_was_read_was_not_taken(channel, sink, answer, kind):
    sink.data = answer
    error = failure(channel)
    assert type(error) is kind
    assert error.answer == answer[:3]
    assert not getattr(error, "bad_address", False)


def test_a_connection_lost_before_the_message_left_is_certain(channel, sink):
    sink.vanish = "rcpt"
    error = failure(channel)
    assert isinstance(error, NotSent)
    assert not error.transport_down


def test_a_connection_lost_after_the_message_left_is_not(channel, sink):
    sink.vanish = "data"
    assert isinstance(failure(channel), Unknown)


def test_a_server_that_never_answers_the_message_leaves_it_unknown(sink, settings):
    settings.EMAIL_TIMEOUT = 3  # of each answer before that one, too
    sink.stall = True
    with EmailChannel() as channel:
        assert isinstance(failure(channel), Unknown)


def test_answers_that_each_come_in_time_do_not_make_a_call_too_long(channel, sink, monkeypatch):
    """All together they have no more than a call has."""
    sink.slow = 0.3
    channel.send(message())
    passed = count(step=LONGEST_CALL.total_seconds() * 0.45)  # from answer to answer
    monkeypatch.setattr("alerts.channels.email.monotonic", lambda: next(passed))
    assert isinstance(failure(channel), NotSent | Unknown)
    assert len(sink.mails) == 1


def test_the_connection_is_kept_from_message_to_message_and_renewed_after_a_failure(channel, sink):
    for _ in range(3):
        channel.send(message())
    assert sink.connections == 1
    sink.vanish = "data"
    failure(channel)
    sink.vanish = None
    channel.send(message())
    assert sink.connections == 2


def test_what_was_certain_of_one_message_is_not_said_of_the_next(channel, sink):
    channel.send(message())  # its bytes left
    sink.vanish = "rcpt"
    assert isinstance(failure(channel), NotSent)


def test_an_address_that_no_header_can_hold_is_refused_without_a_call(channel, sink):
    error = failure(channel, "minji@example.com\nBcc: x@example.com")
    assert isinstance(error, Rejected)
    assert error.bad_address
    assert sink.mails == []


def test_a_sender_that_the_server_refuses_is_our_own_fault_and_is_tried_again(channel, sink):
    sink.mail = "550 not from you"
    error = failure(channel)
    assert isinstance(error, NotSent)
    assert (error.answer, error.transport_down) == ("550", True)


def test_another_backend_of_django_is_used_as_it_is(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with EmailChannel() as channel:
        assert channel.send(message()) == Accepted("250")
    assert mail.outbox[0].to == ["minji@example.com"]


@pytest.mark.parametrize(("for_an_answer", "longest"), [(2, 22), (8, 29)])
def test_the_longest_call_is_the_sum_of_its_answers_and_no_more_than_a_tick_has(settings, for_an_answer, longest):
    settings.EMAIL_TIMEOUT = for_an_answer
    assert EmailChannel.capabilities().longest_call.total_seconds() == longest
    assert EmailChannel.capabilities().send_again_after_unknown
