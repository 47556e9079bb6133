"""All of them together: registered, with ids of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.checks import run_checks

import alerts.checks
from alerts.checks import ALWAYS
from tests import alert_builders

FOLDER = Path(alerts.checks.__file__).parent


def test_the_shipped_settings_start_without_a_finding():
    assert [message for check in ALWAYS for message in check(None)] == []
    assert [message for message in run_checks() if str(message.id).startswith("alerts.")] == []


def test_deployment_and_database_checks_run_when_they_are_asked_for(good, db):
    good.SANDBOX_TELLS = True
    found = [message.id for message in run_checks(include_deployment_checks=True, databases=["default"])]
    assert [name for name in found if str(name).startswith("alerts.")] == ["alerts.W011"]


def test_contacts_are_looked_at_with_the_database(good, minji):
    good.TRANSPORTS = good.TRANSPORTS | {"email": "anymail", "sms": "twilio"}
    alert_builders.phone(minji, "+14155552671")
    good.TRANSPORTS = good.TRANSPORTS | {"sms": "nhn"}
    ids = [str(message.id) for message in run_checks(databases=["default"])]
    assert [name for name in ids if name.startswith("alerts.")] == ["alerts.W026"]
    assert "alerts.W026" not in [message.id for message in run_checks()]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_every_id_has_a_test_that_sees_it(path):
    seen = "".join(test.read_text(encoding="utf-8") for test in Path(__file__).parent.glob("test_*.py"))
    for name in re.findall(r'id="(alerts\.[EW]\d{3})"', path.read_text(encoding="utf-8")):
        assert f'"{name}"' in seen, name
