"""What `check --deploy` says of the members' pages."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from portal.checks import check_inbox


def ids(*, deploy: bool = False) -> list[str]:
    found = run_checks(include_deployment_checks=deploy)
    return [str(message.id) for message in found if str(message.id).startswith("portal.")]


def test_an_open_inbox_is_a_warning_in_production_alone(settings):
    settings.DEMO, settings.DEBUG = True, False
    assert ids(deploy=True) == ["portal.W001"]
    assert ids() == []
    assert all(message.hint for message in check_inbox(None))
    settings.DEBUG = True
    assert check_inbox(None) == []


@pytest.mark.parametrize("folder", ["", "/var/mail/demo"])
def test_one_for_staff_is_none(settings, folder):
    settings.DEMO, settings.DEBUG, settings.INBOX_MAILDIR = False, False, folder
    assert ids(deploy=True) == []
