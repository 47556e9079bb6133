"""Reports about codes and tests: known at once, and a complaint is not lost."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from alerts.addresses import contacts, side_messages, suppressions, traces
from alerts.models import Contact, ProviderEvent, SideMessage, Suppression
from alerts.models.contact import Channel
from alerts.sending import receipts
from alerts.watch import gauges
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW, days

LATER = NOW + timedelta(minutes=1)
BY = Actor("member", "7")
ADDRESS = "minji@example.com"


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


@pytest.fixture
def contact(account) -> Contact:
    return enter(account)


def enter(account, address=ADDRESS) -> Contact:
    return contacts.enter(member=account.member, address=address, language="ko", channel=Channel.EMAIL, by=BY, now=NOW)


def note(contact: Contact | None, address=ADDRESS, now=NOW):
    return side_messages.note(channel="email", address=address, contact=contact, now=now)


def report(kind, key, *, at=LATER) -> ProviderEvent:
    """As the webhook's view stores it."""
    return ProviderEvent.objects.create(
        transport="anymail",
        event_key=uuid4().hex,
        kind=kind,
        our_key=str(key),
        occurred_at=at,
        received_at=at,
        raw="{}",
    )


def match(now=LATER) -> int:
    return receipts.match(now=now, limit=100)


def suppressed() -> list[tuple[str, str, str]]:
    return list(Suppression.objects.order_by("pk").values_list("address", "why", "note"))


@pytest.mark.parametrize(
    ("kind", "why"), [("bounced", "hard_bounce"), ("complained", "complaint")], ids=["bounce", "complaint"]
)
def test_a_bounce_or_a_complaint_about_a_code_stops_its_address(account, contact, kind, why):
    event = report(kind, note(contact))
    assert match() == 1
    assert suppressed() == [(ADDRESS, why, "anymail")]
    Contact.objects.update(verified=True)
    assert contacts.usable(account.member_id, "email") is None
    event.refresh_from_db()
    assert (event.delivery_id, event.matched_at) == (None, LATER)
    assert match() == 0


@pytest.mark.parametrize("kind", ["delivered", "undelivered", "unsubscribed", "other"])
def test_another_report_about_a_code_is_matched_to_nothing_at_once_and_stops_nothing(contact, kind):
    event = report(kind, note(contact))
    assert match() == 1
    event.refresh_from_db()
    assert (event.delivery_id, event.matched_at) == (None, LATER)
    assert suppressed() == []


def test_it_turns_no_gauge_red(contact):
    report("delivered", note(contact))
    match()
    read = gauges.read(now=LATER + timedelta(hours=2))
    found = {gauge.name: gauge.samples[0].value for gauge in read if gauge.samples}
    assert (found["events_unmatched"], found["events_unmatched_oldest_seconds"]) == (0, 0)


def test_a_report_about_nothing_of_ours_waits_as_before(contact):
    note(contact)
    report("complained", uuid4())
    report("complained", "no key")
    assert match() == 0
    assert match(LATER + receipts.NOBODYS_AFTER) == 2
    assert suppressed() == []


def test_a_complaint_after_the_address_was_erased_is_known_when_it_is_claimed_anew(account, contact):
    key = note(contact)
    contacts.remove(contact=contact, by=BY)
    assert SideMessage.objects.get().contact is None
    report("complained", key)
    match()
    assert suppressed() == [(traces.marked(ADDRESS), "complaint", "anymail")]
    assert suppressions.is_unwanted(ADDRESS)
    enter(account, "Minji@example.com")
    assert suppressed() == [(ADDRESS, "complaint", "anymail")]


def test_it_reaches_whoever_else_has_the_address_by_then(byeol, account, contact):
    key = note(contact)
    jun = alert_builders.email(builders.jun(byeol), "Minji@example.com")
    contacts.remove(contact=contact, by=BY)
    assert SideMessage.objects.get().contact == jun
    report("complained", key)
    match()
    assert suppressed() == [(ADDRESS, "complaint", "anymail")]
    assert contacts.usable(jun.member_id, "email") is None


def test_and_whoever_enters_it_between(byeol, account, contact):
    key = note(contact)
    contacts.remove(contact=contact, by=BY)
    jun = alert_builders.email(builders.jun(byeol), ADDRESS)
    report("complained", key)
    match()
    assert contacts.usable(jun.member_id, "email") is None


def test_an_address_that_staff_moved_is_not_taken_for_the_old_one(contact):
    key = note(contact)
    contact.address = "new@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    report("complained", key)
    match()
    assert suppressed() == [(traces.marked(ADDRESS), "complaint", "anymail")]


def test_a_complaint_about_a_test_to_an_address_of_nobody_is_kept_by_its_trace(db):
    report("complained", note(None))
    match()
    assert suppressed() == [(traces.marked(ADDRESS), "complaint", "anymail")]
    assert "minji" not in str(list(SideMessage.objects.values()))


def test_what_did_not_leave_is_forgotten_and_what_is_old_is_cleared_away(contact):
    side_messages.take_back(key=note(contact))
    assert not SideMessage.objects.exists()
    note(contact)
    kept = note(contact, now=NOW + days(90) - timedelta(seconds=1))
    assert SideMessage.objects.count() == 2
    newest = note(contact, now=NOW + days(90))
    assert set(SideMessage.objects.values_list("key", flat=True)) == {kept, newest}
