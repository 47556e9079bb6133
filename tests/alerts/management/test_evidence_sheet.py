from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests import builders
from tests.alerts.proof import scene


def run(*options: str) -> str:
    out = StringIO()
    call_command("evidence_sheet", *options, stdout=out)
    return out.getvalue()


def test_it_writes_csv_that_a_spreadsheet_opens(minji, sink):
    scene.told()
    text = run("--member", "minji")
    assert text.startswith("\ufeffat,at_utc,fact,")
    assert text.endswith("\r\n")
    assert "m***@example.com" in text
    assert "minji@example.com" not in text
    assert "minji@example.com" in run("--member", "minji", "--whole-addresses")


def test_it_writes_a_page_that_needs_no_server(minji, sink):
    scene.told()
    text = run("--member", "minji", "--programme", "byeol", "--format", "html")
    assert text.startswith("<!DOCTYPE html>")
    assert "@media print" in text
    assert "Points with the last day 2026-03-31" in text
    assert "<link" not in text


def test_a_copy_for_the_member_names_nobody_of_the_staff(minji):
    scene.says_no(minji)
    assert "staff:3" in run("--member", "minji")
    assert "staff:3" not in run("--member", "minji", "--for-member")


def test_a_period_leaves_out_other_dates(minji, sink):
    scene.told()
    assert "reminder planned" in run("--member", "minji", "--since", "2026-03-31", "--until", "2026-03-31")
    assert "reminder planned" not in run("--member", "minji", "--since", "2026-04-01")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--member", "nobody"), "--member: there is no member nobody"),
        (("--member", "minji", "--programme", "nowhere"), "--programme: there is no programme nowhere"),
        (("--member", "minji", "--since", "2026-02-01", "--until", "2026-01-01"), "--until: The period ends before"),
        (("--member", "minji", "--since", "soon"), "--since: must be a day like"),
        (("--member", "minji", "--format", "pdf"), "--format"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(minji, options, said):
    with pytest.raises(CommandError, match=said):
        run(*options)


def test_a_reference_that_stands_in_two_programmes_needs_the_programme(minji):
    builders.minji(builders.moa())
    with pytest.raises(CommandError, match="--programme: this reference stands in several"):
        run("--member", "minji")
    assert run("--member", "minji", "--programme", "moa").count("\r\n") == 1
