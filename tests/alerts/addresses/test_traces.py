from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction

from alerts.addresses import contacts, traces
from alerts.models import Contact
from tests import alert_builders, builders


def test_a_trace_is_the_same_for_each_spelling_and_says_nothing_of_the_address():
    trace = traces.trace("Minji@Example.com")
    assert trace == traces.trace("minji@example.com")
    assert (len(trace), set(trace) <= set("0123456789abcdef")) == (64, True)
    assert trace != traces.trace("jun@example.com")
    assert traces.marked("minji@example.com") == f"hash:{trace}"


def test_it_is_made_with_the_secret(settings):
    before = traces.trace("minji@example.com")
    settings.SECRET_KEY = "another"
    assert traces.trace("minji@example.com") != before


def test_an_address_is_held_inside_a_transaction_only(transactional_db):
    with pytest.raises(AssertionError):
        traces.hold("minji@example.com")
    with pytest.raises(AssertionError):
        traces.hold_trace(traces.trace("minji@example.com"))
    with transaction.atomic():
        traces.hold("minji@example.com")
        traces.hold("minji@example.com")
        traces.hold_trace(traces.trace("minji@example.com"))


def test_each_contact_has_the_trace_of_its_address_and_keeps_it_up_to_date(byeol):
    contact = alert_builders.email(builders.minji(byeol), "Minji@Example.com")
    assert Contact.objects.get().address_trace == traces.trace("minji@example.com")
    contact.address = "other@example.com"
    contacts.rewrite(contact=contact, now=builders.NOW)
    assert Contact.objects.get().address_trace == traces.trace("other@example.com")


def test_the_contacts_that_were_there_got_theirs(byeol, monkeypatch):
    migration = import_module("alerts.migrations.0012_reports")
    monkeypatch.setattr(migration, "AT_ONCE", 2)
    account = builders.minji(byeol)
    for name in ("Minji", "a", "b", "c", "d"):
        alert_builders.email(account, f"{name}@example.com")
    Contact.objects.update(address_trace="")
    Contact.objects.filter(address="c@example.com").update(address_trace="of the new version")
    migration.trace_contacts(apps, connection.schema_editor())
    found = dict(Contact.objects.values_list("address", "address_trace"))
    assert found.pop("c@example.com") == "of the new version"
    assert found == {address: traces.trace(address) for address in found}
    assert len(found) == 4
