from django.utils import translation

from alerts.addresses import consents, contacts, suppressions
from alerts.models import Contact
from alerts.models.contact import Channel
from portal.reaching import pages
from tests import alert_builders
from tests.builders import NOW, SEOUL, days
from tests.portal.reaching.conftest import say


def states(account) -> list[list[str]]:
    with translation.override("en"):
        return [line.states for line in pages.address_lines(account.member_id, SEOUL)]


def test_the_states_of_an_address_in_words(account):
    assert states(account) == [["Verified since March 10, 2025."]]
    Contact.objects.update(verified_at=None)
    assert states(account) == [["Verified."]]
    Contact.objects.update(verified=False, active=False)
    assert states(account) == [
        [
            "Waits for the code that was sent there. Until then nothing else is sent to it.",
            "Not in use. Customer service can tell you why.",
        ]
    ]


def test_why_an_address_is_not_written_to(account):
    suppressions.add(channel="email", address="minji@example.com", why="complaint", now=NOW)
    assert states(account)[0][1].startswith("Not written to any more: on March 10, 2025 a message to it was reported")
    alert_builders.email(account, "second@example.com")
    suppressions.add(channel="email", address="second@example.com", why="by_hand", now=NOW)
    assert states(account)[1][1] == "Not written to any more since March 10, 2025. Customer service can tell you why."


def test_trouble_on_one_of_two_channels_names_it(account):
    alert_builders.phone(account)
    kakao = alert_builders.phone(account, channel=Channel.ALIMTALK)
    contacts.refuse(contact=kakao, now=NOW)
    found = states(account)[1]
    assert found[0] == "Verified since March 10, 2025."
    assert found[1].startswith("KakaoTalk AlimTalk: Does not arrive any more: since March 10, 2025")


def test_the_last_word_says_when_and_where_and_what_goes_without_one(account):
    def last(purpose):
        with translation.override("en"):
            word = consents.newest_words(account.member_id).get(("email", purpose))
            return pages.last_word(word, purpose, SEOUL, NOW)

    assert last("notice") == "You have not said anything about these: they are sent."
    assert last("advertising") == "You have not said anything about these: they are not sent."
    say(account, "notice", True, source="call centre", now=NOW - days(800))
    assert last("notice") == "You said yes on Dec. 31, 2022, 12:00, call centre."
    say(account, "advertising", True, now=NOW - days(800))
    ended = "You said yes on Dec. 31, 2022, 12:00, on this page; that ended on Dec. 31, 2024."
    assert last("advertising") == ended
    say(account, "advertising", False, source="one-click")
    assert last("advertising") == "You said no on March 10, 2025, 12:00, by the link in a message."


def test_which_address_is_the_last_that_reaches_the_member(account):
    first = Contact.objects.get()
    assert pages.is_the_last(first, now=NOW)
    phone = alert_builders.phone(account)
    assert not pages.is_the_last(first, now=NOW)
    say(account, "notice", False, channel="sms")
    assert pages.is_the_last(first, now=NOW)
    assert not pages.is_the_last(phone, now=NOW)
