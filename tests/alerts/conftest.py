"""The cast of the alerting line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from alerts.channels import TRANSPORTS
from ledger import wire
from ledger.models import Account
from tests import alert_builders, builders
from tests.alerts.carrier import Carrier


@pytest.fixture
def byeol(db: None):
    """Byeol: a notice duty of 30 days, reminders 60, 33 and 3 days before."""
    return alert_builders.byeol()


@pytest.fixture
def minji(byeol) -> Account:
    """Minji, with 1,200 points until 31 March 2026 and an address."""
    account = alert_builders.minji(byeol)
    builders.grant(account, 1_200)
    return account


@pytest.fixture
def carrier(monkeypatch, settings) -> type[Carrier]:
    """A transport under the test's control, which carries all channels."""
    fresh = Carrier.fresh()
    monkeypatch.setitem(TRANSPORTS, Carrier.name, fresh)
    settings.TRANSPORTS = dict.fromkeys(("email", "sms", "alimtalk"), Carrier.name)
    return fresh


@pytest.fixture
def started_statements(monkeypatch) -> list[str]:
    """The statements that were sent off while something else is done, in their order."""
    statements: list[str] = []
    real = wire.start

    def start(sql: str, values: Sequence[Any]) -> Callable[[], wire.Rows]:
        statements.append(sql)
        return real(sql, values)

    monkeypatch.setattr(wire, "start", start)
    return statements
