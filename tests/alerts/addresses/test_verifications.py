import logging
from datetime import timedelta
from typing import Any

import pytest

from alerts.addresses import contacts, suppressions, traces, verifications
from alerts.errors import BadInput, NotSent, Rejected, SendError, Unknown
from alerts.models import Contact, SideMessage, Suppression, Verification
from alerts.models.contact import Channel
from alerts.watch import switches
from ledger.actors import Actor
from tests import builders
from tests.builders import NOW, days

BY = Actor("member", "7")


class Post(dict):
    """Channels that keep what they are given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.fails: SendError | None = None

    def __missing__(self, channel: str) -> Any:
        post = self

        class Way:
            def send(self, message: Any) -> None:
                if post.fails:
                    raise post.fails
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
    return contacts.enter(member=member, address="m@example.com", language="en", channel=Channel.EMAIL, by=BY, now=NOW)


def send(contact, post, now=NOW):
    verifications.send_code(contact=contact, channels=post, now=now)


def check(contact, code, now=NOW):
    verifications.check(contact=contact, code=code, now=now)


def refused(contact, code, now=NOW):
    with pytest.raises(BadInput) as refusal:
        check(contact, code, now)
    assert refusal.value.field == "code"
    assert not Contact.objects.get(pk=contact.pk).verified
    return refusal.value.detail


NO_MORE = "This code counts no more: it is good for ten minutes and five tries. Please ask for a new one."


def too_many(contact, post, now=NOW):
    """The rule that is said when no more codes are sent."""
    sent = len(post.sent)
    with pytest.raises(BadInput) as refusal:
        send(contact, post, now)
    assert (refusal.value.field, len(post.sent)) == ("contact", sent)
    return refusal.value.detail


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
    assert refused(contact, post.code(), NOW + timedelta(minutes=10)) == NO_MORE


def test_after_five_tries_it_counts_no_more(contact, post):
    send(contact, post)
    wrong = "This is not the code that was sent"
    assert [refused(contact, other_than(post.code())) for _ in range(5)] == [
        f"{wrong}. You have 4 more tries.",
        f"{wrong}. You have 3 more tries.",
        f"{wrong}. You have 2 more tries.",
        f"{wrong}. You have 1 more try.",
        f"{wrong}, and it was the last of five tries. Please ask for a new one.",
    ]
    assert refused(contact, post.code()) == NO_MORE
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


def test_five_codes_a_day_are_enough_for_an_address(contact, post):
    for _ in range(5):
        send(contact, post)
    assert too_many(contact, post) == "At most 5 codes a day are sent to one address. Please try again tomorrow."
    send(contact, post, NOW + days(1))
    assert Verification.objects.count() == 1  # what no longer counts is cleared away, hash and all


def enter(member, address, channel=Channel.EMAIL):
    return contacts.enter(member=member, address=address, language="en", channel=channel, by=BY, now=NOW)


@pytest.mark.parametrize("again", ["m@example.com", "m@EXAMPLE.com", "M@example.com"])
def test_erasing_an_address_and_entering_it_anew_gives_no_more_codes(contact, post, again):
    for _ in range(5):
        send(contact, post)
    contacts.remove(contact=contact, by=BY)
    anew = enter(contact.member, again)
    assert too_many(anew, post) == "At most 5 codes a day are sent to one address. Please try again tomorrow."
    assert Verification.objects.count() == 5
    assert "example" not in str(list(Verification.objects.values()))


def test_nor_does_another_members_claim(contact, post, byeol):
    for _ in range(5):
        send(contact, post)
    his = enter(builders.jun(byeol).member, "m@example.com")
    too_many(his, post)


def test_ten_codes_a_day_are_enough_for_a_member_whatever_they_claim(contact, post, byeol):
    for number in range(10):
        each = enter(contact.member, f"a{number}@example.com")
        send(each, post)
        contacts.remove(contact=each, by=BY)
    assert too_many(contact, post) == "At most 10 codes a day are sent for one member. Please try again tomorrow."
    send(enter(builders.jun(byeol).member, "jun@example.com"), post)


def test_a_number_is_one_address_for_sms_and_alimtalk(contact, post):
    for channel in (Channel.SMS, Channel.ALIMTALK):
        phone = enter(contact.member, "010-1234-5678", channel)
        for _ in range(3):
            if Verification.objects.filter(address_trace=traces.trace(phone.address)).count() < 5:
                send(phone, post)
        if channel == Channel.SMS:
            contacts.remove(contact=phone, by=BY)
    too_many(phone, post)
    check(phone, post.code())
    rows = Contact.objects.filter(address="+821012345678").order_by("channel").values_list("channel", "verified")
    assert list(rows) == [("alimtalk", True), ("sms", True)]
    assert not Contact.objects.get(pk=contact.pk).verified


def test_the_code_of_one_member_proves_nothing_of_another(contact, post, byeol):
    his = enter(builders.jun(byeol).member, "m@example.com")
    send(contact, post)
    assert refused(his, post.code()) == NO_MORE
    assert Verification.objects.get().tries == 0  # nor does it cost the other a try
    check(contact, post.code())


def test_a_code_that_could_not_be_sent_is_an_error(contact, post):
    post.fails = NotSent("closed")
    for _ in range(6):  # what did not leave is not counted
        with pytest.raises(NotSent):
            send(contact, post)
    assert not Verification.objects.exists()
    post.fails = Unknown("gone")
    for _ in range(5):
        with pytest.raises(Unknown):
            send(contact, post)
    with pytest.raises(BadInput):
        send(contact, post)


def test_a_telephone_is_asked_by_sms(contact, post):
    phone = contacts.enter(
        member=contact.member, address="010-1234-5678", language="ko", channel=Channel.ALIMTALK, by=BY, now=NOW
    )
    send(phone, post)
    assert (post.sent[0][0], post.sent[0][1].to) == ("sms", "+821012345678")


def claim(member, address, post, channel=Channel.EMAIL, now=NOW):
    return verifications.claim(
        member=member, address=address, language="en", channel=channel, channels=post, by=BY, now=now
    )


def test_claiming_an_address_enters_it_and_sends_its_code(contact, post, caplog):
    with caplog.at_level(logging.INFO):
        found = claim(contact.member, " Minji@Example.COM ", post)
    assert (found.contact.address, found.contact.verified, found.failure) == ("Minji@example.com", False, None)
    assert post.sent[0][1].to == "Minji@example.com"
    assert f"contact {found.contact.pk} was entered by member:7" in caplog.text
    assert "example.com" not in caplog.text
    check(found.contact, post.code())


@pytest.mark.parametrize("failure", [NotSent("closed"), Unknown("gone")])
def test_an_address_whose_code_could_not_be_sent_now_waits_for_another(contact, post, failure):
    post.fails = failure
    assert claim(contact.member, "new@example.com", post).failure is failure
    assert Contact.objects.filter(address="new@example.com", verified=False).count() == 1


def test_an_address_that_its_provider_refuses_is_not_entered(contact, post):
    post.fails = Rejected("no such user")
    with pytest.raises(BadInput) as refusal:
        claim(contact.member, "010-1234-5678", post, Channel.SMS)
    assert (refusal.value.field, refusal.value.detail) == (
        "address",
        "Messages to this address are refused. Is it written right?",
    )
    assert list(Contact.objects.all()) == [contact]


def test_with_todays_codes_used_up_nothing_is_entered(contact, post):
    for _ in range(5):
        send(contact, post)
    contacts.remove(contact=contact, by=BY)
    with pytest.raises(BadInput) as refusal:
        claim(contact.member, "m@example.com", post)
    assert refusal.value.field == "address"
    assert not Contact.objects.exists()


def test_a_code_that_came_back_shows_that_messages_arrive_and_forgives_no_complaint(contact, post):
    suppressions.add(channel="email", address="m@example.com", why="hard_bounce", now=NOW)
    send(contact, post)
    check(contact, post.code(), NOW + timedelta(minutes=1))
    assert Suppression.objects.get().lifted_at == NOW + timedelta(minutes=1)
    assert contacts.usable(contact.member_id, "email") is not None
    contacts.remove(contact=contact, by=BY)
    anew = enter(contact.member, "m@example.com")
    send(anew, post)
    suppressions.add(channel="email", address="m@example.com", why="complaint", now=NOW)
    check(anew, post.code())
    assert Suppression.objects.filter(lifted_at=None).count() == 1
    assert contacts.usable(contact.member_id, "email") is None


@pytest.mark.parametrize("why", ["complaint", "by_hand"])
def test_no_code_goes_where_somebody_complained_or_staff_said_no(contact, post, why):
    suppressions.add(channel="email", address="M@example.com", why=why, now=NOW)
    assert too_many(contact, post) == UNWANTED
    assert not Verification.objects.exists()
    assert not SideMessage.objects.exists()
    suppressions.lift(suppression=Suppression.objects.get(), now=NOW)
    send(contact, post)


UNWANTED = (
    "Nothing may be sent to this address: our messages there were reported as unwanted, or were stopped. "
    "Please use another one, or ask us."
)


def test_a_complaint_about_an_erased_address_is_known_when_it_is_claimed_anew(contact, post):
    suppressions.add(channel="email", address="m@example.com", why="complaint", now=NOW)
    contacts.remove(contact=contact, by=BY)
    with pytest.raises(BadInput) as refusal:
        claim(contact.member, "M@example.com", post)
    assert (refusal.value.field, refusal.value.detail, post.sent) == ("address", UNWANTED, [])
    assert not Contact.objects.exists()


def test_a_complaint_about_a_number_on_one_channel_counts_on_the_other(contact, post):
    phone = enter(contact.member, "010-1234-5678", Channel.ALIMTALK)
    suppressions.add(channel="sms", address="+821012345678", why="complaint", now=NOW)
    assert too_many(phone, post) == UNWANTED


def test_a_stopped_transport_sends_no_code_and_another_does(contact, post):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    assert too_many(contact, post) == "No codes are sent at the moment. Please try again later."
    with pytest.raises(BadInput) as refusal:
        claim(contact.member, "new@example.com", post)
    assert (refusal.value.field, post.sent) == ("address", [])
    assert list(Contact.objects.all()) == [contact]
    assert not Verification.objects.exists()
    send(enter(contact.member, "010-1234-5678", Channel.SMS), post)
    switches.resume_transport(name="smtp", by=BY, why="mended", now=NOW)
    send(contact, post)
    assert [channel for channel, _message in post.sent] == ["sms", "email"]


def test_an_alimtalk_is_proven_by_sms_and_asks_its_transport(contact, post, settings):
    settings.TRANSPORTS = settings.TRANSPORTS | {"sms": "nhn", "alimtalk": "solapi"}
    phone = enter(contact.member, "010-1234-5678", Channel.ALIMTALK)
    switches.stop_transport(name="solapi", by=BY, why="bounces", now=NOW)
    send(phone, post)
    switches.stop_transport(name="nhn", by=BY, why="bounces", now=NOW)
    assert too_many(phone, post) == "No codes are sent at the moment. Please try again later."


def test_the_key_of_a_code_is_kept_unless_it_provably_did_not_leave(contact, post):
    send(contact, post)
    row = SideMessage.objects.get()
    assert (row.key, row.channel, row.contact, row.at) == (post.sent[0][1].key, "email", contact, NOW)
    assert row.address_trace == traces.trace("m@example.com")
    post.fails = NotSent("closed")
    with pytest.raises(NotSent):
        send(contact, post)
    assert SideMessage.objects.get() == row
