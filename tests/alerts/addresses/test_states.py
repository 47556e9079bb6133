import pytest

from alerts.addresses import contacts, states, suppressions
from alerts.addresses.states import Kind
from alerts.models import Contact, Suppression
from alerts.models.contact import Channel
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW, days


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def seen(account):
    return [
        (
            address.contact.address,
            address.channels,
            [(state.kind, state.since, state.channels) for state in address.states],
        )
        for address in states.addresses_of(account.member_id)
    ]


def test_each_address_is_there_once_in_the_order_in_which_it_was_entered(account, byeol):
    contacts.enter(
        member=account.member,
        address="010-1234-5678",
        language="ko",
        channel=Channel.SMS,
        by=Actor("member", "7"),
        now=NOW,
    )
    alert_builders.email(account)
    alert_builders.email(builders.jun(byeol), "jun@example.com")
    both = ("sms", "alimtalk")
    assert seen(account) == [
        ("+821012345678", both, [(Kind.WAITING, None, both)]),
        ("minji@example.com", ("email",), [(Kind.VERIFIED, NOW, ("email",))]),
    ]
    assert [address.waits for address in states.addresses_of(account.member_id)] == [True, False]


@pytest.mark.parametrize(
    ("why", "kind"),
    [("hard_bounce", Kind.BOUNCED), ("complaint", Kind.COMPLAINED), ("by_hand", Kind.STOPPED)],
)
def test_an_address_that_is_not_written_to_any_more_says_why_and_since_when(account, why, kind):
    contact = alert_builders.email(account, "Minji@example.com")
    contacts.refuse(contact=contact, now=NOW + days(1))
    suppressions.add(channel="email", address="minji@example.com", why=why, now=NOW + days(2))
    suppressions.add(channel="sms", address="minji@example.com", why="complaint", now=NOW)
    (address,) = seen(account)
    assert address[2][1:] == [(kind, NOW + days(2), ("email",))]
    suppressions.lift(suppression=Suppression.objects.get(channel="email"), now=NOW + days(3))
    (address,) = seen(account)
    assert address[2][1:] == []


def test_trouble_on_one_channel_of_a_number_is_named_with_its_channel(account):
    sms, kakao = alert_builders.phone(account), alert_builders.phone(account, channel=Channel.ALIMTALK)
    contacts.refuse(contact=kakao, now=NOW + days(1))
    Contact.objects.filter(pk=sms.pk).update(active=False)
    ((_, _, found),) = seen(account)
    assert found == [
        (Kind.VERIFIED, NOW, ("sms", "alimtalk")),
        (Kind.BOUNCED, NOW + days(1), ("alimtalk",)),
        (Kind.UNUSED, None, ("sms",)),
    ]
