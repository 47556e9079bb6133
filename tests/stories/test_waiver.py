"""A waiver, and an address that comes after it: in time the member is told, and too late the points go as was said.

In Byeol nobody's points expire unannounced: a duty of 30 days with a slack of three, reminders 60, 33 and 3 days before
by e-mail; where nobody can be told, a waiver counts. Minji has 1,200 points until 31 March 2026, and no address. Jun
has 500, a number alone, and no reminder goes out by text message.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.duty import unreached, waivers
from ledger import statements
from ledger.models import Account, Entry
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, before, by_channels, tick

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = EXPIRES_AT + timedelta(hours=1)


@pytest.fixture
def byeol(settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"email": "smtp"}
    return alert_builders.byeol(accepts_waivers=True)


@pytest.fixture
def minji(byeol) -> Account:
    account = builders.minji(byeol)
    builders.grant(account, 1_200)
    return account


@pytest.fixture
def jun(byeol) -> Account:
    account = builders.jun(byeol)
    alert_builders.phone(account)
    builders.grant(account, 500)
    return account


def clock(now) -> None:
    """One round of all ticks, that of the waivers first."""
    waivers.record_waivers(now=now, limit=1_000)
    tick(now)


def story(account: Account) -> list[tuple[str, str, str]]:
    """(kind, waiver or channel, reason) of all that happened to the account."""
    return [
        (entry.kind, (entry.notice.waiver or entry.notice.channel) if hasattr(entry, "notice") else "", entry.reason)
        for entry in Entry.objects.filter(account=account).order_by("seq")
    ]


def live(account: Account, at) -> int:
    return statements.balance(account, at=at).live


def test_an_address_in_time_ends_the_waiver_and_the_member_is_told(minji, sink):
    clock(before(33))
    assert story(minji) == [("grant", "", ""), ("notify", "no_contact", "")]
    assert not minji.lots.get().gated
    assert sink.mails == []

    alert_builders.email(minji, now=before(32))
    clock(before(32))
    assert story(minji)[2:] == [("notify", "", "the waiver is not true any more"), ("notify", "email", "")]
    assert [mail["To"] for mail in sink.mails] == ["minji@example.com"]
    assert not minji.lots.get().gated

    assert live(minji, EXPIRES_AT - timedelta(seconds=1)) == 1_200
    clock(AFTER)
    assert story(minji)[4:] == [("expire", "", "")]
    assert live(minji, AFTER) == 0
    assert len(sink.mails) == 1


def test_an_address_too_late_changes_nothing_in_what_was_waived(minji, sink):
    clock(before(33))
    clock(before(30))
    alert_builders.email(minji, now=before(29))
    clock(before(29))
    assert [each for each in story(minji) if each[2]] == []
    assert not minji.lots.get().gated
    clock(AFTER)
    assert [kind for kind, *_ in story(minji)] == ["grant", "notify", "notify", "expire"]
    assert [told for kind, told, _ in story(minji) if kind == "notify"] == ["no_contact", "email"]
    assert live(minji, AFTER) == 0


def test_who_could_be_told_on_another_channel_keeps_the_points_until_the_programme_uses_it(byeol, jun, sink):
    for day in (60, 33, 31, 30, 29, 3):
        clock(before(day))
    clock(AFTER)
    later = EXPIRES_AT + timedelta(days=39)
    clock(later)
    assert story(jun) == [("grant", "", "")]
    assert live(jun, later) == 500
    assert unreached.members(now=later) == {"byeol": 1}

    by_channels(byeol, "email", "sms")
    clock(later)
    assert unreached.members(now=later) == {}
    assert [kind for kind, *_ in story(jun)][:2] == ["grant", "extend"]  # the full notice again: there is time to tell
    assert sink.mails == []
