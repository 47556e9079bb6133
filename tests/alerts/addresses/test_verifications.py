from datetime import timedelta
from typing import Any

import pytest

from alerts.addresses import contacts, verifications
from alerts.errors import BadInput, NotSent
from alerts.models import Contact, Verification
from alerts.models.contact import Channel
from tests import builders
from tests.builders import NOW, days


class Post(dict):
    """Channels that keep what they are given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.fails = False

    def __missing__(self, channel: str) -> Any:
        post = self

        class Way:
            def send(self, message: Any) -> None:
                if post.fails:
                    raise NotSent("closed")
                post.sent.append((channel, message))

        return Way()

    def code(self) -> str:
        return "".join(letter for letter in self.sent[-1][1].text.subject if letter.isdigit())


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def contact(byeol):
    member = builders.minji(byeol).member
    return contacts.enter(member=member, address="m@example.com", language="en", channel=Channel.EMAIL, now=NOW)


def send(contact, post, now=NOW):
    verifications.send_code(contact=contact, channels=post, now=now)


def check(contact, code, now=NOW):
    verifications.check(contact=contact, code=code, now=now)


def refused(contact, code, now=NOW):
    with pytest.raises(BadInput) as refusal:
        check(contact, code, now)
    assert refusal.value.field == "code"
    assert not Contact.objects.get(pk=contact.pk).verified


def other_than(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_goes_to_the_address_and_proves_it(contact, post):
    send(contact, post)
    ((channel, message),) = post.sent
    code = post.code()
    assert (channel, message.to, len(code)) == ("email", "m@example.com", 6)
    assert code in message.text.text
    assert code in message.text.html
    row = Verification.objects.get()
    assert code not in row.code_hash
    assert (len(row.code_hash), row.expires_at) == (64, NOW + timedelta(minutes=10))
    check(contact, f" {code} ", NOW + timedelta(minutes=9))
    contact.refresh_from_db()
    assert (contact.verified, contact.verified_at) == (True, NOW + timedelta(minutes=9))
    assert contacts.usable(contact.member_id, "email") == contact
    with pytest.raises(BadInput):
        check(contact, code)
    with pytest.raises(BadInput):
        send(contact, post)


def test_after_ten_minutes_it_counts_no_more(contact, post):
    send(contact, post)
    refused(contact, post.code(), NOW + timedelta(minutes=10))


def test_after_five_tries_it_counts_no_more(contact, post):
    send(contact, post)
    for _ in range(5):
        refused(contact, other_than(post.code()))
    refused(contact, post.code())
    assert Verification.objects.get().tries == 5


def test_the_fifth_try_still_counts(contact, post):
    send(contact, post)
    for _ in range(4):
        refused(contact, other_than(post.code()))
    check(contact, post.code())


def test_only_the_newest_code_counts(contact, post):
    refused(contact, "000000")
    send(contact, post)
    old = post.code()
    send(contact, post)
    if old != post.code():
        refused(contact, old)
    check(contact, post.code())


def test_five_codes_a_day_are_enough(contact, post):
    for _ in range(5):
        send(contact, post)
    with pytest.raises(BadInput):
        send(contact, post)
    assert len(post.sent) == 5
    send(contact, post, NOW + days(1))


def test_a_code_that_could_not_be_sent_is_an_error(contact, post):
    post.fails = True
    with pytest.raises(NotSent):
        send(contact, post)


def test_a_telephone_is_asked_by_sms(contact, post):
    phone = contacts.enter(
        member=contact.member, address="010-1234-5678", language="ko", channel=Channel.ALIMTALK, now=NOW
    )
    send(phone, post)
    assert (post.sent[0][0], post.sent[0][1].to) == ("sms", "+821012345678")
