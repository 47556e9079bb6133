from datetime import timedelta

import pytest

from alerts.sending import deliveries, notice
from ledger.errors import AccountBusy, KeyReused
from ledger.models import Entry, Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan, the_delivery

LATER = before(60) + timedelta(minutes=1)


@pytest.fixture
def accepted(minji, sink, monkeypatch):
    """An accepted delivery whose worker died before the notice."""
    plan(before(60))
    with monkeypatch.context() as patch:
        patch.setattr(notice, "record", lambda *args, **kwargs: False)
        deliveries.deliver(now=before(60), limit=10)
    assert the_delivery().status == "accepted"
    assert not Notice.objects.exists()
    return minji


def test_the_reap_records_what_a_dead_worker_left(accepted):
    assert accepted.lots.get().gated
    assert deliveries.reap(now=LATER, limit=10) == 1
    recorded = Notice.objects.get()
    assert recorded.entry.key == recorded.evidence == f"delivery:{the_delivery().pk}"
    assert (recorded.told_on, recorded.entry.actor) == (LAST_DAY - timedelta(days=60), "alerts")
    assert not accepted.lots.get().gated
    assert deliveries.reap(now=LATER, limit=10) == 0


def test_recording_twice_is_one_notice(accepted):
    for minutes in (1, 2):
        assert notice.record([the_delivery()], now=before(60) + timedelta(minutes=minutes)) == 1
    assert Notice.objects.count() == 1


def test_the_day_of_telling_is_the_day_of_acceptance_not_of_recording(accepted):
    notice.record_missing(now=before(20), limit=10)  # ten days too late for the duty, had it been told then
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)
    assert not accepted.lots.get().gated


def test_a_notice_of_points_that_are_gone_is_a_note_and_done(accepted):
    builders.redeem(accepted, 1_200, now=before(60) + timedelta(seconds=30))
    assert notice.record_missing(now=LATER, limit=10) == 1
    assert not Notice.objects.exists()
    assert Entry.objects.latest("seq").kind == "note"


@pytest.mark.parametrize("refusal", [AccountBusy(), KeyReused(field="key")])
def test_what_the_ledger_refuses_waits_for_the_next_time(accepted, monkeypatch, refusal):
    with monkeypatch.context() as patch:
        patch.setattr(notice, "outcomes_of", lambda orders: [refusal for _ in orders])
        assert notice.record_missing(now=LATER, limit=10) == 0
    assert the_delivery().noticed_at is None
    assert notice.record_missing(now=LATER, limit=10) == 1


def test_the_day_is_the_one_in_the_programmes_zone(db, sink):
    programme = alert_builders.byeol(60, zone="America/New_York")
    account = alert_builders.minji(programme)
    builders.grant(account, 5)
    evening = before(59)  # 03:00 in London, and 22:00 of the day before in New York
    plan(evening)
    deliveries.deliver(now=evening, limit=10)
    assert Notice.objects.get().told_on == LAST_DAY - timedelta(days=60)


def test_a_notice_for_an_account_that_closed_is_not_tried_for_ever(accepted):
    builders.close(accepted, now=before(60) + timedelta(seconds=30))
    assert notice.record_missing(now=before(40), limit=10) == 1
    assert not Notice.objects.exists()
    assert notice.record_missing(now=before(40), limit=10) == 0


def test_a_message_that_the_sandbox_kept_opens_no_gate(byeol):
    account = builders.minji(byeol)
    builders.grant(account, 1_200)
    alert_builders.phone(account)
    alert_builders.by_channels(byeol, "sms")
    alert_builders.plan(before(60))
    deliveries.deliver(now=before(60), limit=10)
    delivery = alert_builders.the_delivery()
    assert (delivery.status, delivery.transport) == ("accepted", "sandbox")
    assert delivery.noticed_at is not None
    assert not Notice.objects.exists()
    assert account.lots.get().gated
