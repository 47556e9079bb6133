"""An AlimTalk to somebody without KakaoTalk becomes one text message: the provider's, or ours, and never both.

In Byeol nobody's points expire unannounced: a duty of 30 days, reminders 60 and 33 days before, by AlimTalk, then by
SMS, then by e-mail; only what was delivered counts as told. Sora's number is one of the fake's without KakaoTalk.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.addresses import consents
from alerts.fakes.hooks import Sender
from alerts.models import Delivery, TellingRules
from alerts.models.contact import Channel
from alerts.sending import receipts, webhooks
from ledger.actors import Actor
from ledger.models import Account, Notice
from tests import alert_builders, builders
from tests.alert_builders import before, by_channels, on_channels, tick
from tests.alerts.channels.conftest import fake, sender

__all__ = ["fake", "sender"]

pytestmark = pytest.mark.django_db(transaction=True)

NO_TALK, NO_PHONE = "+821040400001", "+821040440001"  # the fake's: no KakaoTalk; and no telephone, either
NOW = before(60)


@pytest.fixture
def byeol(settings, fake):
    settings.TRANSPORTS = {"alimtalk": "solapi", "sms": "solapi", "email": "smtp"}
    programme = alert_builders.byeol(60, 33)
    alert_builders.alimtalk_words(programme)
    by_channels(programme, "alimtalk", "sms", "email")
    TellingRules.objects.create(programme=programme, counts_when="delivered")
    return programme


def account(byeol, number: str) -> Account:
    sora = alert_builders.minji(byeol)
    for channel in (Channel.SMS, Channel.ALIMTALK):
        alert_builders.phone(sora, number, channel=channel)
    builders.grant(sora, 1_200)
    return sora


def report(fake, sender: Sender, *, now) -> None:
    """The provider says of each message by now what became of it, twice, and the reports are matched."""
    for taken in fake.journal.all():
        posted = sender.report(taken)
        for _time in range(2):
            webhooks.receive(transport="solapi", headers=posted.headers, body=posted.body, query="", now=now)
        receipts.match(now=now, limit=100)


def taken(fake) -> list[str]:
    return [one.channel for one in fake.journal.all()]


def test_the_providers_text_delivers_the_alimtalk_and_nothing_of_ours_follows(byeol, fake, sender, sink):
    sora = account(byeol, NO_TALK)
    tick(NOW)
    assert taken(fake) == ["alimtalk", "sms"]  # the second one is the provider's own
    assert on_channels() == [("alimtalk", "accepted", "")]
    report(fake, sender, now=NOW + timedelta(minutes=1))
    tick(NOW + timedelta(minutes=2))
    assert on_channels() == [("alimtalk", "delivered", "")]
    assert taken(fake) == ["alimtalk", "sms"]
    assert sink.mails == []
    assert Notice.objects.filter(account=sora).count() == 1
    assert not sora.lots.get().gated


def test_while_the_text_is_under_way_nothing_follows_and_nothing_counts(byeol, fake, sender, sink):
    sora = account(byeol, NO_TALK)
    tick(NOW)
    talk = fake.journal.all()[0]
    posted = sender.report(talk)
    webhooks.receive(transport="solapi", headers=posted.headers, body=posted.body, query="", now=NOW)
    tick(NOW + timedelta(minutes=1))
    receipts.match(now=NOW + timedelta(minutes=1), limit=100)
    assert on_channels() == [("alimtalk", "accepted", "")]
    assert sora.lots.get().gated
    assert sink.mails == []


def test_when_the_text_fails_too_the_next_channel_follows_and_that_is_no_sms(byeol, fake, sender, sink):
    account(byeol, NO_PHONE)
    tick(NOW)
    report(fake, sender, now=NOW + timedelta(minutes=1))
    tick(NOW + timedelta(minutes=2))
    assert on_channels() == [("alimtalk", "undelivered", ""), ("email", "accepted", "")]
    assert taken(fake) == ["alimtalk", "sms"]
    assert len(sink.mails) == 1


def test_who_wants_no_sms_gets_none_from_anybody(byeol, fake, sender, sink):
    sora = account(byeol, NO_TALK)
    consents.say(
        member=sora.member,
        channel="sms",
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=NOW,
    )
    tick(NOW)
    report(fake, sender, now=NOW + timedelta(minutes=1))
    tick(NOW + timedelta(minutes=2))
    assert on_channels() == [("alimtalk", "undelivered", ""), ("email", "accepted", "")]
    assert taken(fake) == ["alimtalk"]
    assert len(sink.mails) == 1


def test_where_both_are_sent_at_once_there_is_one_sms_and_it_is_ours(byeol, fake, sender, sink):
    by_channels(byeol, "alimtalk", "sms", at_once=2)
    account(byeol, NO_TALK)
    tick(NOW)
    report(fake, sender, now=NOW + timedelta(minutes=1))
    tick(NOW + timedelta(minutes=2))
    assert sorted(on_channels()) == [("alimtalk", "undelivered", ""), ("sms", "delivered", "")]
    assert sorted(taken(fake)) == ["alimtalk", "sms"]
    assert {one.key for one in fake.journal.all() if one.channel == "sms"} == {
        str(Delivery.objects.get(channel="sms").pk)
    }
