"""The preview says what one real member would get, and sends it as a test to nobody else."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from alerts.addresses import consents, contacts, traces
from alerts.errors import NotSent, Rejected, Throttled, Unknown
from alerts.models import Contact, Delivery, SandboxMessage, Template
from alerts.models.contact import Channel
from alerts.texts import template_versions
from alerts.texts.words import Words
from ledger.actors import Actor
from ledger.models import Member
from tests import alert_builders, builders
from tests.alerts.carrier import Carrier
from tests.builders import NOW
from tests.looking import nothing_changes
from tests.windows import PASSWORD, sign_in_of, stop_clock

DAY = "{{ last_day }}{% if last_time %} {{ last_time }}{% endif %}"
SMS = "{% if name %}{{ name }} {% endif %}{{ points }}{{ unit }} " + DAY + " {{ link }}"
EMAIL = Words(text=SMS, subject="{{ points }} {{ unit }}", html=f"<p>{SMS}</p>")


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings) -> None:
    stop_clock(monkeypatch)
    settings.SITE_URL = "https://byeol.example"


def save(programme, *, channel: str = "sms", language: str = "ko", words: Words | None = None) -> Template:
    version = template_versions.save(
        programme=programme,
        channel=channel,
        language=language,
        words=words or Words(SMS),
        by=Actor("staff", "1"),
        now=NOW,
    )
    return version.template


@pytest.fixture
def sms(minji) -> Template:
    return save(minji.programme)


@pytest.fixture
def email(minji) -> Template:
    return save(minji.programme, channel="email", words=EMAIL)


def path(template: Template, member: str = "minji") -> str:
    return f"{reverse('admin:alerts_template_preview', args=[template.pk])}?member={member}"


def shown(client, template: Template) -> str:
    return str(client.get(path(template)).context["shown"].text.text).strip()


def test_a_member_without_an_address_there_gets_the_programmes_day_and_a_note(admin_client, sms):
    page = admin_client.get(path(sms))
    assert "<pre>1,200P 2026년 3월 31일 https://byeol.example/" in page.content.decode()
    assert "This member has no address on this channel." in page.content.decode()
    assert 'id="length">SMS × 1, 45/90<' in page.content.decode()


def test_the_day_is_that_of_the_members_own_zone_and_the_name_that_of_their_sign_in(admin_client, minji, sms):
    contact = alert_builders.phone(minji)
    contact.zone = "Europe/London"
    contacts.rewrite(contact=contact, now=NOW)
    user = sign_in_of(minji)
    user.first_name, user.last_name = "민지", "김"
    user.save()
    assert shown(admin_client, sms) == "김민지 1,200P 2026년 3월 31일 16:00 https://byeol.example/"


def test_it_is_the_address_that_would_be_written_to(admin_client, minji, sms):
    old = alert_builders.phone(minji)
    old.zone = "Europe/London"
    contacts.rewrite(contact=old, now=NOW)
    contacts.refuse(contact=old, now=NOW)
    assert "16:00" in shown(admin_client, sms)
    alert_builders.phone(minji, "+821098765432")
    assert "16:00" not in shown(admin_client, sms)


def test_the_words_are_those_of_the_members_own_language(admin_client, minji, sms):
    contacts.put(
        member=minji.member, address="+14155552671", language="en", verified=True, now=NOW, channel=Channel.SMS
    )
    page = admin_client.get(path(sms))
    assert "This member reads another language: these are the words of that one." in page.content.decode()
    assert "1,200 P" in page.context["shown"].text.text  # the words that come with Pointkeep
    save(minji.programme, language="en", words=Words(f"Hello {SMS}"))
    assert shown(admin_client, sms) == "Hello 1,200P March 31, 2026 https://byeol.example/"
    assert "GSM-7 × 1" in admin_client.get(path(sms)).content.decode()


def test_advertising_has_no_words_but_the_programmes_own(admin_client, minji):
    contacts.put(
        member=minji.member, address="+14155552671", language="en", verified=True, now=NOW, channel=Channel.SMS
    )
    version = template_versions.save(
        programme=minji.programme,
        channel="sms",
        language="ko",
        purpose="advertising",
        words=Words("(광고) {{ programme }} 무료 수신거부 080-000-0000"),
        by=Actor("staff", "1"),
        now=NOW,
    )
    page = admin_client.get(path(version.template)).content.decode()
    assert "This member reads another language, in which there are no words yet." in page


@pytest.mark.parametrize("member", ["nobody", "%00", "jun"])
def test_nobody_and_whoever_has_nothing_that_expires_are_said(admin_client, sms, byeol, member):
    builders.jun(byeol)
    page = admin_client.get(path(sms, member))
    assert 'class="errornote"' in page.content.decode()
    assert page.context["shown"] is None


def test_a_template_that_is_not_there(admin_client):
    assert admin_client.get(reverse("admin:alerts_template_preview", args=[0])).status_code == 404


def own(minji, admin_user, address: str = "hana@example.com") -> None:
    """Hana is a member of another programme, with a verified address."""
    account = builders.jun(builders.moa())
    Member.objects.filter(pk=account.member_id).update(user=admin_user)
    alert_builders.email(account, address)


def test_a_test_goes_to_ones_own_verified_address_and_counts_as_nothing(admin_client, admin_user, minji, email, sink):
    own(minji, admin_user)
    with nothing_changes():
        answer = admin_client.post(path(email), {"to": "Hana@Example.com"})
    assert answer.headers["Location"] == path(email)
    (mail,) = sink.mails
    assert (mail["To"], mail["Subject"]) == ("Hana@example.com", "[TEST] 1,200 P")
    assert mail["List-Unsubscribe"] is None
    assert "1,200P 2026년 3월 31일" in mail.get_body(("plain",)).get_content()
    assert not Delivery.objects.exists()
    assert "Test message: accepted 250" in admin_client.get(path(email)).content.decode()
    entry = LogEntry.objects.get()
    assert entry.change_message == f"Test message to {traces.marked('hana@example.com')[:17]}: accepted 250"
    assert (entry.user, entry.object_id) == (admin_user, str(email.pk))


@pytest.mark.parametrize("to", ["minji@example.com", "hana@example.com", "nobody@example.com", "x", ""])
def test_it_goes_to_nobody_else(admin_client, admin_user, minji, email, sink, to):
    own(minji, admin_user)
    Contact.objects.filter(address="hana@example.com").update(verified=False)
    page = admin_client.post(path(email), {"to": to})
    assert page.status_code == 200
    assert page.context["form"].errors["to"]
    assert sink.mails == []
    assert not LogEntry.objects.exists()


def test_the_allow_list_lets_it_through_to_those_it_names(admin_client, email, sink, settings):
    settings.SANDBOX_ALLOW = ["staging@example.com"]
    admin_client.post(path(email), {"to": "staging@example.com"})
    page = admin_client.post(path(email), {"to": "minji@example.com"})
    rule = "A test goes only to an address on the allow-list (SANDBOX_ALLOW), or to your own verified address."
    assert page.context["form"].errors["to"] == [rule]
    assert sink.addresses() == ["staging@example.com"]


def test_an_own_address_that_is_not_on_the_list_stays_in_the_sandbox(
    admin_client, admin_user, minji, email, sink, settings
):
    settings.SANDBOX_ALLOW = ["staging@example.com"]
    own(minji, admin_user)
    admin_client.post(path(email), {"to": "hana@example.com"})
    assert sink.mails == []
    kept = SandboxMessage.objects.get()
    assert (kept.to, kept.subject, kept.delivery) == ("hana@example.com", "[TEST] 1,200 P", None)
    assert "Test message: the sandbox kept it" in admin_client.get(path(email)).content.decode()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Rejected("no such user", answer="550"), "Rejected: 550 no such user"),
        (Throttled("later", answer="451"), "Throttled: 451 later"),
        (NotSent("closed"), "NotSent:  closed"),
        (Unknown("gone", answer="timeout"), "Unknown: timeout gone"),
    ],
)
def test_a_failure_is_shown_with_its_class(admin_client, email, settings, carrier: type[Carrier], failure, said):
    settings.SANDBOX_ALLOW = ["staging@example.com"]
    carrier.answers = [failure]
    admin_client.post(path(email), {"to": "staging@example.com"})
    assert f"Test message: {said}" in admin_client.get(path(email)).content.decode()
    assert LogEntry.objects.get().change_message.endswith(f": {said}")
    assert "staging" not in LogEntry.objects.get().change_message


def test_looking_is_not_sending(client, email, sink, settings, django_user_model):
    settings.SANDBOX_ALLOW = ["staging@example.com"]
    user = django_user_model.objects.create_user("sora", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_template"))
    client.force_login(user)
    assert "Send the test" not in client.get(path(email)).content.decode()
    assert client.post(path(email), {"to": "staging@example.com"}).status_code == 403
    client.logout()
    assert client.post(path(email), {"to": "staging@example.com"}).status_code == 302
    assert sink.mails == []


def test_a_member_who_wants_nothing_is_shown_all_the_same(admin_client, minji, sms):
    alert_builders.phone(minji)
    consents.say(
        member=minji.member,
        channel="sms",
        purpose="notice",
        given=False,
        source="form",
        by=Actor("member"),
        now=NOW,
    )
    assert shown(admin_client, sms) == "1,200P 2026년 3월 31일 https://byeol.example/"
