"""The alerting line from points to expiry, with a real mail server and the ledger's gate.

In Byeol nobody's points expire unannounced: a duty of 30 days, reminders 60, 33 and 3 days before. Minji has 1,200
points until 31 March 2026; Jun has 10, and nobody knows how to reach him.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from alerts.proof import evidence
from alerts.sending import deliveries
from ledger import statements
from ledger.models import Account, Entry, Notice
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, active_rule, before, plan, planned, states, tick

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = EXPIRES_AT + timedelta(hours=1)


@pytest.fixture
def byeol():
    return alert_builders.byeol()


@pytest.fixture
def minji(byeol) -> Account:
    account = alert_builders.minji(byeol)
    builders.grant(account, 1_200)
    return account


@pytest.fixture
def jun(byeol) -> Account:
    account = builders.jun(byeol)
    builders.grant(account, 10)
    return account


def kinds(account):
    return list(Entry.objects.filter(account=account).order_by("seq").values_list("kind", flat=True))


def live(account, at):
    return statements.balance(account, at=at).live


def test_points_are_told_of_in_time_and_then_expire(minji, jun, sink):
    tick(before(61))
    assert planned() == []
    builders.redeem(minji, 199, now=before(61))

    for _ in range(3):
        tick(before(60))  # three times, and one message
    assert planned() == [("minji", LAST_DAY, 60)]
    (mail,) = sink.mails
    assert mail["To"] == "minji@example.com"
    assert "1,001P" in mail["Subject"]
    assert "2026년 3월 31일" in mail.get_body(("plain",)).get_content()
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)

    builders.redeem(minji, 1, now=before(40))
    for days in (33, 32, 3, 2, 0):
        tick(before(days))
    assert ["1,001P" in m["Subject"] for m in sink.mails] == [True, False, False]
    assert ["1,000P" in m["Subject"] for m in sink.mails] == [False, True, True]
    assert states() == [(60, "accepted", ""), (33, "accepted", ""), (3, "accepted", "")]

    assert live(minji, EXPIRES_AT - timedelta(seconds=1)) == 1_000
    tick(AFTER)
    assert live(minji, AFTER) == 0
    assert kinds(minji) == ["grant", "redeem", "notify", "redeem", "notify", "notify", "expire"]

    # Nobody could tell Jun. His points are still there, and nothing was done to them.
    assert live(jun, AFTER) == 10
    assert kinds(jun) == ["grant"]
    assert [len(reminder.messages) for reminder in evidence.of_account(minji)] == [1, 1, 1]


def test_the_extension_rule_moves_the_date_and_the_reminder_is_of_the_new_one(minji, byeol, sink):
    active_rule(byeol, days_before=50)
    plan(before(60))  # planned, and not sent yet, when …
    builders.redeem(minji, 100, now=before(55))
    tick(before(50))  # … the rule moves the date to 30 April
    assert states() == [(60, "superseded", "moved")]
    assert sink.mails == []

    april = date(2026, 4, 30)
    tick(before(60, april))
    assert planned()[1:] == [("minji", april, 60)]
    assert "4월 30일" in sink.mails[0]["Subject"]
    tick(AFTER)
    assert live(minji, AFTER) == 1_100  # the old date is no date any more
    for days in (33, 3):
        tick(before(days, april))
    tick(before(-1, april))
    assert live(minji, before(-1, april)) == 0
    assert kinds(minji).count("extend") == 1


def test_after_an_outage_points_that_nobody_was_told_of_get_a_new_date_once(minji, sink):
    sink.stop()
    for days in range(60, 29, -1):
        tick(before(days))  # a month without a mail server
    assert kinds(minji) == ["grant"]
    tick(before(29))
    april = date(2026, 4, 30)
    assert kinds(minji) == ["grant", "extend"]
    assert planned()[-1] == ("minji", april, 60)

    sink.start()
    tick(before(28))
    assert [mail["To"] for mail in sink.mails] == ["minji@example.com"]
    assert "4월 30일" in sink.mails[0]["Subject"]
    assert [status for offset, status, _ in states()][:2] == ["superseded", "superseded"]
    for days in range(27, -29, -1):
        tick(before(days))
    assert kinds(minji).count("extend") == 1
    assert live(minji, EXPIRES_AT) == 1_200
    tick(before(-1, april))
    assert live(minji, before(-1, april)) == 0
    assert kinds(minji)[-1] == "expire"


def test_who_can_never_be_told_keeps_the_points_and_gets_no_extension(jun, sink):
    for days in range(60, -100, -10):
        tick(before(days))
    assert kinds(jun) == ["grant"]
    assert live(jun, before(-100)) == 10
    alert_builders.email(jun, "jun@example.com")  # at last
    tick(before(-100))
    assert kinds(jun) == ["grant", "extend", "notify"]
    assert sink.addresses() == ["jun@example.com"]


def test_a_mail_server_that_comes_back_gets_every_message_once(byeol, minji, sink):
    for n in range(5):
        alert_builders.member(byeol, f"member-{n}", 100 + n)
    sink.stop()
    now = before(60)
    for _ in range(20):
        tick(now)
        now += timedelta(seconds=30)
    assert sink.mails == []
    sink.start()
    for _ in range(4):
        now += timedelta(hours=1)
        tick(now)
    assert sink.addresses() == [*[f"member-{n}@example.com" for n in range(5)], "minji@example.com"]
    assert [status for _, status, _ in states()] == ["accepted"] * 6
    assert Notice.objects.count() == 6


def test_a_worker_that_dies_between_claim_and_send_loses_nothing(minji, sink):
    plan(before(60))
    assert len(deliveries.claim(now=before(60), limit=10)) == 1  # … and then it dies
    tick(before(60))
    assert sink.mails == []
    for minutes in (6, 7):
        tick(before(60) + timedelta(minutes=minutes))
    assert sink.addresses() == ["minji@example.com"]
    assert Notice.objects.count() == 1
