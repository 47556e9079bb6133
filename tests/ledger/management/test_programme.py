"""`manage.py programme`: a programme and its policy from the command line."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Programme

pytestmark = pytest.mark.django_db


def test_a_programme_is_made_with_its_policy(capsys):
    call_command("programme", "moa", name="Moa", zone="Europe/London", months=3, round="month")
    programme = Programme.objects.get()
    policy = programme.policies.get()
    assert (programme.code, programme.name, programme.zone) == ("moa", "Moa", "Europe/London")
    assert (policy.model, policy.count, policy.unit, policy.rounding) == ("rolling", 3, "months", "month")
    assert policy.effective_from.isoformat() == "1900-01-01T00:00:00+00:00"


def test_without_months_points_never_expire():
    call_command("programme", "moa", name="Moa")
    assert Programme.objects.get().policies.get().model == "never"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zone": "Mars/Olympus"}, "zone: “Mars/Olympus” is not a time zone; an example is Asia/Seoul."),
        ({"months": 5000}, "count: At most 1200"),
        ({"months": 0}, "__all__: A time after something needs a number of at least 1"),
        ({"currency": "won"}, "currency: Three capital letters."),
        ({"name": ""}, "name: "),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name_and_nothing_is_made(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("programme", "moa", **({"name": "Moa", "months": 3} | options))
    assert Programme.objects.count() == 0


def test_a_code_is_taken_once():
    call_command("programme", "moa", name="Moa")
    with pytest.raises(CommandError, match="code: .*already exists"):
        call_command("programme", "moa", name="Moa again")
    assert Programme.objects.count() == 1
