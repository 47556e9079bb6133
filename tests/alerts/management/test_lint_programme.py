from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from alerts.models import TellingRules
from alerts.models.contact import Channel
from alerts.rules import holding, programme_rules
from tests import builders

pytestmark = pytest.mark.django_db


def run(*codes: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("lint_programme", *codes, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def byeol():
    """Byeol, held against Korea's general pack; its policy asks for one channel, and so breaks it."""
    programme = builders.byeol()
    both = (Channel.SMS, Channel.EMAIL)
    for offset in (60, 30, 3):
        programme_rules.remind(programme=programme, offset_days=offset, channels=both, at_once=2)
    return programme


def test_a_finding_is_printed_with_its_source_and_the_exit_code_is_1(byeol):
    TellingRules.objects.create(programme=byeol, pack="kr-general")
    policy = byeol.policies.get()
    code, said = run()
    assert code == 1
    assert said.splitlines() == [
        "byeol (kr-general)",
        "  BROKEN  kr-general.channels  notice_channels",
        "    asked    a notice on at least 2 channels",
        f"    there is policy {policy.pk}: 1",
        "    source   Korea Fair Trade Commission, review of 50 schemes, 23 December 2024: 46 gave too little notice, "
        "15 to 20 days was judged too short. The schedule is voluntary. (fairly sure: known from reports, its own text "
        "was not read)",
        "  1 found, 1 without an exception",
    ]


def test_an_exception_is_printed_with_its_reason_and_the_exit_code_is_0(byeol):
    rules = TellingRules(programme=byeol, pack="kr-general")
    holding.keep(rules, reason="one channel until May", by=builders.STAFF, now=builders.NOW)
    code, said = run("byeol")
    assert code == 0
    assert "  exception  kr-general.channels  notice_channels" in said
    assert "    reason   one channel until May" in said
    assert said.endswith("  1 found, 0 without an exception\n")


def test_without_a_pack_what_holds_for_all_is_looked_at(byeol):
    builders.moa()
    code, said = run()
    assert code == 0
    assert said.splitlines() == [
        "byeol (no pack: held against what holds for all)",
        "  0 found, 0 without an exception",
        "moa (no pack: held against what holds for all)",
        "  0 found, 0 without an exception",
    ]
    byeol.reminder_rules.all().delete()
    code, said = run()
    assert code == 1
    assert "BROKEN  house.first_reminder" in said


def test_only_the_programmes_that_are_named_are_looked_at(byeol):
    TellingRules.objects.create(programme=byeol, pack="kr-general")
    builders.moa()
    code, said = run("moa", "moa")
    assert code == 0
    assert said.count("(no pack") == 1
    assert "byeol" not in said


def test_an_unknown_programme_is_an_error_before_anything_is_printed(byeol):
    out = StringIO()
    with pytest.raises(CommandError, match="There is no programme nobody, x y") as refusal:
        call_command("lint_programme", "byeol", "nobody", "x y", stdout=out)
    assert refusal.value.returncode == 2
    assert out.getvalue() == ""
