"""`manage.py report`: the business's figures on the terminal and as CSV."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ledger import movements, point_values
from ledger.management.commands import report as command
from tests import builders
from tests.builders import LONG_AGO, NOW, STAFF, days, grant
from tests.business import MAY, a_spring

pytestmark = pytest.mark.django_db
DAY = "2025-05-10"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def spring(moa, minji):
    """The story of a spring, at half a won for a point; asked about in summer."""
    point_values.record(programme=moa, value=Decimal("0.5"), currency="KRW", since=LONG_AGO, now=NOW, by=STAFF)
    a_spring(minji)
    return moa


def flags(options: dict[str, object]) -> list[str]:
    return [f"--{option.replace('_', '-')}={value}" for option, value in ({"programme": "moa"} | options).items()]


def report(name: str, capsys: pytest.CaptureFixture[str], **options: object) -> str:
    call_command("report", name, *flags(options))
    return capsys.readouterr().out


def csv_of(name: str, **options: object) -> bytes:
    call_command("report", name, *flags(options | {"csv": "out.csv"}))
    return Path("out.csv").read_bytes()


EXPECTED = {
    "liability": b"month,points,promised,gated,money,currency\n2026-03,40,0,0,20,KRW\n",
    "movements": (
        b"month,granted,refunded,reinstated,redeemed,on_hold,clawed_back,expired,forfeited\n"
        b"2025-03,140,10,0,30,25,0,0,0\n"
        b"2025-04,0,0,0,15,-25,60,0,0\n"
        b"2025-05,0,0,0,0,0,0,5,0\n"
    ),
    "breakage": (
        b"month,granted,redeemed,on_hold,expired,clawed_back,settled,forfeited,live,rate\n"
        b"2025-03,140,35,0,5,60,0,0,40,0.0357\n"
    ),
    "law14": (
        b"granted,refunded,reinstated,redeemed,on_hold,clawed_back,expired,forfeited,balance,debt,debt_of_closed,difference\n"
        b"140,10,0,45,0,60,5,0,40,0,0,0\n"
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_report_as_csv(spring, name):
    assert csv_of(name, as_of=DAY) == EXPECTED[name]


def test_a_members_balance_is_as_of_any_past_instant(spring):
    head = b"spendable,promised,live,debt,on_hold\n"
    assert csv_of("balance", member="minji", as_of="2025-03-20") == head + b"95,0,95,0,25\n"
    Path("out.csv").unlink()
    assert csv_of("balance", member="minji", as_of="2025-03-10T11:59:59+09:00") == head + b"0,0,0,0,0\n"
    Path("out.csv").unlink()
    assert csv_of("balance", member="minji", as_of="2025-03-10T03:00:00Z") == head + b"110,0,110,0,0\n"


def test_a_members_lots_are_as_of_any_past_instant(spring):
    grant(builders.jun(spring), 7)
    head = b"lot,origin,granted,points,promised,gated,spendable_at,expires_at,last_day\n"
    # On day 20 the short lot has just gone; what came back of it, and went on hold since, is in neither.
    long = b"1.0,purchase,100,%d,0,0,2025-03-10T03:00:00+00:00,2026-03-31T15:00:00+00:00,2026-03-31\n"
    assert csv_of("lots", member="minji", as_of="2025-03-30T12:00:00+09:00") == head + long % 95
    Path("out.csv").unlink()
    assert csv_of("lots", member="minji", as_of="2025-03-10T03:00:00Z") == (
        head + b"2.0,purchase,40,10,0,0,2025-03-10T03:00:00+00:00,2025-03-30T03:00:00+00:00,2025-03-30\n" + long % 100
    )
    Path("out.csv").unlink()
    assert csv_of("lots", member="minji", as_of="2025-03-10T02:59:59Z") == head


def test_the_liability_to_one_member_is_part_of_the_programmes(spring):
    grant(builders.jun(spring), 7)
    head = b"month,points,promised,gated,money,currency\n"
    assert csv_of("liability", as_of=DAY) == head + b"2026-03,47,0,0,23.5,KRW\n"
    Path("out.csv").unlink()
    assert csv_of("liability", member="jun", as_of=DAY) == head + b"2026-03,7,0,0,3.5,KRW\n"
    Path("out.csv").unlink()
    assert csv_of("liability", member="minji", as_of=DAY) == head + b"2026-03,40,0,0,20,KRW\n"
    Path("out.csv").unlink()
    assert csv_of("liability", member="jun", as_of="2025-03-10T02:59:59Z") == head  # nothing yet, not everybody's


def test_what_was_recorded_later_can_be_left_out(moa, minji, capsys):
    grant(minji, 5, now=NOW + days(40), effective_at=NOW)
    known = report("balance", capsys, member="minji", as_of="2025-03-20")
    assert known.splitlines()[1].split() == ["5", "0", "5", "0", "0"]
    unknown = report("balance", capsys, member="minji", as_of="2025-03-20", known_at="2025-03-20")
    assert unknown.splitlines()[1].split() == ["0", "0", "0", "0", "0"]


def test_a_forecast_is_of_a_day_to_come(moa, minji, capsys, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: MAY)
    grant(minji, 100, expires_at=MAY + days(20), now=MAY)
    grant(builders.jun(moa), 7, now=MAY)
    both = report("forecast", capsys, on="2025-05-20").splitlines()
    assert both[0].split()[:3] == ["spendable", "promised", "debt"]
    assert both[1].split() == ["107", *["0"] * 8]
    alone = report("forecast", capsys, on="2025-06-01", member="minji").splitlines()[1].split()
    assert alone == ["0", "0", "0", "0", "0", "100", "0", "0", "0"]
    with pytest.raises(CommandError, match="--on: the day must lie in the future"):
        report("forecast", capsys, on="2025-05-09")


def test_on_the_terminal_it_is_a_table(spring, capsys):
    assert report("liability", capsys, as_of=DAY) == (
        "month    points  promised  gated  money  currency\n2026-03      40         0      0     20       KRW\n"
    )


def test_a_file_that_is_there_is_not_written_over(spring):
    Path("out.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(CommandError, match=r"--csv: out.csv is there already; a report writes over nothing") as refusal:
        csv_of("liability", as_of=DAY)
    assert refusal.value.returncode == 2
    assert Path("out.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("liability", {"programme": "nowhere"}, "--programme: there is no programme nowhere"),
        ("movements", {"member": "minji"}, "--member: the report movements has no such option"),
        ("liability", {"member": "nobody"}, "--member: moa has no member nobody"),
        ("lots", {}, "--member: the report lots needs it"),
        ("liability", {"on": "2999-01-01"}, "--on: the report liability has no such option"),
        ("balance", {}, "--member: the report balance needs it"),
        ("balance", {"member": "nobody"}, "--member: moa has no member nobody"),
        ("forecast", {}, "--on: the report forecast needs it"),
        ("forecast", {"on": "2999-01-01", "as_of": DAY}, "--as-of: the report forecast has no such option"),
        ("movements", {"as_of": "2999-01-01"}, "--as-of: it lies in the future; ask for a forecast"),
        ("movements", {"as_of": "yesterday"}, "--as-of: must be a day like 2011-05-01"),
        ("movements", {"as_of": "2025-03-10T12:00:00"}, "--as-of: an instant needs its zone"),
        ("movements", {"known_at": "2025-03-10 noon"}, "--known-at: must be a day or an instant like"),
        ("movements", {"csv": "no/such/folder.csv"}, "--csv: no/such/folder.csv cannot be written"),
        ("profits", {}, "invalid choice: 'profits'"),
    ],
)
def test_what_cannot_be_reported_is_refused_by_the_option_at_fault(spring, name, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("report", name, *flags(options))
    assert list(Path().iterdir()) == []


def test_a_broken_line_of_law_14_is_said_by_the_exit_code(spring, monkeypatch):
    honest = movements.law_14
    monkeypatch.setattr(command, "law_14", lambda *args, **more: replace(honest(*args, **more), difference=3))
    with pytest.raises(CommandError, match="law 14 is broken by 3 points") as broken:
        csv_of("law14", as_of=DAY)
    assert broken.value.returncode == 1
    assert Path("out.csv").exists()


def test_the_reports_are_these():
    assert list(command.REPORTS) == ["liability", "movements", "breakage", "law14", "balance", "lots", "forecast"]
    assert datetime(2025, 5, 9, 3, tzinfo=UTC) == MAY
