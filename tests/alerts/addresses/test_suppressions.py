from typing import Any

import pytest

from alerts.addresses import contacts, suppressions
from alerts.errors import BadInput
from alerts.models import Suppression
from tests import alert_builders, builders
from tests.builders import NOW, days


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def add(address="Minji@example.com", **changes):
    terms: dict[str, Any] = {"channel": "email", "why": "hard_bounce", "now": NOW} | changes
    return suppressions.add(address=address, **terms)


def test_a_suppressed_address_is_not_written_to_and_another_is(account):
    alert_builders.email(account)
    row = add()
    assert contacts.usable(account.member_id, "email") is None
    other = alert_builders.email(account, "other@example.com")
    assert contacts.usable(account.member_id, "email") == other
    assert "@" not in str(row)


def test_one_that_stands_is_enough(account):
    first = add()
    assert add(" minji@EXAMPLE.com", why="complaint", now=NOW + days(1)) == first
    assert (Suppression.objects.get().why, Suppression.objects.get().at) == ("hard_bounce", NOW)


def test_lifting_lets_it_be_written_to_again_and_stays_on_record(account):
    contact = alert_builders.email(account)
    contacts.refuse(contact=contact, now=NOW)
    row = add()
    suppressions.lift(suppression=row, now=NOW + days(1))
    assert contacts.usable(account.member_id, "email") == contact
    assert Suppression.objects.get().lifted_at == NOW + days(1)
    with pytest.raises(BadInput):
        suppressions.lift(suppression=row, now=NOW + days(2))
    assert Suppression.objects.get().lifted_at == NOW + days(1)
    add()
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "wrong"), [("channel", "pigeon"), ("why", "spite"), ("address", " "), ("note", "x" * 201)]
)
def test_bad_input_is_refused_naming_the_field(db, field, wrong):
    with pytest.raises(BadInput) as refusal:
        add(**{field: wrong})
    assert refusal.value.field == field
    assert not Suppression.objects.exists()
