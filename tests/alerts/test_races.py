"""Every tick is safe to run several times at once: real connections, all let go at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from django.db import connection, transaction

from alerts.addresses import contacts, traces
from alerts.duty import extension_rules
from alerts.errors import NotSent
from alerts.models import Attempt, Contact, Delivery, ProviderEvent, Reminder, Suppression
from alerts.planning import reminders
from alerts.sending import deliveries, notice, receipts
from ledger.models import Entry, Extension, Notice
from tests import alert_builders, builders
from tests.alert_builders import before, plan, states

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6
MEMBERS = 10


@pytest.fixture
def byeol():
    programme = alert_builders.byeol()
    for n in range(MEMBERS):
        builders.redeem(alert_builders.member(programme, f"member-{n}", 100), 1, now=before(80))
    return programme


def at_once(act: Callable[[], object]) -> None:
    """Run `act` on several connections at the same moment; what one of them raises fails the test."""
    ready, failures = Barrier(AT_ONCE), []

    def run() -> None:
        try:
            connection.ensure_connection()
            ready.wait(60)
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_reminders_are_planned_once(byeol):
    at_once(lambda: reminders.plan(now=before(60), limit=100))
    assert Reminder.objects.count() == MEMBERS


def test_messages_are_made_once(byeol):
    reminders.plan(now=before(60), limit=100)
    at_once(lambda: reminders.fan_out(now=before(60), limit=100))
    assert states() == [(60, "pending", "")] * MEMBERS


def test_messages_are_sent_once(byeol, sink, monkeypatch):
    monkeypatch.setattr(deliveries, "CLAIMED_AT_ONCE", 2)
    plan(before(60))
    at_once(lambda: deliveries.deliver(now=before(60), limit=100))
    assert sink.addresses() == [f"member-{n}@example.com" for n in range(MEMBERS)]
    assert Attempt.objects.count() == MEMBERS
    assert Notice.objects.count() == MEMBERS


def test_what_another_worker_is_claiming_is_not_waited_for(byeol):
    plan(before(60))
    held, done = Barrier(2), Barrier(2)

    def hold() -> None:
        with transaction.atomic():
            list(Delivery.objects.order_by("next_attempt_at", "pk").select_for_update()[:4])
            held.wait(60)
            done.wait(60)
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    held.wait(60)
    try:
        assert len(deliveries.claim(now=before(60), limit=100)) == MEMBERS - 4
    finally:
        done.wait(60)
        holder.join()


def test_eight_workers_claim_without_waiting_for_one_another(byeol):
    """Each holds its claim open until all eight have theirs: who waited for another would never get there."""
    for n in range(MEMBERS, 40):
        alert_builders.member(byeol, f"member-{n}", 100)
    plan(before(60))
    ready, all_have_theirs = Barrier(8), Barrier(8)
    claimed: list[list[object]] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            ready.wait(60)
            with transaction.atomic():
                mine = deliveries.claim(now=before(60), limit=5)
                claimed.append([delivery.pk for delivery in mine])
                all_have_theirs.wait(60)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert [len(mine) for mine in claimed] == [5] * 8
    assert len({key for mine in claimed for key in mine}) == 40
    assert Delivery.objects.filter(status="claimed").values("token").distinct().count() == 8


def test_reports_are_matched_once(byeol, carrier):
    plan(before(60))
    deliveries.deliver(now=before(60), limit=100)
    for number, delivery in enumerate(Delivery.objects.all()):
        for kind in ("delivered", "undelivered"):
            ProviderEvent.objects.create(
                transport="carrier",
                event_key=f"{kind}-{number}",
                kind=kind,
                our_key=str(delivery.pk),
                occurred_at=before(60),
                received_at=before(60),
                raw="{}",
            )
    at_once(lambda: receipts.match(now=before(59), limit=100))
    receipts.match(now=before(59), limit=100)
    assert not ProviderEvent.objects.filter(matched_at=None).exists()
    assert states() == [(60, "undelivered", "")] * MEMBERS
    deliveries.reap(now=before(59), limit=100)
    assert Entry.objects.filter(kind="notify").count() == 2 * MEMBERS


@pytest.mark.parametrize("has_trace", [True, False])
@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_an_address_can_be_erased_while_a_report_ends_it(carrier, monkeypatch, kind, has_trace):
    """Both need the address and its deliveries: who took them in another order than the other would wait for ever."""
    alert_builders.member(alert_builders.byeol(), "minji", 100)
    plan(before(60))
    deliveries.deliver(now=before(60), limit=10)
    if not has_trace:
        Delivery.objects.update(address_trace="")
    ProviderEvent.objects.create(
        transport="carrier",
        event_key=kind,
        kind=kind,
        our_key=str(Delivery.objects.get().pk),
        occurred_at=before(60),
        received_at=before(60),
        raw="{}",
    )
    real, holds, failures = receipts._suppress, Event(), []

    def suppress(*terms):
        holds.set()
        for _ in range(200):
            if _somebody_waits():
                break
            time.sleep(0.01)
        real(*terms)

    def erase() -> None:
        try:
            assert holds.wait(60)
            contacts.erase(contact=Contact.objects.get())
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    monkeypatch.setattr(receipts, "_suppress", suppress)
    erasing = Thread(target=erase)
    erasing.start()
    assert receipts.match(now=before(60), limit=10) == 1
    erasing.join()
    assert failures == []
    assert not Contact.objects.exists()
    assert Suppression.objects.get().address == traces.marked("minji@example.com")


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            # Of this database: who waits for a transaction holds locks on its tables. `pg_stat_activity` would stand
            # still until the end of this transaction.
            """SELECT EXISTS (
                 SELECT FROM pg_locks waiting JOIN pg_locks held ON held.pid = waiting.pid
                  WHERE NOT waiting.granted
                    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
        )
        return bool(cursor.fetchone()[0])


def test_after_an_outage_one_worker_tries(byeol, carrier):
    plan(before(60))
    carrier.answers = [NotSent(transport_down=True)]
    deliveries.deliver(now=before(60), limit=1)
    at_once(lambda: deliveries.deliver(now=before(60) + timedelta(minutes=1), limit=100))
    assert len(carrier.calls) == 2


def test_notices_are_recorded_once(byeol, sink, monkeypatch):
    plan(before(60))
    with monkeypatch.context() as patch:
        patch.setattr(notice, "record", lambda *args, **kwargs: False)
        deliveries.deliver(now=before(60), limit=100)
    at_once(lambda: notice.record_missing(now=before(59), limit=100))
    assert Notice.objects.count() == MEMBERS


def test_lease_that_ran_out_is_taken_back_once(byeol, sink):
    plan(before(60))
    deliveries.claim(now=before(60), limit=4)
    later = before(60) + 2 * deliveries.LEASE
    at_once(lambda: deliveries.reap(now=later, limit=100))
    at_once(lambda: deliveries.deliver(now=later, limit=100))
    assert sink.addresses() == [f"member-{n}@example.com" for n in range(MEMBERS)]


def test_rules_extend_once(byeol):
    alert_builders.active_rule(byeol)
    at_once(lambda: extension_rules.apply(now=before(70), limit=100))
    assert Extension.objects.count() == MEMBERS


def test_untold_points_move_once(byeol):
    at_once(lambda: extension_rules.extend(now=before(29), limit=100))
    assert Extension.objects.count() == MEMBERS
