import pytest

from alerts.addresses import contacts
from alerts.errors import BadInput
from alerts.models import Contact
from alerts.models.contact import Channel
from tests import alert_builders, builders
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


def enter(account, address):
    return contacts.enter(member=account.member, address=address, language="ko", channel=Channel.EMAIL, now=NOW)


def test_an_address_that_is_claimed_is_not_written_to_yet_and_claims_nothing_back(account):
    assert not enter(account, "new@example.com").verified
    mine = alert_builders.email(account)
    with pytest.raises(BadInput):
        enter(account, mine.address)
    assert contacts.usable(account.member_id, "email") == mine


def test_ten_addresses_are_enough(account):
    for number in range(10):
        enter(account, f"a{number}@example.com")
    with pytest.raises(BadInput):
        enter(account, "one-more@example.com")
    assert Contact.objects.count() == 10


def test_an_erased_address_is_gone(account):
    contacts.erase(contact=alert_builders.email(account))
    assert not Contact.objects.exists()
