"""The sinks take what real clients send, and hand it over as it was."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import httpx
import pytest

from benchmarks.dispatching import Mail, mail_again, post_again, words
from benchmarks.sinks import HOST, MailSession, ProviderSession, Request, Sink


@pytest.fixture(scope="module")
def mail_server():
    with Sink(MailSession) as sink:
        yield sink


@pytest.fixture(scope="module")
def provider():
    with Sink(ProviderSession) as sink:
        yield sink


def send(sink: Sink, *texts: str) -> None:
    with smtplib.SMTP(HOST, sink.port) as server:
        for text in texts:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "points@localhost", "minji@example.com", "포인트 안내"
            message["Message-ID"] = "<1@localhost>"
            message.set_content(text)
            message.add_alternative(f"<p>{text}</p>\n", subtype="html")
            server.send_message(message)


def test_mails_come_as_they_were_sent_one_after_the_other(mail_server):
    send(mail_server, "하나\n", "two\n.\n..three\n")
    assert [words(raw) for raw in mail_server.take()] == [
        Mail("<1@localhost>", "minji@example.com", "포인트 안내", "하나\n", "<p>하나\n</p>\n"),
        Mail("<1@localhost>", "minji@example.com", "포인트 안내", "two\n.\n..three\n", "<p>two\n.\n..three\n</p>\n"),
    ]
    assert mail_server.take() == []


@pytest.mark.parametrize("ready_made", [False, True])
def test_the_bare_loop_sends_the_same_mails_again(mail_server, ready_made):
    send(mail_server, "하나\n", "둘\n")
    taken = mail_server.take()
    assert mail_again(mail_server.port, taken, ready_made=ready_made) > 0
    assert [words(raw) for raw in mail_server.take()] == [words(raw) for raw in taken]


def test_posts_are_kept_and_answered_as_taken(provider):
    url = f"http://{HOST}:{provider.port}"
    with httpx.Client(base_url=url) as client:
        answers = [client.post("/send", content=b"x" * size, headers={"X-Key": "k"}) for size in (1, 200_000)]
    assert [answer.json()["messageList"][0]["statusCode"] for answer in answers] == ["2000", "2000"]
    taken = [(kept.path, kept.headers["x-key"], len(kept.body)) for kept in provider.take()]
    assert taken == [("/send", "k", 1), ("/send", "k", 200_000)]


def test_the_bare_loop_posts_the_same_messages_again(provider):
    url = f"http://{HOST}:{provider.port}"
    asked = Request("/send", {"authorization": "key"}, b'{"to": "010"}')
    assert post_again(url, [asked]) > 0
    (posted,) = provider.take()
    assert (posted.path, posted.headers["authorization"]) == ("/send", "key")
    assert posted.body.replace(b" ", b"") == b'{"to":"010"}'


def test_what_stands_in_the_hands_of_no_client_is_no_message(mail_server):
    with smtplib.SMTP(HOST, mail_server.port) as server:
        server.mail("points@localhost")
        server.rcpt("minji@example.com")
    assert mail_server.take() == []
