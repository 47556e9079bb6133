"""A run's time is behind the real one, goes as fast, and leaps forward, never ahead of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from chaos.clock import VARIABLE, Clock, install

NOW = datetime(2025, 3, 10, 3, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch) -> list[float]:
    """The machine's clock: as long as it is not moved, it stands still."""
    at = [NOW.timestamp()]
    monkeypatch.setattr(time, "time", lambda: at[0])
    return at


def test_it_goes_as_fast_as_the_real_one(at):
    clock = Clock(timedelta(days=100))
    assert clock.now() == NOW - timedelta(days=100)
    at[0] += 90
    assert clock.now() == NOW - timedelta(days=100) + timedelta(seconds=90)


def test_it_leaps_forward_and_never_back(at):
    clock = Clock(timedelta(days=100))
    clock.leap_to(NOW - timedelta(days=40))
    assert clock.now() == NOW - timedelta(days=40)
    clock.leap_to(NOW - timedelta(days=50))
    assert clock.now() == NOW - timedelta(days=40)


def test_it_never_leaps_ahead_of_the_real_one(at):
    clock = Clock(timedelta(days=1))
    with pytest.raises(ValueError, match="cannot be put ahead of the machine's"):
        clock.leap_to(NOW + timedelta(seconds=1))
    assert clock.now() == NOW - timedelta(days=1)


def test_other_processes_are_told_of_it_by_the_environment(at, monkeypatch):
    clock = Clock(timedelta(days=3, seconds=1))
    monkeypatch.setenv(VARIABLE, clock.as_text)
    assert Clock.of_environment() == clock
    monkeypatch.delenv(VARIABLE)
    assert Clock.of_environment().now() == NOW


def test_the_edges_read_it_once_it_is_installed(at, monkeypatch):
    monkeypatch.setattr(timezone, "now", timezone.now)  # put back when the test ends
    install(Clock(timedelta(days=7)))
    assert timezone.now() == NOW - timedelta(days=7)
