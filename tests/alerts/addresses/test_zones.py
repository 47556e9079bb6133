from __future__ import annotations

import logging
import zoneinfo

import pytest
from django.db import connection

from alerts.addresses import contacts, zones
from alerts.errors import BadInput
from alerts.models import Contact
from alerts.models.contact import Channel
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW
from tests.looking import nothing_changes
from tests.races.together import other_connection, running, until_waiting

BY = Actor("member", "7")
LONDON = "Europe/London"


@pytest.fixture
def account(byeol):
    """Minji with an e-mail address and a number."""
    hers = builders.minji(byeol)
    alert_builders.email(hers)
    alert_builders.phone(hers)
    return hers


@pytest.fixture
def other(byeol):
    """Jun with an address."""
    his = builders.jun(byeol)
    alert_builders.email(his, "jun@example.com")
    return his


def rows() -> list[dict[str, object]]:
    return [dict(row) for row in Contact.objects.order_by("pk").values()]


def move(account, zone: str) -> None:
    zones.move(member=account.member, zone=zone, by=BY)


def test_the_choice_is_of_places_by_their_present_names():
    offered = zones.to_choose_from()
    assert list(offered) == sorted(set(offered))
    assert len(offered) > 400
    assert {"Asia/Seoul", LONDON, "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Pacific/Chatham"} <= set(offered)
    old_or_no_place = {"Asia/Calcutta", "America/Buenos_Aires", "Europe/Belfast", "US/Pacific", "UTC", "Etc/GMT+9"}
    assert old_or_no_place & set(offered) == set()
    assert old_or_no_place <= zoneinfo.available_timezones()


def test_every_zone_to_choose_from_is_known_to_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}
    assert set(zones.to_choose_from()) - known == set()


def test_a_zone_that_this_machine_does_not_know_is_not_offered(monkeypatch):
    monkeypatch.setattr("zoneinfo.available_timezones", lambda: {"Asia/Seoul", "UTC"})
    assert zones.to_choose_from.__wrapped__() == ("Asia/Seoul",)


def test_all_addresses_of_a_member_move_and_nothing_else_changes(account, other, caplog):
    before = rows()
    with nothing_changes(), caplog.at_level(logging.INFO):
        move(account, LONDON)
    assert rows() == [row | {"zone": LONDON} if row["member_id"] == account.member_id else row for row in before]
    assert zones.zone_of(account.member_id) == LONDON
    assert zones.zone_of(other.member_id) == ""
    first, second = (row["id"] for row in before[:2])
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("alerts.addresses.zones", f"contact {pk} was given another time zone by member:7") for pk in (first, second)
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        move(account, LONDON)
    assert caplog.records == []  # nothing changed, and nothing is said
    move(account, "")
    assert rows() == before


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Mars/Phobos", "“Mars/Phobos” is not a time zone; an example is Asia/Seoul."),
        ("Asia/seoul", "“Asia/seoul” is not a time zone; an example is Asia/Seoul."),
        ("posix/Asia/Seoul", "“posix/Asia/Seoul” is not a time zone; an example is Asia/Seoul."),
        ("Asia/\0", "“Asia/\0” is not a time zone; an example is Asia/Seoul."),
        (" ", "“ ” is not a time zone; an example is Asia/Seoul."),
    ],
)
def test_what_is_no_zone_is_refused_and_nothing_is_written(account, zone, said):
    before = rows()
    with pytest.raises(BadInput) as refusal:
        move(account, zone)
    assert (refusal.value.field, refusal.value.detail) == ("zone", said)
    assert rows() == before


def test_a_zone_that_only_the_database_lacks_is_refused_too(account, monkeypatch):
    monkeypatch.setattr("zoneinfo.available_timezones", lambda: {"Mars/Phobos"})
    before = rows()
    with pytest.raises(BadInput) as refusal:
        move(account, "Mars/Phobos")
    assert refusal.value.detail == "The database does not know the time zone “Mars/Phobos”."
    assert rows() == before


def test_without_an_address_there_is_nothing_to_write_by_a_clock(byeol, other):
    before = rows()
    with pytest.raises(BadInput) as refusal:
        move(builders.minji(byeol), LONDON)
    assert refusal.value.field == "zone"
    assert refusal.value.detail == "Please add an address first: the time zone is kept with it."
    assert rows() == before


def test_an_address_that_is_new_is_in_the_zone_of_the_oldest(account, other):
    move(account, LONDON)
    contacts.enter(member=account.member, address="010-8765-4321", language="ko", channel=Channel.SMS, by=BY, now=NOW)
    found = Contact.objects.filter(address="+821087654321").values_list("channel", "zone")
    assert sorted(found) == [("alimtalk", LONDON), ("sms", LONDON)]
    alert_builders.email(other, "jun2@example.com")
    assert zones.zone_of(other.member_id) == ""
    assert set(Contact.objects.filter(member=other.member).values_list("zone", flat=True)) == {""}


def test_an_address_that_is_brought_up_to_date_keeps_its_own(account):
    number = Contact.objects.get(channel="sms")
    Contact.objects.filter(pk=number.pk).update(zone="Asia/Tokyo")
    alert_builders.phone(account)
    assert list(Contact.objects.order_by("pk").values_list("zone", flat=True)) == ["", "Asia/Tokyo"]


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_entered_at_the_same_moment_moves_too(account):
    """It is not to be seen yet when the member moves: that waits, and then finds it."""
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM ledger_member WHERE id = %s FOR NO KEY UPDATE", [account.member_id])
            cursor.execute(
                "INSERT INTO alerts_contact (member_id, channel, address, language, zone, verified, active)"
                " VALUES (%s, 'email', 'new@example.com', 'ko', '', false, true)",
                [account.member_id],
            )
        with running([lambda: move(account, LONDON)]) as (moving,):
            until_waiting(1)
            other.commit()
    assert moving.result() is None
    assert list(Contact.objects.values_list("zone", flat=True)) == [LONDON] * 3
