"""The life of a delivery, over real SMTP. What happens when workers die is in `test_leases.py`."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from alerts.addresses import unsubscribing
from alerts.channels.email import EmailChannel
from alerts.models import Attempt, Delivery
from alerts.sending import deliveries
from alerts.sending.retries import MOST_CALLS
from alerts.texts.words import TEMPLATE, write
from ledger.models import Notice
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, plan, states, the_delivery

SENT_AT = before(60)


def deliver(now=SENT_AT):
    return deliveries.deliver(now=now, limit=100)


def reap(now=SENT_AT):
    return deliveries.reap(now=now, limit=100)


def attempts():
    return list(Attempt.objects.order_by("number").values_list("number", "outcome", "code"))


@pytest.fixture
def due(minji):
    """Minji's reminder, due."""
    plan(SENT_AT)
    return the_delivery()


def test_a_due_message_is_sent_and_what_it_said_is_kept(due, sink):
    assert deliver() == 1
    (mail,) = sink.mails
    assert mail["To"] == "minji@example.com"
    assert mail["Message-ID"] == f"<{due.pk}@byeol.example>"
    assert "1,200P" in mail["Subject"]
    sent = the_delivery()
    assert (sent.status, sent.attempts, sent.points_told, sent.language) == ("accepted", 1, 1_200, "ko")
    assert sent.lots == [due.reminder.account.lots.get().pk]
    assert sent.accepted_at is not None
    assert SENT_AT <= sent.accepted_at < SENT_AT + timedelta(seconds=30)
    assert (sent.token, sent.lease_until) == (None, None)
    assert (sent.template, len(sent.text_hash)) == (TEMPLATE, 64)
    assert attempts() == [(1, "accepted", "250")]


def test_an_email_carries_the_link_that_ends_such_messages(due, sink):
    deliver()
    (mail,) = sink.mails
    link = unsubscribing.link(member_id=due.reminder.account.member_id, channel="email", purpose="notice")
    assert mail["List-Unsubscribe"].replace("\n", "").replace(" ", "") == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_was_accepted_is_a_notice_in_the_ledger_at_once(due, sink):
    deliver()
    notice = Notice.objects.get()
    assert (notice.channel, notice.evidence) == ("email", f"delivery:{due.pk}")
    assert (notice.expires_on, notice.told_on) == (LAST_DAY, LAST_DAY - timedelta(days=60))
    assert not due.reminder.account.lots.get().gated
    assert the_delivery().noticed_at is not None


def test_a_message_is_sent_once_however_often_the_ticks_run(due, sink):
    for _ in range(3):
        plan(SENT_AT)
        deliver()
        reap()
    assert len(sink.mails) == 1
    assert Notice.objects.count() == 1


def test_nothing_is_sent_before_its_time(due, sink):
    assert deliver(SENT_AT - timedelta(seconds=1)) == 0
    assert sink.mails == []


def test_the_number_in_the_message_is_the_one_at_the_time_of_sending(due, sink):
    builders.redeem(due.reminder.account, 199, now=SENT_AT)
    deliver()
    assert due.reminder.points_planned == 1_200
    assert "1,001P" in sink.mails[0]["Subject"]
    assert the_delivery().points_told == 1_001


def test_points_that_are_gone_are_not_written_about(due, sink):
    builders.redeem(due.reminder.account, 1_200, now=SENT_AT)
    deliver()
    assert states() == [(60, "skipped", "redeemed")]
    assert sink.mails == []
    assert not Attempt.objects.exists()


def test_after_an_outage_one_message_goes_out_not_two(due, sink):
    sink.stop()
    deliver()
    sink.start()
    later = before(33)
    plan(later)
    deliver(later)
    assert states() == [(60, "superseded", "nearer"), (33, "accepted", "")]
    assert len(sink.mails) == 1


def test_a_mail_server_that_is_away_costs_one_call_and_loses_nothing(minji, byeol, sink):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com", language="en")
    builders.grant(jun, 10)
    plan(SENT_AT)
    sink.stop()
    assert deliver() == 1  # nobody could be reached: the other message is left alone
    assert sorted(Delivery.objects.values_list("status", "attempts")) == [("pending", 0), ("pending", 1)]
    assert [(outcome, code) for _, outcome, code in attempts()] == [("not_sent", "ConnectionRefusedError")]
    waits = Delivery.objects.get(attempts=1).next_attempt_at - SENT_AT
    assert timedelta(seconds=24) <= waits <= timedelta(seconds=40)
    sink.start()
    deliver(SENT_AT + timedelta(minutes=1))
    assert sink.addresses() == ["jun@example.com", "minji@example.com"]


def test_a_server_that_asks_to_wait_is_asked_again_later(due, sink):
    sink.rcpt = lambda address: "451 4.7.1 <minji@example.com> greylisted"
    deliver()
    assert states() == [(60, "pending", "")]
    assert attempts() == [(1, "throttled", "451")]
    assert "minji" not in Attempt.objects.get().detail  # facts hold no personal data
    assert the_delivery().next_attempt_at >= SENT_AT + timedelta(minutes=1)
    sink.rcpt = None
    deliver(SENT_AT + timedelta(minutes=2))
    assert states() == [(60, "accepted", "")]
    assert attempts()[1] == (2, "accepted", "250")


def test_an_address_that_is_refused_for_good_is_not_written_to_again(due, sink):
    sink.rcpt = lambda address: "550 5.1.1 no such user"
    deliver()
    assert states() == [(60, "failed", "refused")]
    assert attempts() == [(1, "rejected", "550")]
    contact = due.reminder.account.member.contacts.get()
    assert contact.refused_at is not None
    plan(before(33))
    assert states() == [(60, "failed", "refused")]
    assert not Notice.objects.exists()


def test_one_bad_address_does_not_hold_up_the_others(minji, byeol, sink):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    plan(SENT_AT)
    sink.rcpt = lambda address: "550 no" if "minji" in address else "250 OK"
    assert deliver() == 2
    assert sink.addresses() == ["jun@example.com"]


def test_after_an_unknown_outcome_an_email_is_sent_again_under_the_same_id(due, sink):
    sink.vanish = "data"
    deliver()
    assert states() == [(60, "unknown", "")]
    assert attempts()[0][1] == "unknown"
    sink.vanish = None
    reap()
    assert states() == [(60, "unknown", "")]  # not before its time
    later = SENT_AT + timedelta(minutes=1)
    reap(later)
    deliver(later)
    assert states() == [(60, "accepted", "")]
    assert sink.mails[0]["Message-ID"] == f"<{due.pk}@byeol.example>"
    assert [outcome for _, outcome, _ in attempts()] == ["unknown", "accepted"]


def test_a_server_that_takes_messages_and_never_says_so_is_sent_the_same_one_three_times_and_no_more(due, sink):
    sink.vanish = "data"
    now = SENT_AT
    for _ in range(8):
        deliver(now)
        now += timedelta(days=1)
        reap(now)
    assert [outcome for _, outcome, _ in attempts()] == ["unknown", "unknown", "unknown"]
    assert states() == [(60, "dead", "exhausted")]


def test_a_connection_lost_before_the_message_left_is_no_unknown_outcome(due, sink):
    sink.vanish = "rcpt"
    deliver()
    assert states() == [(60, "pending", "")]
    assert attempts()[0][1] == "not_sent"


def test_calls_are_counted_and_used_up_at_last(due, sink):
    sink.data = "452 full"
    now = SENT_AT
    for _ in range(MOST_CALLS + 3):
        deliver(now)
        now = the_delivery().next_attempt_at
    assert states() == [(60, "dead", "exhausted")]
    assert the_delivery().attempts == MOST_CALLS == Attempt.objects.count()


def test_an_outage_of_the_mail_server_uses_up_no_message(due, sink):
    sink.stop()
    now = SENT_AT
    for _ in range(MOST_CALLS + 3):
        deliver(now)
        now = the_delivery().next_attempt_at
    assert states() == [(60, "pending", "")]
    sink.start()
    deliver(now)
    assert states() == [(60, "accepted", "")]


def test_a_message_that_cannot_be_made_does_not_hold_up_the_others(minji, byeol, sink, monkeypatch):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com", language="en")
    builders.grant(jun, 10)
    plan(SENT_AT)

    def write_some(words, telling, *, channel, language):
        if language == "ko":
            raise ValueError("a broken template")
        return write(words, telling, channel=channel, language=language)

    monkeypatch.setattr("alerts.sending.deliveries.write", write_some)
    assert deliver() == 2
    assert sink.addresses() == ["jun@example.com"]
    stuck = Delivery.objects.get(status="pending")
    assert (stuck.attempts, stuck.token) == (0, None)
    assert stuck.next_attempt_at > SENT_AT + timedelta(minutes=9)


def test_a_pass_is_bounded(minji, byeol, sink):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    plan(SENT_AT)
    assert deliveries.deliver(now=SENT_AT, limit=1) == 1
    assert len(sink.mails) == 1
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["accepted", "pending"]


def test_a_pass_stops_when_its_time_is_used_up_and_gives_back_what_it_did_not_begin(minji, byeol, sink, monkeypatch):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    builders.grant(jun, 10)
    plan(SENT_AT)
    monkeypatch.setattr(deliveries, "BUDGET", timedelta(microseconds=1))
    assert deliver() == 0
    monkeypatch.setattr(deliveries, "BUDGET", timedelta(seconds=25))
    real_now = deliveries._deliver_together

    def slow(together, turn):
        done = real_now(together, turn)
        monkeypatch.setattr(deliveries, "BUDGET", timedelta())
        return done

    monkeypatch.setattr(deliveries, "_deliver_together", slow)
    assert deliver() == 1
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["accepted", "pending"]


def test_no_transaction_is_open_while_a_message_is_sent(transactional_db, sink, monkeypatch):
    programme = alert_builders.byeol()
    account = alert_builders.minji(programme)
    builders.grant(account, 5)
    plan(SENT_AT)
    seen = []
    hand_over = EmailChannel._hand_over

    def watch(*arguments):
        seen.append(connection.in_atomic_block)
        return hand_over(*arguments)

    monkeypatch.setattr(EmailChannel, "_hand_over", watch)
    deliver()
    assert seen == [False]
    assert len(sink.mails) == 1


def test_an_attempt_can_be_neither_changed_nor_removed(due, sink):
    deliver()
    for change in (lambda a: a.update(outcome="rejected"), lambda a: a.delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change(Attempt.objects.all())
    assert attempts() == [(1, "accepted", "250")]


def test_attempts_cannot_be_truncated(db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alerts_attempt ENABLE TRIGGER attempt_no_truncate")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE alerts_attempt")
        transaction.set_rollback(True)


def test_a_reminder_never_has_two_messages_on_one_channel(due):
    with pytest.raises(IntegrityError, match="delivery_once"), transaction.atomic():
        Delivery.objects.create(
            reminder=due.reminder,
            programme_id=due.programme_id,
            channel="email",
            resend_no=0,
            created_at=SENT_AT,
            next_attempt_at=SENT_AT,
        )
