from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from alerts.addresses import contacts
from alerts.channels import Message
from alerts.channels.sandbox import SandboxChannel
from alerts.errors import BadInput
from alerts.models import Contact, SandboxMessage
from alerts.models.contact import Channel
from alerts.texts.words import Text
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alerts.carrier import can
from tests.builders import NOW, days


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def test_an_address_is_entered_once_and_brought_up_to_date(account):
    first = alert_builders.email(account, language="ko")
    again = contacts.put(member=account.member, address=" minji@example.com ", language="en", verified=False, now=NOW)
    assert again.pk == first.pk
    assert (again.language, again.verified, again.active) == ("en", False, True)
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["", "minji", "minji@", "a b@example.com", "민지@example.com", "minji@example.com\nBcc: x@example.com"],
)
def test_what_is_no_address_is_refused_naming_the_field(account, address):
    with pytest.raises(BadInput) as refusal:
        contacts.put(member=account.member, address=address, language="ko", verified=True, now=NOW)
    assert refusal.value.field == "address"
    assert not Contact.objects.exists()


def test_an_unknown_language_is_refused(account):
    with pytest.raises(BadInput) as refusal:
        contacts.put(member=account.member, address="minji@example.com", language="fr", verified=True, now=NOW)
    assert refusal.value.field == "language"


def test_only_an_address_that_is_verified_in_use_and_not_refused_is_usable(account):
    def usable():
        return contacts.usable(account.member_id, "email")

    assert usable() is None
    contacts.put(member=account.member, address="minji@example.com", language="ko", verified=False, now=NOW)
    assert usable() is None
    contact = alert_builders.email(account)
    assert usable() == contact
    contacts.refuse(contact=contact, now=NOW)
    assert usable() is None


def test_of_several_addresses_the_oldest_is_used(account):
    first = alert_builders.email(account)
    alert_builders.email(account, "second@example.com")
    assert contacts.usable(account.member_id, "email") == first
    contacts.refuse(contact=first, now=NOW)
    second = contacts.usable(account.member_id, "email")
    assert second is not None
    assert second.address == "second@example.com"


def test_a_refusal_is_of_the_address_that_was_called_and_not_of_the_one_entered_meanwhile(account):
    called = alert_builders.email(account)
    row = Contact.objects.get()
    row.address = "new@example.com"
    contacts.rewrite(contact=row, now=NOW)
    contacts.refuse(contact=called, now=NOW + days(1))
    assert contacts.usable(account.member_id, "email") == row
    contacts.refuse(contact=Contact.objects.get(), now=NOW + days(1))
    assert Contact.objects.get().refused_at == NOW + days(1)


def test_all_that_may_be_written_to_are_found_by_member_and_channel(account, byeol):
    first, second = alert_builders.email(account), alert_builders.email(account, "second@example.com")
    contacts.refuse(contact=alert_builders.email(account, "third@example.com"), now=NOW)
    jun = builders.jun(byeol)
    his = alert_builders.phone(jun)
    asked = [(account.member_id, "email"), (jun.member_id, "sms"), (jun.member_id, "email")]
    assert contacts.all_reached([*asked, asked[0]]) == {asked[0]: [first, second], asked[1]: [his]}


def test_a_contact_is_never_shown_with_its_address(account):
    assert "@" not in str(alert_builders.email(account))


def test_since_when_an_address_is_verified_is_kept_while_it_is(account):
    def put(verified: bool, after: int) -> Contact:
        return contacts.put(
            member=account.member, address="a@example.com", language="ko", verified=verified, now=NOW + days(after)
        )

    assert put(True, 0).verified_at == NOW
    assert put(True, 1).verified_at == NOW
    assert put(False, 2).verified_at is None
    assert put(True, 3).verified_at == NOW + days(3)


def put_phone(account, address, channel=Channel.SMS):
    return contacts.put(member=account.member, address=address, language="ko", verified=True, now=NOW, channel=channel)


@pytest.mark.parametrize("written", ["010-1234-5678", " 01012345678", "+82 10 1234 5678"])
def test_a_number_is_kept_the_same_however_it_is_written(account, written):
    put_phone(account, "+821012345678")
    assert put_phone(account, written).address == "+821012345678"
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("address", ["", "02-312-3456", "minji@example.com", "12"])
def test_a_number_that_cannot_receive_sms_is_refused(account, address):
    with pytest.raises(BadInput) as refusal:
        put_phone(account, address, Channel.ALIMTALK)
    assert refusal.value.field == "address"
    assert not Contact.objects.exists()


BY = Actor("member", "7")


def enter(account, address, channel=Channel.EMAIL):
    return contacts.enter(member=account.member, address=address, language="ko", channel=channel, by=BY, now=NOW)


def rows():
    return list(Contact.objects.order_by("pk").values_list("channel", "address", "verified"))


def test_an_address_that_is_claimed_is_not_written_to_yet_and_claims_nothing_back(account):
    assert not enter(account, "new@example.com").verified
    mine = alert_builders.email(account)
    with pytest.raises(BadInput) as refusal:
        enter(account, mine.address)
    assert (refusal.value.field, refusal.value.detail) == ("address", "This address is there already.")
    assert contacts.usable(account.member_id, "email") == mine


def test_a_number_that_is_claimed_serves_sms_and_alimtalk(account):
    number = enter(account, "010-1234-5678", Channel.SMS)
    assert rows() == [("sms", "+821012345678", False), ("alimtalk", "+821012345678", False)]
    with pytest.raises(BadInput):
        enter(account, "+82 10 1234 5678", Channel.ALIMTALK)
    alert_builders.email(account)
    contacts.remove(contact=number, by=BY)
    assert rows() == [("email", "minji@example.com", True)]


def test_ten_addresses_are_enough(account):
    enter(account, "010-1234-5678", Channel.SMS)
    for number in range(9):
        enter(account, f"a{number}@example.com")
    with pytest.raises(BadInput) as refusal:
        enter(account, "one-more@example.com")
    assert refusal.value.detail == "You have 10 addresses, as many as there can be. Please remove one first."
    assert Contact.objects.count() == 11


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Minji@Example.COM ", "Minji@example.com"),
        ("minji@example.com", "minji@example.com"),
        ("minji", "minji"),
        ("", ""),
        ("@X", "@x"),
    ],
)
def test_the_domain_of_an_address_is_kept_in_small_letters(written, kept):
    assert contacts.normal("email", written) == kept


def test_an_erased_address_is_gone(account):
    contacts.erase(contact=alert_builders.email(account))
    assert not Contact.objects.exists()


def test_removing_an_address_takes_nobody_elses(account, byeol):
    hers, his = alert_builders.email(account), alert_builders.email(builders.jun(byeol))
    contacts.remove(contact=hers, by=BY)
    assert list(Contact.objects.all()) == [his]


def test_a_row_that_staff_change_forgets_what_was_said_of_its_old_address(account):
    contact = alert_builders.email(account)
    contacts.refuse(contact=contact, now=NOW)
    contact.refresh_from_db()
    contact.language = "en"
    contacts.rewrite(contact=contact, now=NOW + days(1))
    contact.refresh_from_db()
    assert (contact.refused_at, contact.verified_at) == (NOW, NOW)
    contact.address = "new@example.com"
    contacts.rewrite(contact=contact, now=NOW + days(2))
    contact.refresh_from_db()
    assert (contact.refused_at, contact.verified_at) == (None, NOW + days(2))
    contact.verified = False
    contacts.rewrite(contact=contact, now=NOW + days(3))
    contact.refresh_from_db()
    assert contact.verified_at is None
    contact.address = "nobody"
    with pytest.raises(BadInput):
        contacts.rewrite(contact=contact, now=NOW)
    assert rows() == [("email", "new@example.com", False)]


def test_what_would_be_reached_whatever_the_member_wants(account):
    contact = alert_builders.email(account)
    enter(account, "010-1234-5678", Channel.SMS)
    assert contacts.deliverable(account.member_id) == [contact]
    contacts.refuse(contact=contact, now=NOW)
    assert contacts.deliverable(account.member_id) == []


@pytest.mark.parametrize("zone", ["Mars/Phobos", "KST", "posix/Asia/Seoul", "localtime", "Asia/seoul", "+09:00"])
def test_a_zone_that_is_none_is_refused(account, zone):
    contact = alert_builders.email(account)
    contact.zone = zone
    with pytest.raises(BadInput) as refusal:
        contacts.rewrite(contact=contact, now=NOW)
    assert refusal.value.field == "zone"
    contact.zone = "Europe/London"
    contacts.rewrite(contact=contact, now=NOW)


def test_a_zone_must_be_known_to_the_database_too(account, monkeypatch):
    monkeypatch.setattr("zoneinfo.available_timezones", lambda: {"Mars/Phobos"})
    contact = alert_builders.email(account)
    contact.zone = "Mars/Phobos"
    with pytest.raises(BadInput) as refusal:
        contacts.rewrite(contact=contact, now=NOW)
    assert refusal.value.detail == "The database does not know the time zone “Mars/Phobos”."


def test_addresses_of_before_get_their_domain_in_small_letters(account, byeol):
    his = alert_builders.email(builders.jun(byeol), "x@example.com")
    written = ("A@Example.COM", "minji@example.com", "Minji@EXAMPLE.com", "c@example.com")
    for number, address in enumerate(written):
        contact = alert_builders.email(account, f"{number}@example.com")
        Contact.objects.filter(pk=contact.pk).update(address=address)
    Contact.objects.filter(pk=his.pk).update(address="a@EXAMPLE.com")
    put_phone(account, "010-1234-5678")
    with connection.cursor() as cursor:
        cursor.execute(import_module("alerts.migrations.0005_rooms").LOWER_DOMAINS)
    kept = list(Contact.objects.filter(member=account.member).order_by("pk").values_list("address", flat=True))
    # Of two that are the same one stays as it was written: which of them is written to is nobody's guess here.
    assert kept == ["A@example.com", "minji@example.com", "Minji@EXAMPLE.com", "c@example.com", "+821012345678"]
    his.refresh_from_db()
    assert his.address == "a@example.com"


def kept_by_the_sandbox(*addresses):
    with SandboxChannel("email") as channel:
        for address in addresses:
            channel.send(Message(uuid4(), address, "ko", Text("Your code", "123456", "")))


def left_in_the_sandbox():
    return list(SandboxMessage.objects.order_by("to").values_list("to", flat=True))


def test_erasing_an_address_erases_what_the_sandbox_kept_for_it(account):
    contact = alert_builders.email(account)
    kept_by_the_sandbox("Minji@Example.com", "minji@example.com", "jun@example.com")
    contacts.erase(contact=contact)
    assert left_in_the_sandbox() == ["jun@example.com"]


def test_so_does_writing_another_address_in_its_place(account):
    contact = alert_builders.email(account)
    kept_by_the_sandbox("minji@example.com", "new@example.com")
    contacts.rewrite(contact=contact, now=NOW)
    assert left_in_the_sandbox() == ["minji@example.com", "new@example.com"]
    contact.address = "new@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    assert left_in_the_sandbox() == ["new@example.com"]


AMERICAN, KOREAN = "+14155552671", "+821012345678"
ONLY_KOREAN = "SMS reaches only numbers that begin with +82."


def carried_by(settings, sms, alimtalk):
    settings.TRANSPORTS = {"email": "smtp", "sms": sms, "alimtalk": alimtalk}


@pytest.mark.parametrize("transport", ["solapi", "nhn"])
@pytest.mark.parametrize("act", [enter, lambda account, number, channel: put_phone(account, number, channel)])
def test_a_number_that_the_transport_does_not_carry_to_is_refused_where_it_is_entered(
    account, settings, transport, act
):
    carried_by(settings, transport, transport)
    for channel, words in [
        (Channel.SMS, ONLY_KOREAN),
        (Channel.ALIMTALK, "KakaoTalk AlimTalk reaches only numbers that begin with +82."),
    ]:
        with pytest.raises(BadInput) as refusal:
            act(account, "+1 415 555 2671", channel)
        assert (refusal.value.field, refusal.value.detail) == ("address", words)
        assert rows() == []
    assert act(account, "010-1234-5678", Channel.SMS).address == KOREAN


def test_all_countries_of_a_transport_are_named(account, carrier):
    carrier.can = can(countries=frozenset({"+82", "+81"}))
    with pytest.raises(BadInput) as refusal:
        enter(account, AMERICAN, Channel.SMS)
    assert refusal.value.detail == "SMS reaches only numbers that begin with +81, +82."


def test_a_number_that_is_claimed_serves_the_channels_that_carry_to_it(account, settings):
    carried_by(settings, "twilio", "solapi")
    enter(account, AMERICAN, Channel.SMS)
    assert rows() == [("sms", AMERICAN, False)]
    with pytest.raises(BadInput) as refusal:
        enter(account, "+1 415 555 2672", Channel.ALIMTALK)  # a number for SMS must not slip in that way
    assert refusal.value.field == "address"
    enter(account, KOREAN, Channel.ALIMTALK)
    assert rows()[1:] == [("sms", KOREAN, False), ("alimtalk", KOREAN, False)]


def test_a_number_that_was_there_before_its_transport_can_be_brought_up_to_date(account, settings):
    contact = put_phone(account, AMERICAN)
    carried_by(settings, "nhn", "nhn")
    put_phone(account, "+1 415 555 2671")
    contact.language, contact.active = "en", False
    contacts.rewrite(contact=contact, now=NOW)
    contact.refresh_from_db()
    assert (contact.address, contact.language, contact.active) == (AMERICAN, "en", False)


def test_a_row_of_staff_gets_no_number_that_the_transport_does_not_carry_to(account, settings):
    carried_by(settings, "nhn", "nhn")
    contact = put_phone(account, KOREAN)
    contact.address = AMERICAN
    with pytest.raises(BadInput) as refusal:
        contacts.rewrite(contact=contact, now=NOW)
    assert (refusal.value.field, refusal.value.detail) == ("address", ONLY_KOREAN)
    fresh = Contact(member=account.member, channel=Channel.SMS, address=AMERICAN, verified=True)
    with pytest.raises(BadInput):
        contacts.rewrite(contact=fresh, now=NOW)
    assert rows() == [("sms", KOREAN, True)]


def test_who_is_written_to_in_vain_is_found_by_channel(account, settings):
    for channel in (Channel.SMS, Channel.ALIMTALK):
        put_phone(account, AMERICAN, channel)
        put_phone(account, KOREAN, channel)
    alert_builders.email(account)
    ended: list[dict[str, Any]] = [{"active": False}, {"verified": False}, {"refused_at": NOW}]
    for number, changes in enumerate(ended, start=2):
        other = put_phone(account, f"+1 415 555 267{number}")
        Contact.objects.filter(pk=other.pk).update(**changes)
    assert not contacts.not_carried().exists()  # the sandbox keeps them all
    carried_by(settings, "nhn", "solapi")
    sms, alimtalk = (Contact.objects.get(channel=channel, address=AMERICAN) for channel in ("sms", "alimtalk"))
    assert list(contacts.not_carried("sms")) == [sms]
    assert list(contacts.not_carried("alimtalk")) == [alimtalk]
    assert list(contacts.not_carried("email")) == []
    assert list(contacts.not_carried().order_by("pk")) == [sms, alimtalk]
    carried_by(settings, "twilio", "solapi")
    assert list(contacts.not_carried()) == [alimtalk]


def test_of_several_countries_each_is_carried_to(account, carrier):
    put_phone(account, AMERICAN)
    put_phone(account, KOREAN)
    carrier.can = can(countries=frozenset({"+82", "+81"}))
    assert [contact.address for contact in contacts.not_carried()] == [AMERICAN]
    carrier.can = can(countries=frozenset({"+82", "+1"}))
    assert not contacts.not_carried().exists()
