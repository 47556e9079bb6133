from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from alerts.addresses import consents, contacts
from alerts.errors import BadInput
from alerts.models import Consent
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW, days

IN_TWO_YEARS = datetime(2027, 3, 10, 3, tzinfo=UTC)


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def say(account, purpose, given, *, channel="email", now=NOW, source="form"):
    return consents.say(
        member=account.member,
        channel=channel,
        purpose=purpose,
        given=given,
        source=source,
        by=Actor("member", "7"),
        now=now,
    )


def wants(account, purpose, *, channel="email", now=NOW):
    return consents.wants(account.member_id, channel, purpose, now=now)


def test_without_a_word_notices_may_go_and_advertising_may_not(account):
    assert wants(account, "notice")
    assert not wants(account, "advertising")
    assert not wants(account, "night_advertising")


def test_the_newest_word_counts_and_every_word_stays(account):
    say(account, "advertising", True)
    assert wants(account, "advertising")
    assert not wants(account, "advertising", channel="sms")
    say(account, "advertising", False, now=NOW + days(1))
    assert not wants(account, "advertising", now=NOW + days(1))
    rows = Consent.objects.order_by("pk").values_list("given", "at", "source", "actor")
    assert list(rows) == [(True, NOW, "form", "member:7"), (False, NOW + days(1), "form", "member:7")]


def test_advertising_at_night_needs_both_consents(account):
    say(account, "night_advertising", True)
    assert not wants(account, "night_advertising")
    say(account, "advertising", True)
    assert wants(account, "night_advertising")
    say(account, "advertising", False)
    assert not wants(account, "night_advertising")


def test_after_two_years_consent_to_advertising_ends_unless_it_is_confirmed(account):
    say(account, "advertising", True)
    say(account, "notice", True)
    assert wants(account, "advertising", now=IN_TWO_YEARS - timedelta(microseconds=1))
    assert not wants(account, "advertising", now=IN_TWO_YEARS)
    assert wants(account, "notice", now=IN_TWO_YEARS)
    say(account, "advertising", True, now=IN_TWO_YEARS)
    assert wants(account, "advertising", now=IN_TWO_YEARS)


def test_those_due_for_confirmation_are_listed(account, byeol):
    jun = builders.jun(byeol)
    say(account, "advertising", True)
    say(account, "notice", True)
    say(jun, "advertising", True)
    say(jun, "advertising", False, now=NOW + days(1))
    say(jun, "night_advertising", True, channel="sms", now=NOW + days(40))
    assert consents.due(now=IN_TWO_YEARS - days(31)) == []
    due = consents.Due(account.member_id, "email", "advertising", NOW, IN_TWO_YEARS)
    assert consents.due(now=IN_TWO_YEARS - days(30)) == [due]
    say(account, "advertising", True, now=IN_TWO_YEARS - days(1))
    assert consents.due(now=IN_TWO_YEARS) == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("channel", "pigeon"), ("purpose", "fun"), ("source", " "), ("source", "x" * 101)],
)
def test_bad_input_is_refused_naming_the_field(account, field, wrong):
    words = {"channel": "email", "purpose": "notice", "source": "form"} | {field: wrong}
    with pytest.raises(BadInput) as refusal:
        consents.say(member=account.member, given=True, by=Actor("member"), now=NOW, **words)
    assert refusal.value.field == field
    assert not Consent.objects.exists()


def test_a_word_cannot_be_changed_and_outlives_the_address(account):
    contact = alert_builders.email(account)
    said = say(account, "notice", False)
    with pytest.raises(DatabaseError), transaction.atomic():
        Consent.objects.filter(pk=said.pk).update(given=True)
    contacts.erase(contact=contact)
    assert list(Consent.objects.values_list("given", flat=True)) == [False]
