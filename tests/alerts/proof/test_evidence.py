from datetime import timedelta

import pytest

from alerts.addresses import contacts
from alerts.models import Contact, Delivery, ProviderEvent, Reminder
from alerts.proof import evidence
from alerts.proof.readers import Reader
from alerts.sending import deliveries
from alerts.sending.decisions import cancel
from alerts.texts.words import TEMPLATE
from ledger.actors import Actor
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan, the_delivery
from tests.alerts.proof import scene


def test_it_shows_what_was_planned_tried_sent_accepted_and_recorded(minji, sink):
    plan(before(60))
    sink.rcpt = lambda address: "451 later"
    deliveries.deliver(now=before(60), limit=10)
    sink.rcpt = None
    deliveries.deliver(now=before(60) + timedelta(minutes=5), limit=10)
    (reminder,) = evidence.of_account(minji)
    assert (reminder.expires_on, reminder.offset_days, reminder.points_planned) == (LAST_DAY, 60, 1_200)
    (told,) = reminder.messages
    assert (told.status, told.points, told.key) == ("accepted", 1_200, the_delivery().pk)
    assert [(one.number, one.outcome, one.code) for one in told.tries] == [
        (1, "throttled", "451"),
        (2, "accepted", "250"),
    ]
    assert told.notice_seq == Notice.objects.get().entry.seq


def test_it_shows_nothing_of_others_and_is_bounded(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    plan(before(60))
    assert [reminder.points_planned for reminder in evidence.of_account(jun)] == [10]
    assert evidence.of_account(jun, limit=0) == []


def test_its_cost_does_not_grow_with_the_rows(minji, sink, django_assert_num_queries):
    plan(before(60))
    deliveries.deliver(now=before(60), limit=10)
    with django_assert_num_queries(5):
        evidence.of_account(minji)


def send(now=None):
    plan(before(60))
    deliveries.deliver(now=now or before(60), limit=10)


def test_it_shows_what_a_message_said_in_which_words_and_where_to(minji, sink):
    send()
    (told,) = evidence.of_account(minji)[0].messages
    delivery = the_delivery()
    assert (told.template, told.version, told.language) == (TEMPLATE, None, "ko")
    assert (told.text_hash, told.text) == (delivery.text_hash, delivery.text)
    assert told.variables["points"] == 1_200
    assert told.values[1:4] == ["points: 1,200P", "last day: 2026-03-31", "60 days before"]
    assert (told.address, told.address_is_newer) == ("m***@example.com", False)
    (told,) = evidence.of_account(minji, reader=Reader(sees_addresses=True))[0].messages
    assert told.address == "minji@example.com"


def test_the_text_goes_when_its_time_is_over_and_the_rest_stays(minji, sink):
    send()
    assert deliveries.forget_texts(now=before(60) + timedelta(days=366), limit=10) == 1
    (told,) = evidence.of_account(minji)[0].messages
    assert told.text == ""
    assert (told.text_hash, told.variables["points"]) == (the_delivery().text_hash, 1_200)


def test_an_address_that_was_entered_since_is_said_to_be_and_an_erased_one_is_not_shown(minji, sink):
    send()
    Contact.objects.update(address="other@example.com", verified_at=before(50))
    (told,) = evidence.of_account(minji)[0].messages
    assert (told.address, told.address_is_newer) == ("o***@example.com", True)
    contacts.erase(contact=Contact.objects.get())
    (told,) = evidence.of_account(minji)[0].messages
    assert (told.address, told.address_is_newer, told.status) == ("", False, "accepted")


def test_where_no_answer_came_the_report_says_when_the_address_was_written_to(minji, carrier):
    class Killed(BaseException):
        pass

    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        send()
    deliveries.reap(now=before(60) + timedelta(minutes=10), limit=10)
    scene.report("delivered", days=59)
    (told,) = evidence.of_account(minji)[0].messages
    assert [each.code for each in told.tries] == ["lease"]
    assert (told.status, told.address_is_newer) == ("delivered", False)
    Contact.objects.update(verified_at=before(50))
    assert evidence.of_account(minji)[0].messages[0].address_is_newer


def test_a_skip_has_its_reason_in_words(minji, sink):
    plan(before(60))
    builders.redeem(minji, 1_200, now=before(60))
    deliveries.deliver(now=before(60), limit=10)
    (told,) = evidence.of_account(minji)[0].messages
    assert (told.status_said, told.why_said, told.text_hash, told.tries) == ("Skipped", "the points are gone", "", [])


def test_it_shows_what_the_provider_reported_by_its_clock_and_when_it_came_in(minji, sink):
    send()
    ProviderEvent.objects.create(
        transport="anymail",
        event_key="1",
        kind="delivered",
        occurred_at=before(59),
        received_at=before(58),
        raw="minji@example.com",
        delivery=the_delivery(),
    )
    (report,) = evidence.of_account(minji)[0].messages[0].reports
    assert (report.transport, report.said, report.detail) == ("anymail", "Delivered", "")
    assert (report.occurred_at, report.received_at) == (before(59), before(58))


def test_what_staff_decided_is_shown_and_who_it_was_only_to_staff(minji):
    plan(before(60))
    cancel(delivery=the_delivery(), by=Actor("staff", "3"), why="Sora asked", now=before(60))
    (told,) = evidence.of_account(minji, reader=Reader(sees_staff=True))[0].messages
    assert [report.detail for report in told.reports] == ["cancelled, Sora asked, staff:3"]
    (told,) = evidence.of_account(minji)[0].messages
    assert [report.detail for report in told.reports] == ["cancelled, staff"]


def test_it_can_be_asked_for_some_dates_only(minji):
    plan(before(60))
    at = Reminder.objects.get().expires_at
    assert len(evidence.of_account(minji, dates=[at])) == 1
    assert evidence.of_account(minji, dates=[at + timedelta(days=1)]) == []
    assert evidence.of_account(minji, dates=[]) == []
    assert Delivery.objects.count() == 1
