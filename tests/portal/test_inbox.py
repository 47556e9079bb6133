from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from alerts.channels.base import Message as SentMessage
from alerts.channels.sandbox import SandboxChannel
from alerts.models import SandboxMessage
from alerts.texts.rendering import Text
from portal import inbox
from tests.windows import chief, sign_in_of, staff


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
    settings.INBOX_MAILDIR, settings.DEMO = str(folder), True
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


def both(client):
    """The status of the list, and of a message of the sandbox."""
    return [client.get(f"/inbox/{path}").status_code for path in ("", f"sandbox-{SandboxMessage.objects.get().pk}/")]


@pytest.fixture
def kept():
    with SandboxChannel("sms") as channel:
        channel.send(SentMessage(UUID(int=1), "+821012345678", "en", Text("", "1,200P until 31 March", "")))


@pytest.mark.parametrize("with_a_folder", [True, False], ids=["folder", "sandbox alone"])
def test_in_a_demo_it_is_open_and_elsewhere_there_is_none(folder, settings, kept, minji, with_a_folder):
    member = Client()
    member.force_login(sign_in_of(minji))
    settings.INBOX_MAILDIR = str(folder) if with_a_folder else ""
    assert both(Client()) == both(member) == [200, 200]
    settings.DEMO = False
    assert both(Client()) == both(member) == [404, 404]
    assert "+8210" not in Client().get("/inbox/").content.decode()
    settings.DEBUG = True
    assert both(Client()) == [200, 200]


def test_staff_who_may_look_at_contacts_always_see_it(settings, kept):
    settings.INBOX_MAILDIR = ""
    client = Client(headers={"accept-language": "en"})
    client.force_login(chief())
    assert both(client) == [200, 200]
    page = client.get("/inbox/")
    assert "1,200P until 31 March" in page.content.decode()
    assert "Inbox of the sandbox" in page.content.decode()
    assert "demo" not in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]


def test_other_staff_do_not(kept):
    client, sora = Client(), staff()
    client.force_login(sora)
    assert both(client) == [404, 404]
    sora.user_permissions.add(Permission.objects.get(codename="view_contact"))
    assert both(client) == [200, 200]


def test_the_permission_alone_makes_no_staff(kept, minji):
    client, user = Client(), sign_in_of(minji)
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(user)
    assert both(client) == [404, 404]


def test_no_folder_is_not_the_folder_in_which_the_process_runs(tmp_path, monkeypatch):
    folder = tmp_path / "mail"
    deliver(folder, "Not ours")
    monkeypatch.chdir(folder)
    assert inbox.messages("") == []
    assert inbox.message("", next(iter(Maildir(folder).keys()))) is None
