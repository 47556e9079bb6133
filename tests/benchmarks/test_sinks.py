"""The sinks take what real clients send, and hand it over as it was."""

from __future__ import annotations

import json
import smtplib
from email.message import EmailMessage

import httpx
import pytest

from benchmarks.dispatching import Mail, mail_again, one_by_one, post_again, words
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
        bodies = [posted("a"), posted("b", "c", text="x" * 200_000)]
        answers = [client.post("/send", content=body, headers={"X-Key": "k"}) for body in bodies]
    listed = [[(one["customFields"], one["statusCode"]) for one in answer.json()["messageList"]] for answer in answers]
    assert listed == [[({"key": "a"}, "2000")], [({"key": "b"}, "2000"), ({"key": "c"}, "2000")]]
    taken = [(kept.path, kept.headers["x-key"], kept.body) for kept in provider.take()]
    assert taken == [("/send", "k", bodies[0]), ("/send", "k", bodies[1])]


def posted(*keys: str, text: str = "") -> bytes:
    """A request with a message under each key."""
    messages = [{"to": "010", "text": text, "customFields": {"key": key}} for key in keys]
    return json.dumps({"messages": messages}).encode()


def test_messages_of_one_request_are_posted_one_by_one_in_their_order():
    came: list[bytes | Request] = [Request("/send", {"authorization": "key"}, posted("a", "b")), b"an e-mail"]
    alone = [Request("/send", {"authorization": "key"}, posted(key)) for key in "ab"]
    assert one_by_one(came) == [*alone, b"an e-mail"]


def test_the_bare_loop_posts_the_same_messages_again(provider):
    url = f"http://{HOST}:{provider.port}"
    asked = Request("/send", {"authorization": "key"}, posted("a"))
    assert post_again(url, [asked]) > 0
    (again,) = provider.take()
    assert (again.path, again.headers["authorization"]) == ("/send", "key")
    assert json.loads(again.body) == json.loads(asked.body)


def test_what_stands_in_the_hands_of_no_client_is_no_message(mail_server):
    with smtplib.SMTP(HOST, mail_server.port) as server:
        server.mail("points@localhost")
        server.rcpt("minji@example.com")
    assert mail_server.take() == []
