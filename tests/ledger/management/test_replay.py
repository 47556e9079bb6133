"""`manage.py replay`: a feed told from its first row on, and what every account then holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Programme
from tests.feeds import a_return, feed_file, purchase, redemption

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "online-retail"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(path: Path, as_of: str, **options: object) -> str:
    call_command("replay", str(path), "--as-of", as_of, "--report", "out.csv", **options)
    return Path("out.csv").read_text(encoding="utf-8")


def test_the_report_says_what_every_account_holds(tmp_path, capsys):
    path = feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 08:00:00", "1", "9", "100.90"),  # goes on 1 April 2011
        redemption("2010-12-01 09:00:00", "2", "9", "30"),
        purchase("2011-01-31 23:59:59", "3", "9", "50.00"),  # goes on 1 May 2011
        purchase("2011-02-01 00:00:00", "4", "9", "7.00"),  # goes on 1 June 2011
        redemption("2011-04-01 00:00:00", "5", "9", "60"),  # only 57 are left by then
        redemption("2011-04-01 00:00:01", "6", "9", "7"),
        a_return("2011-04-02 00:00:00", "7", "10", "4.00"),
        purchase("2011-04-03 00:00:00", "8", "11", "0.50"),
        purchase("2011-05-01 00:00:00", "9", "11", "99.00"),  # at the very instant: not applied
    )
    assert replay(path, "2011-05-01") == (
        "customer_id,spendable,debt,granted,redeemed,declined,clawed_back,expired\n"
        "10,0,4,0,0,0,4,0\n"
        "9,7,0,157,37,1,0,113\n"
    )
    assert "0 findings of the audit" in capsys.readouterr().out


def test_points_go_at_the_very_instant_and_not_before(tmp_path):
    path = feed_file(tmp_path / "feed.csv", purchase("2010-12-31 23:59:59", "1", "a", "5"))
    line = "a,{spendable},0,5,0,0,0,{expired}\n"
    assert replay(path, "2011-03-31").endswith(line.format(spendable=5, expired=0))
    assert replay(path, "2011-04-01").endswith(line.format(spendable=0, expired=5))


def test_customers_one_after_the_other_lead_to_the_same_numbers_as_in_order_of_time(tmp_path):
    rows = [
        purchase("2010-12-01 08:00:00", "1", "a", "100"),
        purchase("2010-12-02 08:00:00", "2", "b", "100"),
        redemption("2011-03-31 08:00:00", "3", "b", "70"),
        redemption("2011-04-02 08:00:00", "4", "a", "70"),  # too late: they went on 1 April
    ]
    in_time = replay(feed_file(tmp_path / "one.csv", *rows), "2011-05-01")
    by_customer = sorted(rows, key=lambda row: row["customer_id"])
    assert replay(feed_file(tmp_path / "two.csv", *by_customer), "2011-05-01") == in_time
    assert in_time.endswith("a,0,0,100,0,1,0,100\nb,0,0,100,70,0,0,30\n")


def test_a_report_over_the_feed_itself_is_refused(tmp_path):
    path = feed_file(tmp_path / "out.csv", purchase("2010-12-01 08:00:00", "1", "a", "5"))
    before = path.read_bytes()
    with pytest.raises(CommandError, match="--report: out.csv is the feed itself"):
        replay(path, "2011-01-01")
    assert path.read_bytes() == before


def test_rounding_and_months_are_options(tmp_path):
    path = feed_file(tmp_path / "feed.csv", purchase("2010-12-31 12:00:00", "1", "a", "5"))
    assert replay(path, "2011-02-01", months=1, round="none").endswith("a,0,0,5,0,0,0,5\n")
    assert replay(path, "2011-01-31", months=1, round="none").endswith("a,5,0,5,0,0,0,0\n")
    assert replay(path, "2011-12-31", months=1, round="year", zone="Asia/Seoul").endswith("a,5,0,5,0,0,0,0\n")


def test_bad_rows_are_named_and_the_rest_is_replayed(tmp_path, capsys):
    path = feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 12:00:00", "1", "a", "-5"),
        purchase("2010-12-01 12:00:00", "2", "a", "5"),
    )
    assert replay(path, "2011-01-01").endswith("a,5,0,5,0,0,0,0\n")
    assert "1 rejected" in capsys.readouterr().out
    assert Path("feed.rejects.csv").exists()


def test_each_replay_has_a_programme_of_its_own(tmp_path):
    path = feed_file(tmp_path / "feed.csv", purchase("2010-12-01 12:00:00", "1", "a", "5"))
    assert replay(path, "2011-01-01") == replay(path, "2011-01-01")
    assert Programme.objects.count() == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zone": "Mars"}, "zone: “Mars”"),
        ({"months": 0}, "__all__: A time after something needs a number of at least 1"),
        ({"months": -1}, "count: "),
    ],
)
def test_odd_options_are_refused(tmp_path, options, message):
    path = feed_file(tmp_path / "feed.csv", purchase("2010-12-01 12:00:00", "1", "a", "5"))
    with pytest.raises(CommandError, match=message) as refusal:
        replay(path, "2011-01-01", **options)
    assert refusal.value.returncode == 2
    assert not Path("out.csv").exists()


def test_a_day_in_the_future_is_refused(tmp_path):
    path = feed_file(tmp_path / "feed.csv")
    with pytest.raises(CommandError, match="--as-of: the day cannot lie in the future"):
        replay(path, "2999-01-01")


@pytest.mark.skipif(not SHARED.exists(), reason="the real shop's feed is not on this machine")
def test_the_real_shops_feed_leads_to_its_known_answers():
    expected = (SHARED / "expected-2011-05-01.csv").read_text(encoding="utf-8")
    assert replay(SHARED / "feed.csv", "2011-05-01") == expected
