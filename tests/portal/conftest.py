"""The stage of the portal's tests: the clock stands still, and two browsers' worth of visitors."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.windows import stop_clock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def visitor() -> Client:
    """Somebody whose browser asks for English, not signed in."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def korean_visitor() -> Client:
    return Client(headers={"accept-language": "ko"})
