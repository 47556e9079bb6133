from datetime import timedelta

from alerts.proof import evidence
from alerts.sending import deliveries
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan, the_delivery


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
    with django_assert_num_queries(4):
        evidence.of_account(minji)
