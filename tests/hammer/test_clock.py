"""A run's time is in the past, runs fast, and stops."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from hammer.clock import DAYS_PER_SECOND, HEADROOM, Clock

NOW = datetime(2025, 3, 10, 3, tzinfo=UTC)


def test_a_runs_time_ends_before_the_real_one(monkeypatch):
    at = [1_000.0]
    monkeypatch.setattr(time, "time", lambda: at[0])
    run = Clock.starting(now=NOW, seconds=20)
    assert run.now() == NOW - HEADROOM - timedelta(days=20 * DAYS_PER_SECOND)
    at[0] += 5
    assert run.now() == run.start + timedelta(days=5 * DAYS_PER_SECOND)
    assert not run.is_over
    at[0] += 500
    assert run.now() == NOW - HEADROOM
    assert run.is_over
