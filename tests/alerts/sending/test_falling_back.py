"""One owner of the SMS in the place of an AlimTalk: the provider where it may, and we where it may not."""

from datetime import timedelta

import pytest

from alerts.addresses import consents, contacts, suppressions
from alerts.models import Delivery
from alerts.models.contact import Channel
from alerts.sending import deliveries, known
from alerts.sending.falling_back import falling_back
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alert_builders import before, by_channels, on_channels, plan
from tests.alerts.carrier import can

NOW = before(60)
NUMBER = "+821012345678"


@pytest.fixture
def account(minji, byeol, carrier):
    """Minji can be told on all three channels, by a provider that sends as SMS what does not arrive as AlimTalk."""
    carrier.can = can(falls_back_itself=True)
    alert_builders.alimtalk_words(byeol)
    alert_builders.phone(minji)
    alert_builders.phone(minji, channel=Channel.ALIMTALK)
    by_channels(byeol, "alimtalk", "sms", "email")
    return minji


def sent(carrier) -> dict[str, bool]:
    """Whether the provider may fall back, by channel, of all messages that were sent."""
    assert deliveries.deliver(now=NOW, limit=100) > 0
    by_key = dict(Delivery.objects.values_list("pk", "channel"))
    return {by_key[message.key]: message.falls_back for message in carrier.calls}


def opt_out(account) -> None:
    consents.say(
        member=account.member,
        channel="sms",
        purpose="notice",
        given=False,
        source="preferences",
        by=Actor("member", "1"),
        now=NOW,
    )


def test_where_the_reminder_has_no_sms_and_none_beside_it_the_provider_may(account, carrier):
    plan(NOW)
    assert sent(carrier) == {"alimtalk": True}
    assert Delivery.objects.get().variables["falls_back"] is True


def test_it_may_as_well_where_the_rule_knows_no_sms(account, byeol, carrier):
    by_channels(byeol, "alimtalk", "email", at_once=2)
    plan(NOW)
    assert sent(carrier) == {"alimtalk": True, "email": False}
    assert "falls_back" not in Delivery.objects.get(channel="email").variables


def test_where_both_go_out_at_once_the_sms_is_ours(account, byeol, carrier):
    by_channels(byeol, "alimtalk", "sms", at_once=2)
    plan(NOW)
    assert sent(carrier) == {"alimtalk": False, "sms": False}
    assert Delivery.objects.get(channel="alimtalk").variables["falls_back"] is False


def test_where_sms_may_follow_another_of_two_at_once_it_is_ours(account, byeol, carrier):
    """Of AlimTalk and e-mail the e-mail fails, and then our SMS comes: the AlimTalk must not become another one."""
    by_channels(byeol, "alimtalk", "email", "sms", at_once=2)
    plan(NOW)
    assert sent(carrier) == {"alimtalk": False, "email": False}


def test_what_has_an_sms_of_its_own_is_never_sent_as_a_second_one(account, byeol, carrier):
    by_channels(byeol, "sms", "alimtalk")
    plan(NOW)
    Delivery.objects.update(status="failed")
    reminder = Delivery.objects.get().reminder
    Delivery.objects.create(reminder=reminder, programme=byeol, channel="alimtalk", created_at=NOW, next_attempt_at=NOW)
    assert sent(carrier) == {"alimtalk": False}


def test_who_opted_out_of_sms_gets_none_from_the_provider_either(account, carrier):
    plan(NOW)
    opt_out(account)
    assert sent(carrier) == {"alimtalk": False}


@pytest.mark.parametrize("why", ["complaint", "hard_bounce", "by_hand"])
def test_to_a_number_that_is_suppressed_for_sms_goes_none(account, carrier, why):
    plan(NOW)
    suppressions.add(channel="sms", address=NUMBER, why=why, now=NOW)
    assert sent(carrier) == {"alimtalk": False}


def test_to_a_number_that_was_refused_or_is_not_in_use_for_sms_goes_none(account, carrier):
    hers = account.member.contacts.get(channel="sms")
    contacts.refuse(contact=hers, now=NOW)
    plan(NOW)
    assert sent(carrier) == {"alimtalk": False}
    hers.refused_at, hers.active = None, False
    contacts.rewrite(contact=hers, now=NOW)
    assert may(NOW) == [False]


@pytest.mark.parametrize(
    "harmless",
    [
        lambda account: account.member.contacts.filter(channel="sms").delete(),  # proven for AlimTalk, and so for SMS
        lambda account: suppressions.add(channel="sms", address="+821099999999", why="complaint", now=NOW),
        lambda account: suppressions.add(channel="email", address="minji@example.com", why="complaint", now=NOW),
    ],
    ids=["no row for SMS", "another number", "another channel"],
)
def test_what_is_said_of_something_else_forbids_nothing(account, carrier, harmless):
    harmless(account)
    plan(NOW)
    assert sent(carrier) == {"alimtalk": True}


def test_a_provider_that_cannot_is_never_told_to(account, carrier):
    carrier.can = can()
    plan(NOW)
    assert sent(carrier) == {"alimtalk": False}


def may(now) -> list[bool]:
    """Of all AlimTalks there are, looked at together."""
    some = list(Delivery.objects.filter(channel="alimtalk").select_related("reminder__account__member"))
    found = known.read(some, now=now).falling_back
    return [one.pk in found for one in some]


def test_a_claim_is_decided_with_one_statement_more_however_many_are_in_it(
    account, byeol, carrier, django_assert_num_queries
):
    for n in range(3):
        other = alert_builders.member(byeol, f"member-{n}", 100)
        alert_builders.phone(other, f"+8210222233{n:02}", channel=Channel.ALIMTALK)
    plan(NOW)
    claimed = deliveries.claim(now=NOW, limit=10)
    assert len(claimed) == 4
    for some in (claimed[:1], claimed):
        with django_assert_num_queries(4):
            assert len(known.read(some, now=NOW).falling_back) == len(some)
    with django_assert_num_queries(0):
        assert falling_back(dict.fromkeys(claimed)) == frozenset()


def test_it_is_decided_at_the_moment_of_sending_though_it_was_claimed_before(account, byeol, carrier, monkeypatch):
    """The first call takes long; meanwhile Sora says no to SMS."""
    sora = alert_builders.member(byeol, "sora", 50)
    alert_builders.phone(sora, "+821055556666", channel=Channel.ALIMTALK)
    plan(NOW)
    Delivery.objects.filter(reminder__account=account).update(next_attempt_at=NOW - timedelta(minutes=1))
    monkeypatch.setattr(known, "FRESH", timedelta())
    carrier.answers = [lambda: opt_out(sora), builders_none]
    deliveries.deliver(now=NOW, limit=10)
    assert [message.falls_back for message in carrier.calls] == [True, False]


def builders_none() -> None:
    """Nothing happens, and the message is taken."""


def test_nothing_that_was_redeemed_asks_for_it(account, carrier):
    plan(NOW)
    builders.redeem(account, 1_200, now=NOW)
    deliveries.deliver(now=NOW, limit=10)
    assert on_channels() == [("alimtalk", "skipped", "redeemed")]
    assert carrier.calls == []
