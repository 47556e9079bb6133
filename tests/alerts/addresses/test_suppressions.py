from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.addresses import contacts, suppressions, traces
from alerts.errors import BadInput
from alerts.models import Contact, Suppression
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.builders import NOW, days
from tests.looking import plan_of


@pytest.fixture
def account(byeol):
    return builders.minji(byeol)


def add(address="Minji@example.com", **changes):
    terms: dict[str, Any] = {"channel": "email", "why": "hard_bounce", "now": NOW} | changes
    return suppressions.add(address=address, **terms)


def test_a_suppressed_address_is_not_written_to_and_another_is(account):
    alert_builders.email(account)
    row = add()
    assert contacts.usable(account.member_id, "email") is None
    other = alert_builders.email(account, "other@example.com")
    assert contacts.usable(account.member_id, "email") == other
    assert "@" not in str(row)


def test_one_that_stands_is_enough(account):
    first = add()
    assert add(" minji@EXAMPLE.com", now=NOW + days(1)) == first
    assert (Suppression.objects.get().why, Suppression.objects.get().at) == ("hard_bounce", NOW)


def test_a_complaint_is_not_lost_behind_a_bounce_which_a_code_may_end(account):
    first = add()
    assert not suppressions.is_unwanted("minji@example.com")
    assert add(" minji@EXAMPLE.com", why="complaint", now=NOW + days(1), note="anymail") == first
    add(now=NOW + days(2))
    row = Suppression.objects.get()
    assert (row.why, row.at, row.note) == ("complaint", NOW, "anymail")
    assert suppressions.is_unwanted("Minji@example.com")
    assert not suppressions.is_unwanted("jun@example.com")


def test_lifting_lets_it_be_written_to_again_and_stays_on_record(account):
    contact = alert_builders.email(account)
    contacts.refuse(contact=contact, now=NOW)
    row = add()
    suppressions.lift(suppression=row, now=NOW + days(1))
    assert contacts.usable(account.member_id, "email") == contact
    assert Suppression.objects.get().lifted_at == NOW + days(1)
    with pytest.raises(BadInput):
        suppressions.lift(suppression=row, now=NOW + days(2))
    assert Suppression.objects.get().lifted_at == NOW + days(1)
    add()
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "wrong"), [("channel", "pigeon"), ("why", "spite"), ("address", " "), ("note", "x" * 201)]
)
def test_bad_input_is_refused_naming_the_field(db, field, wrong):
    with pytest.raises(BadInput) as refusal:
        add(**{field: wrong})
    assert refusal.value.field == field
    assert not Suppression.objects.exists()


def kept() -> list[str]:
    return list(Suppression.objects.order_by("pk").values_list("address", flat=True))


def test_of_an_address_that_is_erased_only_a_hash_is_kept_and_it_is_known_again(account):
    contact = alert_builders.email(account)
    add()
    contacts.erase(contact=contact)
    assert kept() == [traces.marked("minji@example.com")]
    assert contacts.usable(account.member_id, "email") is None
    alert_builders.email(account, "MINJI@example.com")
    assert kept() == ["minji@example.com"]
    assert contacts.usable(account.member_id, "email") is None


def test_an_address_that_somebody_else_has_stays_named(account, byeol):
    hers, his = alert_builders.email(account), alert_builders.email(builders.jun(byeol))
    add()
    contacts.erase(contact=hers)
    assert kept() == ["minji@example.com"]
    contacts.erase(contact=his)
    assert kept() == [traces.marked("minji@example.com")]


def test_an_address_that_staff_replace_is_forgotten_too(account):
    contact = alert_builders.email(account)
    add()
    contact.address = "new@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    assert kept() == [traces.marked("minji@example.com")]
    contact.address = "minji@example.com"
    contacts.rewrite(contact=contact, now=NOW)
    assert kept() == ["minji@example.com"]
    assert contacts.usable(account.member_id, "email") is None


def test_one_that_stands_under_its_hash_is_enough(account):
    contact = alert_builders.email(account)
    first = add()
    contacts.erase(contact=contact)
    assert add(why="complaint") == first
    assert Suppression.objects.count() == 1


def add_traced(account, address="minji@example.com", **changes):
    terms: dict[str, Any] = {"channel": "email", "why": "hard_bounce", "now": NOW} | changes
    return suppressions.add_traced(trace=traces.trace(address), member_id=account.member_id, **terms)


def test_an_address_known_by_its_trace_is_named_while_its_member_has_it(account):
    alert_builders.email(account, "first@example.com")
    alert_builders.email(account, "Minji@example.com")
    add_traced(account)
    assert kept() == ["minji@example.com"]
    assert add_traced(account, now=NOW + days(1)).at == NOW
    assert Suppression.objects.count() == 1


def test_on_another_channel_it_is_another_address(account):
    alert_builders.phone(account)
    add_traced(account, "+821012345678")
    assert kept() == [traces.marked("+821012345678")]
    assert contacts.usable(account.member_id, "sms") is not None


def test_by_its_trace_it_is_suppressed_once_and_known_when_anybody_enters_it(account, byeol):
    add_traced(account)
    add_traced(account, now=NOW + days(1))
    assert kept() == [traces.marked("minji@example.com")]
    jun = builders.jun(byeol)
    alert_builders.email(jun)
    assert kept() == ["minji@example.com"]
    assert contacts.usable(jun.member_id, "email") is None


@pytest.mark.parametrize("act", ["enter", "erase"])
def test_of_an_address_that_stands_by_its_name_and_by_its_trace_one_is_enough(account, byeol, act):
    """Jun has it and it bounced; of a message to Minji, who has it no more, only the trace is known, and a version
    before gave his contact none."""
    his = alert_builders.email(builders.jun(byeol))
    Contact.objects.update(address_trace="")
    add()
    add_traced(account)
    assert kept() == ["minji@example.com", traces.marked("minji@example.com")]
    if act == "enter":
        alert_builders.email(account)
        assert kept() == ["minji@example.com"]
    else:
        contacts.erase(contact=his)
        assert kept() == [traces.marked("minji@example.com")]
    assert Suppression.objects.get().lifted_at is None


def test_an_address_that_had_bounced_is_written_to_again_when_a_message_came_through(account):
    alert_builders.email(account)
    alert_builders.email(account, "other@example.com")
    add()
    add("other@example.com", why="complaint")
    for address in ("Minji@example.com", "other@example.com"):
        suppressions.arrived(channel="email", address=address, now=NOW + days(1))
    assert list(Suppression.objects.order_by("pk").values_list("lifted_at", flat=True)) == [NOW + days(1), None]


def test_an_address_that_nobody_has_is_suppressed_by_its_trace_and_known_when_it_is_entered(account):
    trace = traces.trace("minji@example.com")
    row = suppressions.add_erased(channel="email", trace=trace, why="complaint", now=NOW, note="anymail")
    assert (row.address, row.note) == (traces.marked("minji@example.com"), "anymail")
    assert suppressions.is_unwanted("Minji@example.com")
    alert_builders.email(account)
    assert Suppression.objects.get().address == "minji@example.com"
    assert contacts.usable(account.member_id, "email") is None


def test_one_by_its_trace_and_one_by_its_address_become_one(account):
    suppressions.add_erased(channel="email", trace=traces.trace("minji@example.com"), why="complaint", now=NOW)
    Suppression.objects.create(channel="email", address="minji@example.com", why="by_hand", at=NOW)
    contact = alert_builders.email(account)
    assert Suppression.objects.get().why == "by_hand"
    contacts.erase(contact=contact)
    assert Suppression.objects.get().address == traces.marked("minji@example.com")


def stop(address="minji@example.com", *, channels=("email",), why="on the telephone", now=NOW):
    return suppressions.stop(channels=channels, address=address, by=Actor("staff", "3"), why=why, now=now)


def rows() -> list[tuple[str, str, str, str]]:
    return list(Suppression.objects.order_by("pk").values_list("channel", "address", "why", "note"))


def test_staff_stop_an_address_with_their_reason_for_whoever_has_it(account, byeol, caplog):
    jun = builders.jun(byeol)
    alert_builders.email(account)
    alert_builders.email(jun, "MINJI@example.com")
    with caplog.at_level("INFO"):
        (row,) = stop(" Minji@Example.com ", why=" on the\r\ntelephone ")
    assert rows() == [("email", "minji@example.com", "by_hand", "on the telephone")]
    assert (row.at, row.lifted_at) == (NOW, None)
    assert contacts.usable(account.member_id, "email") is contacts.usable(jun.member_id, "email") is None
    assert caplog.messages == [f"suppression {row.pk} was made by staff:3"]


def test_a_number_is_stopped_on_both_channels_that_it_serves(account):
    alert_builders.phone(account)
    stop("+821012345678", channels=("sms", "alimtalk"))
    trace = traces.marked("+821012345678")  # nobody has it for AlimTalk
    assert rows() == [
        ("sms", "+821012345678", "by_hand", "on the telephone"),
        ("alimtalk", trace, "by_hand", "on the telephone"),
    ]
    assert contacts.usable(account.member_id, "sms") is None


def test_of_an_address_that_nobody_has_staff_keep_only_the_trace_and_it_is_known_when_entered(account):
    stop()
    assert rows() == [("email", traces.marked("minji@example.com"), "by_hand", "on the telephone")]
    alert_builders.email(account)
    assert kept() == ["minji@example.com"]
    assert contacts.usable(account.member_id, "email") is None


@pytest.mark.parametrize("why", ["by_hand", "complaint"])
@pytest.mark.parametrize("erased", [False, True])
def test_what_is_stopped_already_is_said_and_keeps_its_reason(account, why, erased):
    contact = alert_builders.email(account)
    add(why=why, note="before")
    if erased:
        contacts.erase(contact=contact)
    before = rows()
    with pytest.raises(BadInput, match="suppressed") as refusal:
        stop(now=NOW + days(1))
    assert refusal.value.field == "address"
    assert rows() == before


def test_a_bounce_becomes_a_stop_by_hand_which_no_code_ends(account):
    alert_builders.email(account)
    first = add()
    assert stop(now=NOW + days(1)) == [first]
    assert rows() == [("email", "minji@example.com", "by_hand", "on the telephone")]
    suppressions.arrived(channel="email", address="minji@example.com", now=NOW + days(2))
    assert Suppression.objects.get().lifted_at is None
    assert suppressions.is_unwanted("minji@example.com")


def test_a_bounce_of_an_address_that_nobody_has_becomes_one_too(account):
    trace = traces.trace("minji@example.com")
    suppressions.add_erased(channel="email", trace=trace, why="hard_bounce", now=NOW)
    stop()
    assert rows() == [("email", traces.marked("minji@example.com"), "by_hand", "on the telephone")]


def test_one_that_stands_by_name_though_nobody_has_it_is_enough(account):
    add()
    stop()
    assert rows() == [("email", "minji@example.com", "by_hand", "on the telephone")]


def test_a_bounce_of_somebody_who_has_it_is_stopped_though_its_trace_is_as_well(account):
    alert_builders.email(account)
    add()
    trace = traces.trace("minji@example.com")
    suppressions.add_erased(channel="email", trace=trace, why="complaint", now=NOW)
    stop()
    assert rows() == [("email", "minji@example.com", "by_hand", "on the telephone")]


def test_who_has_an_address_is_found_by_the_index_of_spellings(account):
    """A million addresses are not read for each that is erased."""
    alert_builders.email(account)
    row = add()
    with CaptureQueriesContext(connection) as asked:
        found = suppressions.who_has("email", "MINJI@example.com")
        suppressions.lift(suppression=row, now=NOW)
    assert found == account.member.contacts.get()
    of_contacts = [query["sql"] for query in asked if "UPPER" in query["sql"]]
    assert len(of_contacts) == 2
    for statement in of_contacts:
        plan_of_it = plan_of(statement)
        assert " contact_spelled " in plan_of_it, plan_of_it
        assert "Index Cond: ((upper((address)::text) = 'MINJI@EXAMPLE.COM'::text)" in plan_of_it


def test_a_channel_on_which_it_stands_is_left_alone_beside_one_on_which_it_does_not(account):
    add("+821012345678", channel="sms", why="complaint", note="anymail")
    (row,) = stop("+821012345678", channels=("sms", "alimtalk"))
    assert row.channel == "alimtalk"
    assert [(channel, why) for channel, _address, why, _note in rows()] == [
        ("sms", "complaint"),
        ("alimtalk", "by_hand"),
    ]


def test_one_that_was_lifted_can_be_stopped_again(account):
    (first,) = stop()
    suppressions.lift(suppression=first, now=NOW + days(1))
    (second,) = stop(now=NOW + days(2))
    assert first != second
    assert list(Suppression.objects.order_by("pk").values_list("lifted_at", flat=True)) == [NOW + days(1), None]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("channel", {"channels": ("sms", "pigeon")}),
        ("address", {"address": " "}),
        ("address", {"address": "x" * 255}),
        ("why", {"why": " \n"}),
        ("why", {"why": "x" * 201}),
    ],
)
def test_staff_are_refused_bad_input_naming_the_field_and_nothing_is_written(db, field, wrong):
    with pytest.raises(BadInput) as refusal:
        stop(**wrong)
    assert refusal.value.field == field
    assert not Suppression.objects.exists()
