"""Addresses that are left, by the traces of those that were tried."""

import pytest

from alerts.addresses import contacts, traces
from alerts.errors import Rejected
from alerts.models import Delivery
from alerts.sending import deliveries
from alerts.sending.untried import addresses_left, left, went_to
from tests import alert_builders
from tests.alert_builders import before, plan, the_delivery
from tests.builders import days

NOW = before(60)


@pytest.fixture
def called(minji, carrier):
    """A message to Minji's first address, which was accepted."""
    plan(NOW)
    deliveries.deliver(now=NOW, limit=10)
    return the_delivery()


def test_a_message_went_where_its_last_call_did_whatever_its_contact_says_now(minji, called):
    contact = minji.member.contacts.get()
    assert called.address_trace == traces.trace("minji@example.com")
    assert went_to(called, contact)
    contact.address = "right@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    assert not went_to(called, contact)
    contacts.erase(contact=contact)
    assert went_to(the_delivery(), alert_builders.email(minji, "MINJI@example.com"))


def test_of_a_call_from_before_traces_were_kept_only_its_contact_is_known(minji, called):
    contact, other = minji.member.contacts.get(), alert_builders.email(minji, "second@example.com")
    called.address_trace = ""
    assert went_to(called, contact)
    assert not went_to(called, other)


def test_what_was_never_called_went_nowhere(minji):
    plan(NOW)
    assert the_delivery().address_trace == ""
    assert not went_to(the_delivery(), minji.member.contacts.get())


def test_what_is_left_is_the_first_to_which_none_went(minji, called):
    first, second = minji.member.contacts.get(), alert_builders.email(minji, "second@example.com")
    third = alert_builders.email(minji, "third@example.com")
    assert left([first, second, third], [called]) == second
    assert left([first], [called]) is None
    assert left([first], []) == first
    assert left([], [called]) is None


def test_a_message_may_go_again_where_it_went_itself_and_not_where_one_before_it_did(minji, byeol, carrier):
    """Its own address is not another one: it is tried there again when the server only asked to wait."""
    second = alert_builders.email(minji, "second@example.com")
    third = alert_builders.email(minji, "third@example.com")
    plan(NOW)
    carrier.answers = [Rejected()]
    deliveries.deliver(now=NOW, limit=10)
    rows = list(Delivery.objects.select_related("reminder__account").order_by("resend_no"))
    assert [row.resend_no for row in rows] == [0, 1, 2]
    assert addresses_left(rows[1:]) == {rows[1].pk: second, rows[2].pk: third}
    contacts.refuse(contact=third, now=NOW + days(1))
    assert addresses_left(rows[1:]) == {rows[1].pk: second}
