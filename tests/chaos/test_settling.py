"""The calm after the storm: everything that is due is done, what waits is waited for, and weeks pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.models import Attempt, Delivery
from chaos import settling
from chaos.settling import NeverSettles, pass_time, settle
from ledger.models import Entry


def heed() -> None:
    """No signal ever comes."""


def test_it_tells_everybody(stage, clock, sink):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    assert sink.addresses() == [f"{member}@chaos.example" for member in stage.members]
    assert Delivery.objects.filter(noticed_at=None).count() == 0


def test_it_waits_for_what_was_put_off(stage, clock, sink):
    stage.grant(0, 3, now=clock.now())
    began = clock.now()
    rounds = 0

    def back_after_four_rounds() -> None:
        nonlocal rounds
        rounds += 1
        sink.data = "451 come back later" if rounds <= 4 else None

    settle(clock, heed=back_after_four_rounds)
    assert len(sink.mails) == 3
    assert Attempt.objects.filter(outcome="throttled").count() >= 3
    assert clock.now() - began > timedelta(minutes=1)


def test_what_never_settles_is_told(stage, clock, sink, monkeypatch):
    monkeypatch.setattr(settling, "MOST_ROUNDS", 2)
    stage.grant(0, 3, now=clock.now())
    with pytest.raises(NeverSettles, match="after 2 rounds"):
        settle(clock, heed=heed)


def test_a_signal_leads_out_of_it(stage, clock, sink):
    def told() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settle(clock, heed=told)


def test_weeks_pass_until_all_points_have_gone(stage, clock, sink):
    stage.grant(0, 3, now=clock.now())
    settle(clock, heed=heed)
    assert not Entry.objects.filter(kind="expire").exists()
    pass_time(clock, stage.expires_at + timedelta(days=2), heed=heed)
    assert Entry.objects.filter(kind="expire").count() == 3
    assert len(sink.mails) == 3
