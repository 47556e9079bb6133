"""The list of consents to ask about: as CSV, without addresses, and without writing anything."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from alerts.addresses import consents
from alerts.management.commands import consents_due
from alerts.models import Consent
from ledger import accounts
from ledger.actors import Actor
from ledger.models import Account, Programme
from tests import alert_builders, builders
from tests.builders import NOW, days
from tests.looking import nothing_changes
from tests.windows import stop_clock

HEADER = "programme,member,channel,purpose,given_at,ends_at"
TODAY = "2027-03-10T03:00:00+00:00"


@pytest.fixture(autouse=True)
def two_years_later(monkeypatch):
    stop_clock(monkeypatch, consents.ends_at(NOW))


def agree(account: Account, *, ago: float = 0, channel: str = "email", purpose: str = "advertising") -> None:
    """Consent, so many days before NOW; a negative number is after it."""
    by = Actor("member", "7")
    consents.say(
        member=account.member,
        channel=channel,
        purpose=purpose,
        given=True,
        source="portal",
        by=by,
        now=NOW - days(ago),
    )


@pytest.fixture
def minji(byeol: Programme) -> Account:
    """Minji, who has an address and agreed to advertising at NOW."""
    account = alert_builders.minji(byeol)
    agree(account)
    return account


def run(*options: str) -> str:
    out = StringIO()
    call_command("consents_due", *options, stdout=out)
    return out.getvalue()


def lines(text: str) -> list[str]:
    """What stands under the header."""
    assert text.startswith(f"\ufeff{HEADER}\r\n")
    return text.split("\r\n")[1:-1]


def members(text: str) -> list[str]:
    return [row["member"] for row in csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline=""))]


def test_it_names_members_by_their_references_and_no_addresses(minji, byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "jun@example.com")
    agree(jun, ago=5, channel="sms")
    agree(jun, ago=-1, channel="sms", purpose="night_advertising")
    text = run()
    assert lines(text) == [
        "byeol,jun,sms,advertising,2025-03-05T03:00:00+00:00,2027-03-05T03:00:00+00:00",
        f"byeol,minji,email,advertising,2025-03-10T03:00:00+00:00,{TODAY}",
        "byeol,jun,sms,night_advertising,2025-03-11T03:00:00+00:00,2027-03-11T03:00:00+00:00",
    ]
    assert "@" not in text
    assert text.count("\r\n") == text.count("\n") == 4


def test_thirty_days_ahead_unless_told_otherwise(minji, byeol):
    for number, reference in ((30, "at-the-edge"), (31, "beyond")):
        agree(alert_builders.member(byeol, reference, 1), ago=-number)
    assert members(run()) == ["minji", "at-the-edge"]
    assert members(run("--within", "31")) == ["minji", "at-the-edge", "beyond"]
    assert members(run("--within", "0")) == ["minji"]
    assert members(run("--within", "730")) == ["minji", "at-the-edge", "beyond"]


def test_of_one_programme(minji, byeol):
    agree(alert_builders.member(builders.moa(), "bora", 1))
    assert members(run("--programme", "moa")) == ["bora"]
    assert members(run("--programme", "byeol")) == ["minji"]
    assert members(run()) == ["minji", "bora"]


def test_without_any_there_is_the_header_alone(byeol):
    assert lines(run()) == []


def test_more_than_a_thousand_are_listed_in_order(byeol):
    """Beyond one portion of what is read at once, and beyond any limit."""
    account = alert_builders.minji(byeol)
    others = [accounts.open_account(programme=byeol, reference=f"m{n:04}") for n in range(1_001)]
    Consent.objects.bulk_create(
        Consent(
            member_id=each.member_id,
            channel="email",
            purpose="advertising",
            given=True,
            at=NOW - days(1),
            source="portal",
            actor="member",
        )
        for each in others
    )
    agree(account)
    found = members(run())
    assert found == [*(f"m{n:04}" for n in range(1_001)), "minji"]


def test_a_reference_that_a_spreadsheet_would_take_for_a_formula_is_made_harmless(byeol):
    agree(alert_builders.member(byeol, "=1+1", 1))
    assert members(run()) == ["'=1+1"]


def test_it_can_write_a_new_file(minji, tmp_path: Path):
    path = tmp_path / "due.csv"
    assert run("--output", str(path)) == f"The list is in {path}.\n"
    assert lines(path.read_bytes().decode()) == lines(run())
    before = path.read_bytes()
    with pytest.raises(CommandError, match="--output: .*due.csv is there already; the list writes over nothing") as no:
        run("--output", str(path))
    assert no.value.returncode == 2
    assert path.read_bytes() == before


def test_it_only_looks(minji, byeol, tmp_path: Path):
    agree(minji, ago=1, purpose="night_advertising")
    before = list(Consent.objects.values_list())
    with nothing_changes():
        run()
        run("--output", str(tmp_path / "due.csv"))
    assert list(Consent.objects.values_list()) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--programme", "nowhere"), "--programme: there is no programme nowhere"),
        (("--programme", ""), "--programme: there is no programme"),
        (("--within", "soon"), "--within: must be a number of days from 0 to 730, not “soon”"),
        (("--within", "-1"), "--within: must be a number of days from 0 to 730, not “-1”"),
        (("--within", "731"), "--within: must be a number of days from 0 to 730, not “731”"),
        (("--within", "३"), "--within: must be a number of days from 0 to 730"),
        (("--within", "1.5"), "--within: must be a number of days from 0 to 730"),
        (("--within", "9" * 5_000), "--within: must be a number of days from 0 to 730"),
        (("--within", ""), "--within: must be a number of days from 0 to 730"),
        (("--output", "nowhere/due.csv"), "--output: nowhere/due.csv cannot be written"),
    ],
)
def test_a_bad_option_is_refused_by_its_name_with_the_rule(minji, options, said):
    out = StringIO()
    with pytest.raises(CommandError, match=said):
        call_command("consents_due", *options, stdout=out)
    assert out.getvalue() == ""


def test_a_list_that_stopped_half_way_leaves_no_file(minji, tmp_path: Path, monkeypatch):
    path = tmp_path / "due.csv"

    def full(file, names, rows):
        file.write("half")
        raise OSError("No space left on device")

    monkeypatch.setattr(consents_due, "write_csv", full)
    with pytest.raises(CommandError, match="stopped No space left on device: the list is not whole") as stopped:
        run("--output", str(path))
    assert stopped.value.returncode == 3
    assert not path.exists()
