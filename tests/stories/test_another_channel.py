"""A text message that comes back is followed by an e-mail, with a provider's interface and a real mail server.

In Byeol nobody's points expire unannounced: a duty of 30 days, reminders 60 and 33 days before, by SMS and then by
e-mail. Minji has 1,200 points until 31 March 2026, a number and an address; Jun has 10, and a number alone.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.fakes.hooks import Sender
from alerts.models import ProviderEvent
from alerts.sending import deliveries, receipts, webhooks
from ledger import statements
from ledger.models import Account, Entry, Notice
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, before, by_channels, on_channels, tick
from tests.alerts.channels.conftest import fake, sender

__all__ = ["fake", "sender"]

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = EXPIRES_AT + timedelta(hours=1)


@pytest.fixture
def byeol(settings, fake):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "solapi", "email": "smtp"}
    programme = alert_builders.byeol(60, 33)
    by_channels(programme, "sms", "email")
    return programme


@pytest.fixture
def minji(byeol) -> Account:
    account = alert_builders.minji(byeol)
    alert_builders.phone(account)
    builders.grant(account, 1_200)
    return account


@pytest.fixture
def jun(byeol) -> Account:
    account = builders.jun(byeol)
    alert_builders.phone(account, "+821087654321")
    builders.grant(account, 10)
    return account


def report(fake, sender: Sender, *, to: str, arrived: bool, now) -> None:
    """The provider says what became of the newest message to this number, twice, and the reports are matched."""
    newest = [taken for taken in fake.journal.all() if taken.to == to][-1]
    posted = sender.report(newest, arrived=arrived)
    for _time in range(2):
        webhooks.receive(transport="solapi", headers=posted.headers, body=posted.body, query=posted.query, now=now)
    receipts.match(now=now, limit=100)


def standing(account: Account) -> int:
    """Notices on record less those withdrawn."""
    withdrawn = Entry.objects.filter(account=account, kind="notify", undoes_seq__isnull=False)
    return Notice.objects.filter(account=account).count() - withdrawn.count()


def live(account, at):
    return statements.balance(account, at=at).live


def test_what_comes_back_loses_its_notice_and_the_next_channel_tells(minji, fake, sender, sink):
    tick(before(60))
    assert [(taken.channel, "1,200P" in taken.text) for taken in fake.journal.all()] == [("sms", True)]
    assert standing(minji) == 1
    assert not minji.lots.get().gated

    report(fake, sender, to="01012345678", arrived=False, now=before(59))
    assert on_channels() == [("sms", "undelivered", ""), ("email", "pending", "")]
    assert standing(minji) == 0
    assert minji.lots.get().gated
    assert sink.mails == []

    tick(before(59))
    assert on_channels() == [("sms", "undelivered", ""), ("email", "accepted", "")]
    assert [mail["To"] for mail in sink.mails] == ["minji@example.com"]
    assert standing(minji) == 1
    assert ProviderEvent.objects.count() == 1

    tick(before(33))
    report(fake, sender, to="01012345678", arrived=True, now=before(33))
    assert on_channels()[2:] == [("sms", "delivered", "")]
    assert live(minji, EXPIRES_AT - timedelta(seconds=1)) == 1_200
    tick(AFTER)
    assert live(minji, AFTER) == 0
    assert len(fake.journal.all()) == 2  # 60 and 33 days before
    assert len(sink.mails) == 1


def test_who_has_no_other_channel_keeps_the_points_until_there_is_time_to_tell(jun, fake, sender, sink):
    for days in (60, 33):
        tick(before(days))
        report(fake, sender, to="01087654321", arrived=False, now=before(days))
        deliveries.reap(now=before(days), limit=100)
    assert on_channels() == [("sms", "undelivered", "")] * 2
    assert standing(jun) == 0

    tick(AFTER)
    assert live(jun, AFTER) == 10
    assert jun.lots.get().gated
    assert sink.mails == []
