"""The numbers of the line, their thresholds, and how little asking for them costs."""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from alerts.errors import NotSent, Throttled, Unknown
from alerts.models import Delivery, PlanHold, Tick, delivery
from alerts.planning import blast, reminders
from alerts.sending import deliveries, leases, resending, webhooks
from alerts.watch import counting, gauges, switches, ticks
from config.celery import CLOCK
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, before, plan, the_delivery
from tests.alerts.proof import scene
from tests.builders import NOW, days
from tests.looking import nothing_changes, plan_of

pytestmark = pytest.mark.django_db

BY = Actor("staff", "3")
SENT_AT = before(60)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def shown(name: str, *, now) -> dict[str, float]:
    """The samples of a gauge: the values of their labels, with commas, and their numbers."""
    (gauge,) = [gauge for gauge in gauges.read(now=now) if gauge.name == name]
    return {",".join(sample.labels.values()): sample.value for sample in gauge.samples}


def beyond(*, now) -> set[str]:
    """Of all gauges those that need a look, with their labels; those of the ticks, which no test runs, left out."""
    return {
        ",".join([gauge.name, *sample.labels.values()])
        for gauge in gauges.read(now=now)
        for sample in gauge.samples
        if not sample.ok and not gauge.name.startswith("tick_")
    }


def test_a_line_with_nothing_to_do_needs_nobody(db):
    assert beyond(now=NOW) == set()
    for name in CLOCK:
        with ticks.tick(name, now=NOW):
            pass
    assert not gauges.needs_a_look(gauges.read(now=NOW + minutes(1)))
    assert gauges.needs_a_look(gauges.read(now=NOW + minutes(11)))


def test_looking_changes_nothing(minji):
    plan(SENT_AT)
    with nothing_changes():
        gauges.read(now=SENT_AT)


def test_what_is_due_grows_older_until_somebody_must_look(minji):
    plan(SENT_AT)
    assert shown("oldest_due_seconds", now=SENT_AT - minutes(1))["smtp"] == 0
    assert shown("oldest_due_seconds", now=SENT_AT + minutes(15)) == {"sandbox": 0, "smtp": 900}
    assert beyond(now=SENT_AT + minutes(15)) == set()
    assert beyond(now=SENT_AT + minutes(15.1)) == {"oldest_due_seconds,smtp"}


def test_a_transport_without_due_messages_has_none_beside_one_that_has(minji, byeol):
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "sms", "email")
    plan(SENT_AT)
    assert shown("oldest_due_seconds", now=SENT_AT + minutes(20)) == {"sandbox": 1_200, "smtp": 0}


def test_what_a_person_has_stopped_is_late_on_purpose(minji, byeol):
    plan(SENT_AT)
    later = SENT_AT + minutes(60)
    switches.stop_programme(programme=byeol, by=BY, why="wrong words", now=SENT_AT)
    assert shown("oldest_due_seconds", now=later) == {"sandbox": 0, "smtp": 0}
    assert shown("oldest_stopped_seconds", now=later) == {"sandbox": 0, "smtp": 3_600}
    assert shown("programmes_stopped", now=later) == {"": 1}
    assert beyond(now=later) == {"programmes_stopped"}
    switches.resume_programme(programme=byeol, by=BY, why="mended", now=SENT_AT)
    assert shown("oldest_due_seconds", now=later)["smtp"] == 3_600
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=SENT_AT)
    assert shown("oldest_stopped_seconds", now=later)["smtp"] == 3_600
    assert beyond(now=later) == {"transport_stopped,smtp"}


def test_a_programme_that_nobody_stopped_is_late_beside_one_that_is(minji):
    moa = alert_builders.moa(400)
    alert_builders.member(moa, "jun", 10)
    plan(SENT_AT)
    assert Delivery.objects.count() == 2
    switches.stop_programme(programme=moa, by=BY, why="wrong words", now=SENT_AT)
    for name in ("oldest_due_seconds", "oldest_stopped_seconds"):
        assert shown(name, now=SENT_AT + minutes(5)) == {"sandbox": 0, "smtp": 300}


def test_reminders_that_get_no_messages_are_late_since_they_were_planned(minji):
    planned = before(58)  # two days after the first instant at which it was due
    reminders.plan(now=planned, limit=10)
    assert shown("oldest_to_fan_out_seconds", now=planned + minutes(16)) == {"": 960}
    assert beyond(now=planned + minutes(16)) == {"oldest_to_fan_out_seconds"}


def test_open_and_lately_finished_deliveries_are_counted_by_state(minji, sink):
    plan(SENT_AT)
    there = {state: count for state, count in shown("deliveries_open", now=SENT_AT).items() if count}
    assert there == {"smtp,pending": 1}
    deliveries.deliver(now=SENT_AT, limit=10)
    assert not any(shown("deliveries_open", now=SENT_AT).values())
    made = shown("deliveries_finished_recently", now=SENT_AT + minutes(59))
    assert {state: count for state, count in made.items() if count} == {"smtp,accepted": 1}
    assert not any(shown("deliveries_finished_recently", now=SENT_AT + minutes(61)).values())
    assert made.keys() == {
        f"{transport},{state}"
        for transport in ("smtp", "sandbox")
        for state in (
            *("accepted", "delivered", "undelivered", "failed"),
            *("skipped", "cancelled", "superseded", "too_late", "dead"),
        )
    }


def finished(*, now) -> dict[str, float]:
    """By transport and state, those that there are."""
    return {state: count for state, count in shown("deliveries_finished_recently", now=now).items() if count}


def test_a_message_that_waited_for_its_time_is_finished_when_it_was_accepted(minji, sink):
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT + minutes(120), limit=10)
    assert finished(now=SENT_AT + minutes(60)) == {}
    assert finished(now=SENT_AT + minutes(179)) == {"smtp,accepted": 1}


def test_what_came_back_was_finished_then(minji, sink):
    scene.told()
    scene.report("undelivered", days=50)
    assert finished(now=before(50) + minutes(59)) == {"smtp,undelivered": 1}
    assert finished(now=before(50) - minutes(1)) == finished(now=before(50) + minutes(60)) == {}


def test_what_no_provider_took_was_finished_when_it_was_last_due(minji, sink):
    plan(SENT_AT)
    builders.redeem(minji, 1_200, now=SENT_AT)
    deliveries.deliver(now=SENT_AT + minutes(30), limit=10)
    assert finished(now=SENT_AT + minutes(59)) == {"smtp,skipped": 1}
    assert finished(now=SENT_AT - minutes(1)) == finished(now=SENT_AT + minutes(60)) == {}


@pytest.mark.parametrize("state", delivery.ENDED)
def test_every_way_in_which_a_message_can_end_is_counted(minji, state):
    plan(SENT_AT)
    Delivery.objects.update(status=state)
    assert finished(now=SENT_AT) == {f"smtp,{state}": 1}


def test_a_call_from_which_nobody_came_back_is_uncertain_and_then_unknown(minji, byeol, carrier):
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "sms")
    plan(SENT_AT)

    class Killed(BaseException):
        pass

    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliveries.deliver(now=SENT_AT, limit=10)
    assert the_delivery().status == "sending"
    over = SENT_AT + leases.lease() + minutes(11)
    assert shown("outcomes_uncertain", now=SENT_AT) == {"": 0}
    assert shown("outcomes_uncertain", now=over) == {"": 1}
    assert shown("outcomes_uncertain_oldest_seconds", now=over)[""] == pytest.approx(660, abs=30)
    assert beyond(now=over) == {"outcomes_uncertain_oldest_seconds"}
    assert shown("deliveries_open", now=over)["carrier,sending"] == 1
    deliveries.reap(now=over, limit=10)
    assert shown("outcomes_uncertain", now=over) == {"": 0}
    assert shown("outcomes_for_a_person", now=over) == {"": 1}
    assert beyond(now=over) == {"outcomes_for_a_person"}


def test_an_unknown_outcome_that_the_clock_decides_is_late_after_an_hour(minji, carrier):
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert shown("outcomes_unknown", now=SENT_AT + minutes(59)) == {"": 1}
    assert beyond(now=SENT_AT + minutes(59)) == set()
    assert shown("outcomes_unknown_oldest_seconds", now=SENT_AT + minutes(61))[""] == pytest.approx(3_660, abs=30)
    assert beyond(now=SENT_AT + minutes(61)) == {"outcomes_unknown_oldest_seconds"}
    assert shown("outcomes_for_a_person", now=SENT_AT + minutes(61)) == {"": 0}


def test_an_unknown_outcome_is_as_old_as_its_last_call(minji, carrier):
    plan(SENT_AT)
    carrier.answers = [Unknown()]
    deliveries.deliver(now=SENT_AT + minutes(30), limit=10)
    assert shown("outcomes_unknown_oldest_seconds", now=SENT_AT + minutes(40))[""] == pytest.approx(600, abs=30)


def test_what_was_claimed_and_not_called_yet_is_not_uncertain(minji):
    plan(SENT_AT)
    assert len(leases.claim(now=SENT_AT, limit=10)) == 1
    over = SENT_AT + leases.lease() + minutes(11)
    assert shown("deliveries_open", now=over)["smtp,claimed"] == 1
    assert shown("outcomes_uncertain", now=over) == {"": 0}


def test_every_tick_of_the_clock_is_shown_also_those_that_never_ran():
    with ticks.tick("plan", now=NOW):
        pass
    with pytest.raises(ZeroDivisionError), ticks.tick("reap", now=NOW):
        _ = 1 / 0
    began, ended = (shown(f"tick_{what}_seconds", now=NOW + minutes(2)) for what in ("began", "ended"))
    assert began.keys() == ended.keys() == CLOCK.keys()
    assert (began["plan"], began["reap"], began["sweep"]) == (120, 120, math.inf)
    assert ended["plan"] == pytest.approx(120, abs=30)
    assert ended["reap"] == math.inf


@pytest.mark.parametrize(("name", "most"), [("plan", 600), ("audit", 900), ("seal", 1_800), ("forget", 10_800)])
def test_a_tick_is_late_after_three_periods_and_never_within_ten_minutes(name, most):
    Tick.objects.create(name=name, began_at=NOW, ended_at=NOW)
    (gauge,) = [gauge for gauge in gauges.read(now=NOW) if gauge.name == "tick_ended_seconds"]
    assert {sample.labels["tick"]: sample.most for sample in gauge.samples}[name] == most


def test_how_long_messages_take_to_arrive_is_measured_where_it_is_reported(minji, byeol, sink):
    jun = alert_builders.member(byeol, "jun", 100)
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    assert shown("acceptance_to_delivery_seconds", now=SENT_AT) == {}
    Delivery.objects.update(status="delivered", delivered_at=F("accepted_at") + minutes(2))
    Delivery.objects.filter(reminder__account=jun).update(delivered_at=F("accepted_at") + minutes(12))
    assert shown("acceptance_to_delivery_seconds", now=SENT_AT + minutes(5)) == {"smtp,0.5": 420, "smtp,0.95": 690}
    assert shown("acceptance_to_delivery_seconds", now=SENT_AT + days(2)) == {}


def test_an_open_breaker_shows_until_its_time_is_over(minji, carrier):
    carrier.answers = [NotSent(transport_down=True)]
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    assert shown("breaker_open", now=SENT_AT + minutes(0.1)) == {"carrier": 1}
    assert beyond(now=SENT_AT + minutes(0.1)) == {"breaker_open,carrier"}
    assert shown("breaker_open", now=SENT_AT + minutes(1)) == {"carrier": 0}


def test_a_provider_that_asks_for_rest_is_shown_and_needs_nobody(minji, carrier):
    carrier.answers = [Throttled(retry_after=timedelta(minutes=2), of_transport=True)]
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    for name, resting in (("transport_resting", 1), ("breaker_open", 0)):
        assert shown(name, now=SENT_AT + minutes(0.1)) == {"carrier": resting}
    assert beyond(now=SENT_AT + minutes(0.1)) == set()
    assert shown("transport_resting", now=SENT_AT + minutes(3)) == {"carrier": 0}


@pytest.fixture
def given_up(minji, carrier, monkeypatch):
    """Minji's e-mail was given up after its one call."""
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    plan(SENT_AT)
    carrier.answers = [NotSent()]
    deliveries.deliver(now=SENT_AT, limit=10)
    carrier.answers = []
    return Delivery.objects.get(status="dead", why="exhausted")


def test_what_was_given_up_needs_a_look_until_it_is_sent_again(given_up, carrier):
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 1}
    assert beyond(now=SENT_AT) == {"deliveries_given_up"}
    resending.send_again(delivery=given_up, by=BY, why="mended", now=SENT_AT)
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 0}
    carrier.answers = [NotSent()]
    deliveries.deliver(now=SENT_AT, limit=10)
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 1}  # the second one, not both


def test_what_was_given_up_needs_nobody_when_it_is_left(given_up):
    resending.leave(delivery=given_up, by=BY, why="she telephoned", now=SENT_AT)
    assert beyond(now=SENT_AT) == set()


def test_what_was_given_up_needs_nobody_when_its_date_is_over_or_its_points_are_gone(given_up, minji):
    assert shown("deliveries_given_up", now=EXPIRES_AT - minutes(1)) == {"": 1}
    assert shown("deliveries_given_up", now=EXPIRES_AT) == {"": 0}
    builders.redeem(minji, 1_200, now=SENT_AT)
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 0}


def test_what_was_given_up_needs_nobody_beside_a_nearer_reminder(given_up):
    plan(before(33))
    assert shown("deliveries_given_up", now=before(33)) == {"": 0}


def test_what_was_given_up_needs_nobody_when_another_channel_followed(minji, byeol, carrier, monkeypatch):
    monkeypatch.setattr("alerts.sending.retries.MOST_CALLS", 1)
    alert_builders.phone(minji)
    alert_builders.by_channels(byeol, "email", "sms")
    plan(SENT_AT)
    carrier.answers = [NotSent(), NotSent()]
    deliveries.deliver(now=SENT_AT, limit=1)
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 0}
    deliveries.deliver(now=SENT_AT + minutes(1), limit=1)
    assert alert_builders.on_channels() == [("email", "dead", "exhausted"), ("sms", "dead", "exhausted")]
    assert shown("deliveries_given_up", now=SENT_AT) == {"": 2}  # each could be sent again


def test_what_was_given_up_is_counted_among_the_newest(byeol, given_up, carrier, monkeypatch):
    alert_builders.member(byeol, "jun", 100)
    plan(SENT_AT + minutes(1))
    carrier.answers = [NotSent()]
    deliveries.deliver(now=SENT_AT + minutes(1), limit=10)
    assert shown("deliveries_given_up", now=SENT_AT + minutes(1)) == {"": 2}
    monkeypatch.setattr(counting, "MOST", 1)
    assert shown("deliveries_given_up", now=SENT_AT + minutes(1)) == {"": 1}


def test_a_held_plan_waits_for_a_person(moa):
    assert not blast.may_plan(programme=moa, planned_today=1_001, day=NOW.date(), now=NOW)
    assert shown("plans_held", now=NOW + minutes(5)) == {"": 1}
    assert shown("plans_held_oldest_seconds", now=NOW + minutes(5)) == {"": 300}
    assert beyond(now=NOW + minutes(5)) == {"plans_held", "plans_held_oldest_seconds"}
    blast.decide(hold=PlanHold.objects.get(), let_go=False, by=BY, why="asked the shop", now=NOW + minutes(5))
    assert shown("plans_held", now=NOW + minutes(6)) == {"": 0}
    assert beyond(now=NOW + minutes(6)) == set()


def test_points_of_which_nobody_was_told_show_a_week_before_their_date(byeol):
    builders.grant(builders.minji(byeol), 100)
    week = EXPIRES_AT - days(7)
    assert shown("untold_lots", now=week - minutes(1)) == {"near": 0, "past": 0}
    assert shown("untold_lots", now=week) == {"near": 1, "past": 0}
    assert beyond(now=week) == {"untold_lots,near"}
    assert shown("untold_lots", now=EXPIRES_AT) == {"near": 0, "past": 1}
    assert beyond(now=EXPIRES_AT) == set()


def test_a_report_that_nobody_matched_grows_older(db, settings):
    settings.SOLAPI = settings.SOLAPI | {"webhook_secret": "solapi-hooks"}
    body = json.dumps([{"messageId": "m1", "statusCode": "4000"}]).encode()
    webhooks.receive(transport="solapi", headers={"X-Solapi-Secret": "solapi-hooks"}, body=body, now=NOW)
    assert shown("events_unmatched", now=NOW + minutes(61)) == {"": 1}
    assert shown("events_unmatched_oldest_seconds", now=NOW + minutes(61)) == {"": 3_660}
    assert beyond(now=NOW + minutes(61)) == {"events_unmatched_oldest_seconds"}


def test_no_label_holds_anything_of_a_person(minji, sink):
    plan(SENT_AT)
    deliveries.deliver(now=SENT_AT, limit=10)
    labels = [sample.labels for gauge in gauges.read(now=SENT_AT) for sample in gauge.samples]
    assert {name for each in labels for name in each} == {"transport", "state", "tick", "date"}
    assert {each["transport"] for each in labels if "transport" in each} == {"smtp", "sandbox"}
    assert {each["tick"] for each in labels if "tick" in each} == set(CLOCK)
    assert {each["state"] for each in labels if "state" in each} == set(delivery.Status)
    assert {each["date"] for each in labels if "date" in each} == {"near", "past"}


def test_asking_takes_the_same_few_statements_whatever_there_is(minji, byeol, django_assert_max_num_queries):
    plan(SENT_AT)
    with django_assert_max_num_queries(24):
        gauges.read(now=SENT_AT)


# What the statements on large tables may go by. Without reading whole tables, which is the last resort, a key in order
# would be that in disguise; `alerts_reminder_pkey` finds the reminder of each that was given up.
SERVING = {
    *("delivery_due", "delivery_leases", "delivery_unknown", "delivery_accepted", "delivery_came_back"),
    *("delivery_ended", "delivery_reported", "attempt_once", "reminder_to_fan_out", "alerts_reminder_pkey"),
    *("event_to_match", "lot_untold"),
    *("delivery_given_up", "delivery_once", "reminder_once"),
}
LOTS_OF_AN_ACCOUNT = {"lot_redemption_order", "lot_named_once"}  # with so few rows either of them will do
# As many rows as there are programmes, transports, ticks, and days that were held.
SMALL = ("ledger_programme", "alerts_tellingrules", "alerts_transport", "alerts_tick", "alerts_planhold", "plan_hold")
SCAN = re.compile(r"(?:Seq Scan on|Bitmap Index Scan on|Scan(?: Backward)? using) (\w+)")


def test_every_statement_goes_by_the_index_that_serves_it(minji, byeol, django_assert_max_num_queries):
    plan(SENT_AT)
    switches.stop_programme(programme=byeol, by=BY, why="wrong words", now=SENT_AT)
    with django_assert_max_num_queries(24) as asked:
        gauges.read(now=timezone.now())
    gone_by = set()
    for query in asked.captured_queries:
        gone_by |= set(SCAN.findall(plan_of(query["sql"])))
    of_large = {name for name in gone_by if not name.startswith(SMALL)}
    assert of_large & LOTS_OF_AN_ACCOUNT
    assert of_large - LOTS_OF_AN_ACCOUNT == SERVING
