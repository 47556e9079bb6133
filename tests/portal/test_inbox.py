from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from alerts.channels.base import Message as SentMessage
from alerts.channels.sandbox import SandboxChannel
from alerts.texts.rendering import Text
from portal import inbox


def deliver(folder: Path, subject: str, text: str = "Hello", to: str = "minji@example.org") -> None:
    message = EmailMessage()
    message["Subject"], message["To"], message["From"] = subject, to, "points@example.org"
    message["Date"] = "Mon, 10 Mar 2025 03:00:00 +0000"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    Maildir(folder).add(message)


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    folder: Path = tmp_path / "mail"
    settings.INBOX_MAILDIR = str(folder)
    return folder


pytestmark = pytest.mark.django_db


def test_what_the_sandbox_kept_is_shown_as_well(folder):
    words = Text(subject="", text="1,200P until 31 March\nSee your balance.", html="")
    with SandboxChannel("sms") as channel:
        channel.send(SentMessage(UUID(int=1), "+821012345678", "en", words))
    deliver(folder, "A mail")

    kept, mail = inbox.messages(str(folder))

    assert (kept.subject, kept.sender, kept.to) == ("1,200P until 31 March", "sandbox: sms", "+821012345678")
    assert mail.subject == "A mail"
    assert inbox.message(str(folder), kept.key) == kept
    assert inbox.message(str(folder), "sandbox-x") is None
    assert inbox.message(str(folder), "sandbox-999999") is None
    assert b"1,200P until 31 March" in Client().get("/inbox/").content
    assert b"See your balance." in Client().get(f"/inbox/{kept.key}/").content


def test_newest_first_with_subject_sender_and_text(folder):
    deliver(folder, "First")
    deliver(folder, "둘째: 포인트 안내", "안녕하세요")

    second, first = inbox.messages(str(folder))

    assert (first.subject, second.subject) == ("First", "둘째: 포인트 안내")
    assert (second.to, second.sender, second.text) == ("minji@example.org", "points@example.org", "안녕하세요\n")
    assert second.date is not None
    assert second.date.isoformat() == "2025-03-10T03:00:00+00:00"


def test_a_folder_that_does_not_exist_yet_is_empty_and_stays_away(folder):
    assert inbox.messages(str(folder)) == []
    assert inbox.message(str(folder), "1") is None
    assert not folder.exists()


def test_a_broken_message_is_shown_without_text(folder):
    Maildir(folder).add(b"Subject: odd\nDate: never\nContent-Type: text/plain; charset=no-such\n\n\xff\xfe")

    [message] = inbox.messages(str(folder))
    assert (message.subject, message.date, message.text) == ("odd", None, "")


def test_the_order_of_arrival_does_not_depend_on_the_width_of_a_number(folder):
    deliver(folder, "at 9 microseconds")
    deliver(folder, "at 10 microseconds")
    for path, name in zip(sorted((folder / "new").iterdir()), ("1000.M9P7Q1.host", "1000.M10P7Q2.host"), strict=True):
        path.rename(path.with_name(name))
    subjects = [message.subject for message in inbox.messages(str(folder))]
    assert inbox.messages(str(folder))[0].key == "1000.M10P7Q2.host"
    assert len(subjects) == 2


def test_the_list_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_MESSAGES", 2)
    for subject in "abc":
        deliver(folder, subject)

    assert [message.subject for message in inbox.messages(str(folder))] == ["c", "b"]


def test_the_pages_list_and_show(folder, db):
    deliver(folder, "Your points", "See http://localhost:8000/ <b>now</b>")
    client = Client(headers={"accept-language": "en"})

    listed = client.get("/inbox/")
    [message] = listed.context["messages_found"]
    shown = client.get(f"/inbox/{message.key}/").content.decode()

    assert "Your points" in listed.content.decode()
    assert '<a href="http://localhost:8000/" rel="nofollow">' in shown
    assert "&lt;b&gt;now&lt;/b&gt;" in shown
    assert "Mon" not in shown
    assert "2025-03-10 03:00 UTC" in shown


def test_an_empty_inbox_says_so(folder, db):
    assert "No message has been sent yet." in Client(headers={"accept-language": "en"}).get("/inbox/").content.decode()


@pytest.mark.parametrize("key", ["1", "..", "%2e%2e", "..%5C..%5Cetc"])
def test_an_unknown_message_is_not_found(folder, db, key: str):
    deliver(folder, "Your points")

    assert Client().get(f"/inbox/{key}/").status_code == 404


def test_without_the_setting_there_is_no_inbox(settings, db):
    settings.INBOX_MAILDIR = ""

    assert Client().get("/inbox/").status_code == 404
    assert Client().get("/inbox/1/").status_code == 404
