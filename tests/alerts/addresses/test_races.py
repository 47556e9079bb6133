"""Two clicks at the same moment give no more than one after the other: real connections, all let go at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection

from alerts.addresses import contacts, suppressions, traces, verifications
from alerts.errors import BadInput
from alerts.models import Contact, Suppression, Verification
from alerts.models.contact import Channel
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW
from tests.races.together import all_at_once, other_connection, running

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor("member", "7")


class Nowhere(dict):
    """Channels whose messages go nowhere."""

    def __missing__(self, channel: str) -> Any:
        return self

    def send(self, message: Any) -> None:
        pass


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def enter(account, address: str) -> Contact:
    return contacts.enter(member=account.member, address=address, language="ko", channel=Channel.EMAIL, by=BY, now=NOW)


def send(contact: Contact) -> None:
    verifications.send_code(contact=contact, channels=Nowhere(), now=NOW)  # type: ignore[arg-type]


def refused(answers: list[object]) -> int:
    assert all(isinstance(answer, BadInput | Contact | None) for answer in answers), answers
    return sum(isinstance(answer, BadInput) for answer in answers)


def test_an_address_that_is_entered_twice_at_once_is_there_once(account):
    assert refused(all_at_once([partial(enter, account, "m@example.com")] * 4)) == 3
    assert Contact.objects.count() == 1


def test_no_two_clicks_enter_more_addresses_than_there_can_be(account):
    for number in range(8):
        enter(account, f"a{number}@example.com")
    assert refused(all_at_once([partial(enter, account, f"b{number}@example.com") for number in range(5)])) == 3
    assert Contact.objects.count() == 10


def test_no_more_codes_are_sent_to_an_address_whoever_asks_at_the_same_moment(account, byeol):
    rows = [enter(account, "m@example.com"), enter(builders.jun(byeol), "m@example.com")]
    assert refused(all_at_once([partial(send, rows[number % 2]) for number in range(8)])) == 3
    assert Verification.objects.count() == 5


def test_an_address_that_somebody_enters_while_another_erases_it_stays_suppressed(account, byeol):
    """The other's row is not to be seen yet when the first is erased: it waits, and then finds it."""
    hers, jun = alert_builders.email(account), builders.jun(byeol).member
    suppressions.add(channel="email", address=hers.address, why="complaint", now=NOW)
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [traces.trace(hers.address)])
            cursor.execute(
                "INSERT INTO alerts_contact (member_id, channel, address, language, zone, verified, active)"
                " VALUES (%s, 'email', %s, 'ko', '', true, true)",
                [jun.pk, hers.address],
            )
        with running([partial(contacts.erase, contact=hers)]) as (erasing,):
            while not _somebody_waits():
                assert not erasing.done()
            other.commit()
    assert erasing.result() is None
    assert Suppression.objects.get().address == "minji@example.com"
    assert contacts.usable(jun.pk, "email") is None


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])
