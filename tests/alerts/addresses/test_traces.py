import pytest
from django.db import transaction

from alerts.addresses import traces


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
