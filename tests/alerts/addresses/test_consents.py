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


def due(**asked):
    """(programme, member, channel, purpose) of what is listed."""
    return [(code, member, each.channel, each.purpose) for code, member, each in consents.due(**asked)]


def test_those_due_for_confirmation_are_listed(account, byeol):
    jun = builders.jun(byeol)
    say(account, "advertising", True)
    say(account, "notice", True)
    say(jun, "advertising", True)
    say(jun, "advertising", False, now=NOW + days(1))
    assert due(now=IN_TWO_YEARS - days(31)) == []
    listed = consents.Due(account.member_id, "email", "advertising", NOW, IN_TWO_YEARS)
    assert list(consents.due(now=IN_TWO_YEARS - days(30))) == [("byeol", "minji", listed)]
    assert due(now=IN_TWO_YEARS - days(30) - timedelta(microseconds=1)) == []
    say(account, "advertising", True, now=IN_TWO_YEARS - days(1))
    assert due(now=IN_TWO_YEARS) == []


def test_the_oldest_stand_first_of_a_programme_or_of_all_within_the_days_that_were_asked_for(account, byeol):
    moa = builders.minji(builders.moa())
    say(account, "advertising", True, now=NOW + days(2))
    say(moa, "advertising", True, now=NOW + days(1))
    say(builders.jun(byeol), "advertising", True, now=NOW + days(3), channel="sms")
    first, second, third = (
        ("moa", "minji", "email", "advertising"),
        ("byeol", "minji", "email", "advertising"),
        ("byeol", "jun", "sms", "advertising"),
    )
    assert due(now=IN_TWO_YEARS) == [first, second, third]
    assert due(now=IN_TWO_YEARS, programme=byeol) == [second, third]
    assert due(now=IN_TWO_YEARS, within=days(2)) == [first, second]
    assert due(now=IN_TWO_YEARS, within=days(0)) == []
    assert due(now=IN_TWO_YEARS + days(1), within=days(0)) == [first]


# What may have been said of the day, then of the night: (given, how many days ago), in the order of time.
DAY = [(), ((True, 720),), ((True, 100),), ((True, 900),), ((True, 720), (False, 10)), ((False, 800), (True, 705))]
NIGHT = [((True, 720),), ((True, 900),), ((True, 100),), ((True, 720), (False, 5)), ()]


@pytest.mark.parametrize("day", DAY)
@pytest.mark.parametrize("night", NIGHT)
def test_the_list_of_all_and_the_question_to_one_member_agree(account, day, night):
    for purpose, words in (("advertising", day), ("night_advertising", night)):
        for given, ago in words:
            say(account, purpose, given, now=NOW - days(ago))
    listed = [each for _code, _member, each in consents.due(now=NOW)]
    asked = consents.to_confirm(consents.newest_words(account.member_id), now=NOW)
    assert sorted(listed, key=str) == sorted(asked, key=str)


def test_a_night_without_a_day_that_was_given_is_not_listed(account, byeol):
    jun = builders.jun(byeol)
    say(jun, "night_advertising", True, channel="sms")  # the day was never given
    say(jun, "advertising", True, channel="email")  # on another channel
    say(account, "advertising", True)
    say(account, "night_advertising", True, now=NOW + days(1))
    night = ("byeol", "minji", "email", "night_advertising")
    assert night in due(now=IN_TWO_YEARS + days(1))  # both ended, and are confirmed together
    say(account, "advertising", False, now=NOW + days(2))  # by one click, say: nothing was said of the night
    assert due(now=IN_TWO_YEARS + days(9)) == [("byeol", "jun", "email", "advertising")]


def test_a_consent_of_a_leap_day_ends_on_the_same_day_in_both(account):
    given = datetime(2024, 2, 29, 12, tzinfo=UTC)
    say(account, "advertising", True, now=given)
    ends = datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert [each.ends_at for _code, _member, each in consents.due(now=ends, within=days(0))] == [ends]
    assert due(now=ends - timedelta(seconds=1), within=days(0)) == []


@pytest.mark.parametrize(
    ("said", "reached_by", "ends"),
    [
        ({"email.notice": False}, ["email"], True),
        ({"email.notice": False}, ["email", "sms"], False),
        ({"email.notice": False, "sms.notice": False}, ["email", "sms"], True),
        ({"email.notice": False}, [], False),
        ({"email.notice": False, "sms.notice": False, "alimtalk.notice": False}, [], True),
        ({"sms.notice": False}, ["email"], False),
        ({"email.notice": True}, ["sms"], False),
        ({"email.advertising": False}, ["email"], False),
    ],
)
def test_a_no_ends_all_notices_where_none_would_reach_the_member(said, reached_by, ends):
    words = {tuple(key.split(".")): given for key, given in said.items()}
    after = {channel: words.get((channel, "notice"), True) for channel in ("email", "sms", "alimtalk")}
    assert consents.ends_all_notices(words, after=after, reached_by=reached_by) is ends


def test_a_yes_where_nothing_is_sent_anyway_needs_no_second_word():
    after = dict.fromkeys(("email", "sms", "alimtalk"), False)
    assert not consents.ends_all_notices({("email", "advertising"): False}, after=after, reached_by=["email"])


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
