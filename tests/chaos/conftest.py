"""A run in small, in this process: three members, a clock that is far behind, and the tests' own mail server."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.models.contact import Channel
from chaos.clock import Clock, install
from chaos.sink import key_of
from chaos.stage import Stage, set_up


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Read by all edges of this process until the test ends."""
    monkeypatch.setattr(timezone, "now", timezone.now)
    clock = Clock(timedelta(days=150))
    install(clock)
    return clock


@pytest.fixture
def stage(db: None, clock: Clock) -> Stage:
    """Three members with an e-mail address; nobody has points yet."""
    return set_up(channel=Channel.EMAIL, members=3, now=clock.now())


@pytest.fixture
def taken(sink):
    """What the mail server took by now, by key."""
    return lambda: Counter(key_of(mail.as_bytes()) for mail in sink.mails)
