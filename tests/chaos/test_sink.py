"""The mail server of a run: it takes, puts off, and loses answers, and its journal says the truth about each."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from chaos import sink as sinks
from chaos.sink import Sink, key_of


def mail(key: str) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{key}@byeol.example>"
    message["To"], message["From"] = "minji@example.com", "points@byeol.example"
    message.set_content("Your points")
    return message


def send(sink: Sink, key: str) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=5) as connection:
        connection.send_message(mail(key))


def test_what_it_takes_is_in_its_journal_under_the_deliverys_id(monkeypatch):
    monkeypatch.setattr(sinks, "PUT_OFF", 0)
    monkeypatch.setattr(sinks, "LOST", 0)
    with Sink(1) as sink:
        send(sink, "a")
        send(sink, "b")
        send(sink, "a")
        assert sink.environment["EMAIL_URL"] == f"smtp://127.0.0.1:{sink.port}"
    assert sink.taken == {"a": 2, "b": 1}
    assert sink.faults == "put off 0 messages, lost 0 answers"


def test_what_it_puts_off_it_did_not_take(monkeypatch):
    monkeypatch.setattr(sinks, "PUT_OFF", 1)
    with Sink(1) as sink, pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink, "a")
    assert refused.value.smtp_code == 451
    assert sink.taken == {}
    assert sink.put_off == 1


def test_whose_answer_it_loses_it_took(monkeypatch):
    monkeypatch.setattr(sinks, "PUT_OFF", 0)
    monkeypatch.setattr(sinks, "LOST", 1)
    with Sink(1) as sink, pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(sink, "a")
    assert sink.taken == {"a": 1}
    assert sink.lost == 1


def test_the_key_is_what_stands_before_the_at():
    assert key_of(mail("9b5d-4e").as_bytes()) == "9b5d-4e"
