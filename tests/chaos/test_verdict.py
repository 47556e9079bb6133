"""The verdict on a run in small, and on one whose provider took nothing of what the line believes."""

from __future__ import annotations

from datetime import timedelta

from alerts.models import Attempt, Delivery
from alerts.sending.unsolved import LEASE_OVER, LOOKED_UP
from chaos.settling import pass_time, settle
from chaos.verdict import calls, verdict


def heed() -> None:
    """No signal ever comes."""


def test_where_everybody_was_told_once_nothing_is_found(stage, clock, sink, taken):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    pass_time(clock, stage.expires_at + timedelta(days=2), heed=heed)
    found, findings, expired = verdict(stage, taken(), exactly_once=True)
    assert (found.sent, found.lost, found.doubled, found.unaccounted) == (3, [], [], [])
    assert (findings, expired) == ([], 3)


def test_points_that_went_without_a_message_are_found(stage, clock, sink, taken):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    pass_time(clock, stage.expires_at + timedelta(days=2), heed=heed)
    journal = taken()
    forgotten = next(iter(journal))
    del journal[forgotten]
    found, findings, expired = verdict(stage, journal, exactly_once=False)
    assert (found.sent, len(found.lost)) == (2, 1)
    assert found.lost[0].startswith(f"{forgotten}: accepted")
    (finding,) = findings
    assert finding.endswith(": points expired, and the provider took no message")
    assert expired == 3


def test_a_run_in_which_no_points_went_has_shown_nothing(stage, clock, sink, taken):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    _, findings, expired = verdict(stage, taken(), exactly_once=True)
    assert (findings, expired) == (["no points expired: nothing was shown"], 0)


def test_calls_are_counted_by_what_became_of_them(stage, clock, sink):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    assert calls() == "3 accepted"
    delivery = Delivery.objects.order_by("pk")[0]
    codes = [("unknown", LEASE_OVER), ("unknown", "503"), ("unknown", LEASE_OVER), ("not_sent", LOOKED_UP)]
    for number, (outcome, code) in enumerate(codes, start=2):
        Attempt.objects.create(
            delivery=delivery, number=number, at=clock.now(), outcome=outcome, code=code, points_told=100
        )
    assert calls() == "3 accepted, 2 unknown (worker killed), 1 unknown"
