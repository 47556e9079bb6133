import time

import pytest
from django.core import signing

from alerts.addresses import consents, contacts, unsubscribing
from alerts.errors import BadInput
from alerts.models import Consent
from alerts.models.contact import Channel
from tests import alert_builders, builders
from tests.builders import NOW, days


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def token(account, channel="email", purpose="notice"):
    return unsubscribing.token(member_id=account.member_id, channel=channel, purpose=purpose)


def signed(what, *, salt=unsubscribing.SALT, key=None):
    return signing.Signer(key=key, salt=salt).sign_object(what)


def test_a_link_ends_one_purpose_on_one_channel_of_one_member(account, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(account)
    phone = contacts.put(
        member=account.member, address="010-1234-5678", language="ko", verified=True, now=NOW, channel=Channel.SMS
    )
    others = alert_builders.email(jun, "jun@example.com")
    scope = unsubscribing.unsubscribe(token=token(account), now=NOW)

    assert scope == unsubscribing.Scope(account.member_id, "email", "notice")
    row = Consent.objects.get()
    assert (row.member_id, row.channel, row.purpose, row.given, row.at, row.source, row.actor) == (
        *(account.member_id, "email", "notice", False, NOW, "one-click", "member"),
    )
    assert contacts.usable(account.member_id, "email") is None
    assert contacts.usable(account.member_id, "sms") == phone
    assert contacts.usable(jun.member_id, "email") == others
    unsubscribing.unsubscribe(token=token(account), now=NOW + days(1))
    assert Consent.objects.count() == 1


def test_a_link_still_works_after_years(account):
    assert unsubscribing.unsubscribe(token=token(account), now=NOW + days(4_000)).channel == "email"
    assert not consents.wants(account.member_id, "email", "notice", now=NOW + days(4_000))


def test_the_link_of_a_message_is_the_same_whenever_it_is_made(account, monkeypatch):
    good = token(account)
    assert good == signed([account.member_id, "email", "notice"])  # the lists below spoil one that is good
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert token(account) == good
    assert unsubscribing.read(good) == unsubscribing.Scope(account.member_id, "email", "notice")


def test_forged_and_foreign_tokens_are_refused_and_nothing_is_written(account):
    good = token(account)
    bad = [
        "",
        "x",
        good[:-1],
        good + "x",
        "x" + good,
        signed([account.member_id, "email", "notice"], salt="something.else"),  # by us
        signed([account.member_id, "email", "notice"], key="another house"),
        signed([account.member_id, "pigeon", "notice"]),
        signed([0, "email", "notice"]),
        signed("x"),
        signing.dumps([account.member_id, "email", "notice"], salt=unsubscribing.SALT),  # with a time in it
    ]
    for each in bad:
        with pytest.raises(BadInput) as refusal:
            unsubscribing.unsubscribe(token=each, now=NOW)
        assert refusal.value.field == "token"
    assert not Consent.objects.exists()


def test_the_link_stands_on_the_members_pages(account, settings):
    settings.SITE_URL = "https://points.example"
    link = unsubscribing.link(member_id=account.member_id, channel="email", purpose="notice")
    start, _, rest = link.partition("/unsubscribe/")
    assert start == "https://points.example"
    assert unsubscribing.read(rest.removesuffix("/")).member_id == account.member_id
