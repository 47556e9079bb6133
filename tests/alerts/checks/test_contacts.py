from __future__ import annotations

import pytest

from alerts.checks import check_contacts
from alerts.models import Contact
from alerts.models.contact import Channel
from tests import alert_builders

pytestmark = pytest.mark.django_db

ABROAD = ("+14155552671", "+14155552672")


def found() -> list:
    return check_contacts(None, databases=["default"])


@pytest.fixture
def numbers(minji, good):
    """Minji has a Korean number and two of the United States; on AlimTalk one of these. They came with the sandbox."""
    transports, good.TRANSPORTS = good.TRANSPORTS, dict.fromkeys(good.TRANSPORTS, "sandbox")
    alert_builders.phone(minji)
    for number in ABROAD:
        alert_builders.phone(minji, number)
    alert_builders.phone(minji, ABROAD[0], channel=Channel.ALIMTALK)
    good.TRANSPORTS = transports
    return minji


def test_numbers_that_the_transport_carries_to_are_no_finding(good, minji):
    alert_builders.phone(minji)
    assert found() == []


def test_numbers_of_before_are_counted_by_channel_and_not_named(numbers):
    alimtalk, sms = found()
    assert (alimtalk.id, sms.id) == ("alerts.W026", "alerts.W026")
    assert alimtalk.msg == (
        "The transport 'solapi' of the channel 'alimtalk' carries to +82 alone, and so many contacts in use there have "
        "other numbers: 1. Messages to them fail."
    )
    assert sms.msg == (
        "The transport 'nhn' of the channel 'sms' carries to +82 alone, and so many contacts in use there have "
        "other numbers: 2. Messages to them fail."
    )
    for message in (alimtalk, sms):
        assert "take these contacts out of use" in message.hint
        assert not any(number[1:] in f"{message.msg} {message.hint}" for number in ABROAD)


def test_the_remedies_end_it(numbers, good):
    good.TRANSPORTS = good.TRANSPORTS | {"sms": "twilio"}
    assert [message.msg.split("'")[3] for message in found()] == ["alimtalk"]
    Contact.objects.filter(channel="alimtalk").update(active=False)
    assert found() == []


def test_a_channel_without_a_transport_is_another_checks_finding(numbers, good):
    good.TRANSPORTS = {"sms": "pigeon"}
    assert found() == []


def test_the_database_is_asked_only_when_the_check_is_told_to(numbers, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_contacts(None) == []
