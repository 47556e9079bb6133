"""No log record of the whole line holds personal data, at DEBUG and whoever wrote it.

Each scene is heard twice: as the settings format it, in which no mark of the member may stand, and as Python would, in
which the named marks must stand: so no scene is here that has nothing to hide.
"""

from __future__ import annotations

import logging
import logging.config
import re
import smtplib
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote

import pytest
from celery import shared_task
from django.conf import settings as current
from django.db import connection, transaction
from django.test import Client

from alerts import dispatching, tasks
from alerts.addresses import consents, unsubscribing, verifications
from alerts.errors import BadInput
from alerts.models import Contact, SandboxMessage
from alerts.sending import deliveries, known, receipts
from alerts.texts import template_versions
from alerts.texts.words import Words
from config.logs import Lines
from ledger import accounts
from ledger.models import Account
from tests import alert_builders, builders
from tests.alert_builders import before, plan, the_delivery
from tests.alerts.channels.conftest import fake, sender
from tests.alerts.sending.test_webhooks import TAKEN
from tests.windows import PASSWORD, chief, sign_in_of

__all__ = ["fake", "sender"]

SENT_AT = before(60)
ADDRESS, NUMBER, NAME, TEXT = "piseong.mark@private.example", "+821098765432", "피성마크", "별의별 안내문"
NATIONAL, READABLE = "01098765432", "010-9876-5432"
MARKS = {
    "address": re.compile(r"piseong|private\.example|" + quote(ADDRESS), re.IGNORECASE),
    "number": re.compile("1098765432|10-9876-5432"),
    "name": re.compile(f"{NAME}|{quote(NAME)}|{ascii(NAME)[1:-1]}|Piseong".replace("\\", r"\\")),
    "text": re.compile(f"{TEXT}|{ascii(TEXT)[1:-1]}".replace("\\", r"\\")),
}


class Heard(logging.Handler):
    """All that was logged: `lines` as the settings format it, `bare` as Python does."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines = self.bare = ""
        formatter = dict(cast(dict[str, Any], current.LOGGING["formatters"])["line"])  # reading it empties it
        self._line = logging.config.DictConfigurator({}).configure_formatter(formatter)
        self._bare = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        record.exc_text = None
        self.bare += self._bare.format(record) + "\n"
        self.lines += self._line.format(record) + "\n"

    def hides(self, *marks: str, also: tuple[str, ...] = ()) -> None:
        """Nothing personal was written, and these marks and words were there to be written."""
        told = {name: found[0] for name, mark in MARKS.items() if (found := mark.search(self.lines))}
        assert told == {}
        assert {name for name in marks if not MARKS[name].search(self.bare)} == set()
        assert [word for word in also if word in self.lines] == []
        assert [word for word in also if word not in self.bare] == []

    def says(self, *words: str) -> None:
        assert [word for word in words if word not in self.lines] == []


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Everything from here on, of all loggers."""
    heard, root = Heard(), logging.getLogger()
    assert isinstance(heard._line, Lines)
    loggers = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    was = [(each, each.level, each.propagate, each.disabled) for each in (root, *loggers)]
    for each in (root, *loggers):
        each.setLevel(logging.DEBUG)
        each.propagate, each.disabled = True, False
    connection.force_debug_cursor = True
    root.addHandler(heard)
    yield heard
    root.removeHandler(heard)
    connection.force_debug_cursor = False
    for each, level, propagate, disabled in was:
        each.setLevel(level)
        each.propagate, each.disabled = propagate, disabled


@pytest.fixture
def account(byeol) -> Account:
    """A member with a name, an address, a number and 1,200 points; the programme has words of its own."""
    theirs = accounts.open_account(programme=byeol, reference="100234")
    user = sign_in_of(theirs)
    user.first_name = NAME
    user.save()
    alert_builders.email(theirs, ADDRESS)
    alert_builders.phone(theirs, NUMBER)
    until = "{{ last_day }}{% if last_time %} {{ last_time }}{% endif %}"
    words = f"{TEXT} {{% if name %}}{{{{ name }}}}{{% endif %}} {{{{ points }}}} {until} {{{{ link }}}}"
    for channel, written in [
        ("email", Words(words, subject=TEXT, html=f"<p>{words}</p>")),
        ("sms", Words(words)),
    ]:
        template_versions.save(
            programme=byeol,
            channel=channel,
            language="ko",
            words=written,
            by=builders.STAFF,
            now=builders.NOW,
        )
    builders.grant(theirs, 1_200)
    return theirs


def deliver(now=SENT_AT) -> None:
    plan(now)
    deliveries.deliver(now=now, limit=100)
    deliveries.reap(now=now, limit=100)
    receipts.match(now=now, limit=100)


def states() -> list[str]:
    return [status for _, status, _ in alert_builders.states()]


# --- Planning and sending


def test_a_message_that_is_sent(heard, account, sink):
    deliver()
    assert states() == ["accepted"]
    assert TEXT in sink.mails[0]["Subject"]
    heard.hides("address", "name", "text")


@pytest.mark.parametrize(
    "answer", ["550 5.1.1 <{}> Piseong is unknown here", "451 4.7.1 <{}> greylisted", "554 {} no", "421 {} closing"]
)
def test_a_mail_server_that_refuses(heard, account, sink, answer):
    sink.rcpt = lambda address: answer.format(address)
    deliver()
    assert states() != ["accepted"]
    heard.hides("address", "name", "text")


@pytest.mark.parametrize("vanish", ["rcpt", "data"])
def test_a_mail_server_that_vanishes(heard, account, sink, vanish):
    sink.vanish = vanish
    deliver()
    assert states() != ["accepted"]
    heard.hides("address")


@pytest.mark.parametrize("mode", ["ok", "429", "500", "503", "drop", "deaf", "garbled"])
@pytest.mark.parametrize(
    ("channel", "transport"), [("email", "anymail"), ("sms", "solapi"), ("sms", "nhn"), ("sms", "twilio")]
)
def test_a_provider_that_answers_one_way_or_another(heard, account, byeol, fake, settings, channel, transport, mode):
    settings.TRANSPORTS = dict.fromkeys(("email", "sms", "alimtalk"), "sandbox") | {channel: transport}
    alert_builders.by_channels(byeol, channel)
    fake.faults.set({mode: 1.0})
    deliver()
    deliver(SENT_AT + (before(33) - before(60)))  # whoever can be asked is asked
    assert len(fake.journal.all()) == 0 if mode in ("429", "500", "503", "deaf") else 1
    heard.hides("address" if channel == "email" else "number", "name", "text")


def fail_with_everything() -> None:
    try:
        raise smtplib.SMTPRecipientsRefused({ADDRESS: (550, f"{NAME} {NUMBER}".encode())})
    except OSError as error:
        raise RuntimeError(f"nothing for {ADDRESS}, {NUMBER}: {TEXT}") from error


def test_an_unexpected_exception_inside_a_channel(heard, account, carrier):
    carrier.answers = [fail_with_everything]
    deliver()
    assert states() == ["unknown"]
    heard.hides("address", "number", "name", "text")
    heard.says(f"deliveries ['{the_delivery().pk}']: unexpected failure while sending")
    heard.says("\nRuntimeError\n", "\nsmtplib.SMTPRecipientsRefused [550]\n", "in fail_with_everything\n")
    heard.says(f'  File "{__file__}", line {fail_with_everything.__code__.co_firstlineno + 2}, in fail_with_everything')


def test_an_address_in_the_words_of_the_database(heard, account, carrier):
    """The same address once more, which the database refuses with "Key (…)=(…) already exists"."""
    hers = account.member.contacts.get(channel="email")

    def twice() -> None:
        with transaction.atomic():
            Contact(member=account.member, channel="email", address=hers.address, language="ko").save()

    carrier.answers = [twice]
    deliver()
    assert account.member.contacts.count() == 2
    heard.hides("address")
    assert "already exists" in heard.bare
    heard.says(
        f"deliveries ['{the_delivery().pk}']: unexpected failure", "\ndjango.db.utils.IntegrityError\n", "in twice\n"
    )
    heard.says("\npsycopg.errors.UniqueViolation [23505, alerts_contact, contact_address_once]\n")


def test_a_message_that_cannot_be_made(heard, account, carrier, monkeypatch):
    def write(words, telling, **more):
        raise ValueError(f"{telling} {words}")

    monkeypatch.setattr(deliveries, "write", write)
    deliver()
    assert states() == ["pending"]
    heard.hides("name", "text")
    heard.says(f"delivery {the_delivery().pk} could not be prepared", "\nValueError\n", "in write\n")


def test_claims_that_cannot_be_read_together(heard, account, carrier, monkeypatch):
    real, read_in = known.read, []

    def read(claimed, *, now):
        read_in.append(claimed)
        if len(read_in) == 1:
            raise LookupError(ADDRESS)
        return real(claimed, now=now)

    monkeypatch.setattr("alerts.sending.line.read", read)
    deliver()
    assert states() == ["accepted"]
    heard.hides("address")
    heard.says("1 deliveries could not be read together", "\nLookupError\n")


def test_a_template_with_a_variable_that_is_none(heard, account, byeol):
    words = Words(f"{TEXT} {NAME} {{{{ adress }}}} {{{{ points }}}} {{{{ last_day }}}} {{{{ link }}}}")
    with pytest.raises(BadInput):
        template_versions.save(
            programme=byeol, channel="sms", language="ko", words=words, by=builders.STAFF, now=builders.NOW
        )
    heard.hides()


# --- The clock


def test_a_tick_of_the_dispatcher_that_fails(heard, account):
    dispatching.run([dispatching.Due("deliver", fail_with_everything, 10)], stopped=bool, once=True)
    heard.hides("address", "number", "name", "text")
    heard.says("the tick deliver failed; it runs again in 10 s", "\nRuntimeError\n", "in fail_with_everything\n")


@shared_task
def given(address: str, **more: str) -> str:
    return f"{address} {more}"


def test_a_task_that_fails_and_one_that_was_given_something(heard, account, monkeypatch):
    monkeypatch.setattr(deliveries, "deliver", lambda **given: fail_with_everything())
    failed = tasks.deliver.apply()
    assert failed.failed()
    heard.hides("address", "number", "name", "text")
    heard.says(f" ERROR celery.app.trace Task alerts.tasks.deliver[{failed.id}] ", "\nRuntimeError\n")
    heard.says("in fail_with_everything\n", "alerts/tasks.py", "\nsmtplib.SMTPRecipientsRefused [550]\n")
    assert given.apply((ADDRESS,), {"name": NAME}).successful()
    heard.hides("address", "name")
    assert re.search(r"INFO celery.app.trace Task …\[[0-9a-f-]{36}\] succeeded in [0-9.e-]+s: …\n", heard.lines)


# --- Webhooks


@pytest.mark.parametrize("taken", TAKEN, ids=[taken.provider for taken in TAKEN])
def test_reports_good_and_bad(heard, account, fake, sender, taken, monkeypatch):
    named = {"to": ADDRESS if taken.channel == "email" else NUMBER, "text": TEXT}
    posted = sender.report(type(taken)(**{**{f: getattr(taken, f) for f in taken.__dataclass_fields__}, **named}))
    forged = sender.report(taken, unsigned=True)
    client = Client(raise_request_exception=False)
    url = posted.path + (f"?{posted.query}" if posted.query else "")
    kind = posted.headers["Content-Type"]

    def post(body: bytes, headers: dict[str, str]) -> int:
        sent = {name: value for name, value in headers.items() if name != "Content-Type"}
        return client.post(url, body, content_type=kind, headers=sent).status_code

    assert post(posted.body, posted.headers) == 200
    receipts.match(now=SENT_AT, limit=100)
    assert post(posted.body, forged.headers) == 401
    assert post(posted.body[:-9] + ADDRESS.encode(), posted.headers) in (400, 401)
    assert client.post(f"/hooks/{ADDRESS}/", posted.body, content_type=kind).status_code == 404
    monkeypatch.setattr("alerts.sending.webhooks.receive", lambda **given: fail_with_everything())
    assert post(posted.body, posted.headers) == 500
    heard.hides("address", "number", "text")
    heard.says("401 POST /hooks/<str:transport>/", "404 POST /hooks/<str:transport>/", "\nRuntimeError\n")
    heard.says("ERROR django.request 500 POST /hooks/<str:transport>/\n", "in fail_with_everything\n")


# --- The portal


@pytest.fixture
def member(account, settings) -> Client:
    settings.TRANSPORTS = dict.fromkeys(("email", "sms", "alimtalk"), "sandbox")
    client = Client(raise_request_exception=False)
    client.login(username="100234", password=PASSWORD)
    return client


REACHING = "/programmes/byeol/reaching/"


def the_code() -> str:
    """The code that was sent last."""
    (code,) = re.findall(r"\b[0-9]{6}\b", SandboxMessage.objects.latest("pk").text)
    return str(code)


@pytest.mark.parametrize(
    "sent",
    [{"do": "email", "email": f"new.{ADDRESS}"}, {"do": "phone", "phone": "010-1098-7654"}],
    ids=["email", "sms"],
)
def test_an_address_that_is_added_proven_and_removed(heard, member, account, sent):
    place = member.post(REACHING, sent).headers["Location"]
    code = the_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert member.post(place, {"code": wrong}).status_code == 200
    assert member.post(place, {"do": "resend"}).status_code == 302
    newer = the_code()
    assert member.post(place, {"code": newer}).status_code == 302
    assert member.post(f"{place}removing/").status_code == 302
    assert member.post(place, {"code": newer}).status_code == 404
    heard.hides("address", "number", also=(code, newer))
    heard.says("404 POST /programmes/<slug:code>/reaching/<int:pk>/ pk=")
    assert " entered by member:" in heard.lines
    assert " erased by member:" in heard.lines


def test_a_code_that_something_goes_wrong_with(heard, member, account, monkeypatch):
    place = member.post(REACHING, {"do": "email", "email": f"new.{ADDRESS}"}).headers["Location"]
    code = the_code()

    def check(*, contact, code, now):
        raise RuntimeError(f"{code} of {contact.address}")

    monkeypatch.setattr(verifications, "check", check)
    assert member.post(place, {"code": code}).status_code == 500
    heard.hides("address", also=(code,))
    heard.says("500 POST /programmes/<slug:code>/reaching/<int:pk>/ pk=", "\nRuntimeError\n", "in check\n")


def test_staff_who_look_for_a_member_and_find_a_broken_page(heard, account, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(chief())
    assert client.get("/admin/alerts/contact/", {"q": ADDRESS}).status_code == 200
    assert client.get(f"/admin/{NAME}/", {"q": NAME}).status_code == 404
    heard.hides("address", "name")


# --- Unsubscribing


def test_the_token_of_a_link_whatever_comes_of_it(heard, account, monkeypatch, settings):
    settings.SITE_URL = ""
    path = unsubscribing.link(member_id=account.member_id, channel="email", purpose="notice")
    token = path.removeprefix("/unsubscribe/").rstrip("/")
    client, click = Client(raise_request_exception=False), {"List-Unsubscribe": "One-Click"}
    assert client.get(path).status_code == 200
    assert client.post(path, {}).status_code == 400
    assert client.put(path).status_code == 405
    assert client.get(f"{path}more/").status_code == 404
    assert client.get(f"/{token}/").status_code == 404
    assert client.post(f"/unsubscribe/{token}x/", click).status_code == 400
    assert client.post(path, click).status_code == 200

    def say(*given) -> None:
        raise RuntimeError(f"{path} of {ADDRESS}")

    monkeypatch.setattr(consents, "newest_word", say)
    assert client.post(path, click).status_code == 500
    heard.hides("address", also=(token, token[:-9]))
    for status, method in [(400, "POST"), (405, "PUT"), (500, "POST")]:
        heard.says(f"django.request {status} {method} /unsubscribe/<str:token>/\n")
    heard.says("WARNING django.request 404 GET (no such page)\n", "\nRuntimeError\n", "in say\n")
