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


def choose(account, said, *, now=NOW):
    keys = {tuple(key.split(".")): given for key, given in said.items()}
    return consents.choose(member=account.member, said=keys, source="portal", by=Actor("member", "7"), now=now)


def newest(account):
    words = consents.newest_words(account.member_id)
    return {".".join(which): word.given for which, word in words.items()}


def test_several_words_are_recorded_at_once_and_what_was_not_said_is_not(account):
    say(account, "notice", False, channel="sms")
    choose(account, {"email.notice": False, "email.advertising": True, "email.night_advertising": True}, now=NOW)
    assert newest(account) == {
        "sms.notice": False,
        "email.notice": False,
        "email.advertising": True,
        "email.night_advertising": True,
    }
    word = Consent.objects.get(purpose="advertising")
    assert (word.at, word.source, word.actor) == (NOW, "portal", "member:7")
    assert choose(account, {}) == []


def test_consent_for_the_night_needs_the_one_for_the_day(account):
    for said in (
        {"email.night_advertising": True},
        {"email.notice": False, "email.advertising": False, "email.night_advertising": True},
    ):
        with pytest.raises(BadInput) as refusal:
            choose(account, said)
        assert refusal.value.field == "email_night_advertising"
    assert not Consent.objects.exists()
    choose(account, {"email.advertising": True})
    choose(account, {"email.night_advertising": True})
    assert wants(account, "night_advertising")


def test_consent_for_the_night_ends_with_the_one_for_the_day_and_does_not_come_back_with_it(account):
    choose(account, {"email.advertising": True, "email.night_advertising": True})
    choose(account, {"email.advertising": False})
    assert newest(account) == {"email.advertising": False, "email.night_advertising": False}
    choose(account, {"email.advertising": True})
    assert not wants(account, "night_advertising")
    # Also where the day was refused by one click, or ended after two years: neither says a word about the night.
    choose(account, {"email.night_advertising": True})
    say(account, "advertising", False)
    choose(account, {"email.advertising": True})
    assert not wants(account, "night_advertising")
    choose(account, {"email.night_advertising": True})
    choose(account, {"email.advertising": True}, now=IN_TWO_YEARS)
    assert newest(account)["email.night_advertising"] is False


def test_a_word_about_the_day_leaves_the_night_that_is_in_force(account):
    choose(account, {"email.advertising": True, "email.night_advertising": True})
    choose(account, {"email.advertising": True}, now=NOW + days(1))
    assert wants(account, "night_advertising", now=NOW + days(1))


def test_one_confirmation_is_for_all_that_ended_or_ends_soon(account, byeol):
    choose(account, {"email.advertising": True, "email.night_advertising": True, "sms.notice": True})
    say(account, "night_advertising", True, channel="alimtalk")  # without the day it is in force nowhere
    say(account, "advertising", True, channel="sms", now=NOW + days(40))
    say(builders.jun(byeol), "advertising", True)
    by = Actor("member", "7")

    def confirm(now):
        words = consents.confirm(member=account.member, source="portal", by=by, now=now)
        return [(word.channel, word.purpose, word.given, word.at, word.source) for word in words]

    assert confirm(IN_TWO_YEARS - days(31)) == []
    at = IN_TWO_YEARS + days(1)
    assert [due.purpose for due in consents.to_confirm(consents.newest_words(account.member_id), now=at)] == [
        "advertising",
        "night_advertising",
    ]
    assert confirm(at) == [
        ("email", "advertising", True, at, "portal"),
        ("email", "night_advertising", True, at, "portal"),
    ]
    assert wants(account, "night_advertising", now=at)
    assert confirm(at) == []
