"""`manage.py import_feed`: exit codes, the file of rejects, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Entry, Member
from tests import builders
from tests.feeds import feed_file, purchase, redemption

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return builders.moa("shop", zone="Europe/London", count=3)


def test_a_good_file_ends_with_0_and_leaves_no_rejects(tmp_path, capsys):
    feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "10.00"),
        redemption("2010-12-01 09:00:00", "2", "anne", "11"),
    )
    call_command("import_feed", "feed.csv", programme="shop")
    assert capsys.readouterr().out == (
        "Rows: 2, 2 applied, 0 already there, 0 rejected. Redemptions declined for want of points: 1.\n"
    )
    call_command("import_feed", "feed.csv", programme="shop")
    assert capsys.readouterr().out.endswith("Everything was already there: nothing changed.\n")
    assert list(tmp_path.glob("*.rejects.csv")) == []


def test_bad_rows_end_with_1_and_stand_in_the_rejects_with_line_and_reason(tmp_path, capsys):
    feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "-5"),
        purchase("2010-12-01 08:00:00", "2", "anne", "10"),
        purchase("yesterday", "3", "anne", "10"),
    )
    with pytest.raises(SystemExit) as stop:
        call_command("import_feed", "feed.csv", programme="shop")
    assert stop.value.code == 1
    assert (tmp_path / "feed.rejects.csv").read_text(encoding="utf-8") == (
        "line,reason,occurred_at,event_id,type,customer_id,country,amount_gbp,original_event_id,points\n"
        '2,"amount_gbp: must be positive, not “-5”",2010-12-01 08:00:00,1,purchase,anne,UK,-5,,\n'
        '4,"occurred_at: must be a time like 2010-12-01 08:26:00, not “yesterday”",yesterday,3,purchase,anne,UK,10,,\n'
    )
    assert "The rejected rows are in feed.rejects.csv." in capsys.readouterr().out
    assert Entry.objects.get().key == "feed:2"


def test_the_rejects_can_be_imported_once_they_are_mended(tmp_path):
    feed_file(tmp_path / "feed.csv", purchase("2010-12-01 08:00:00", "1", "anne", "-5"))
    with pytest.raises(SystemExit):
        call_command("import_feed", "feed.csv", programme="shop", rejects=tmp_path / "mine.csv")
    mended = (tmp_path / "mine.csv").read_text(encoding="utf-8").replace(",-5,", ",5,")
    (tmp_path / "mended.csv").write_text(mended, encoding="utf-8")
    call_command("import_feed", "mended.csv", programme="shop")
    assert Entry.objects.get().amount == 5


def test_a_file_without_a_column_is_refused_with_2(tmp_path):
    (tmp_path / "feed.csv").write_text("occurred_at,event_id\n2010-12-01 08:00:00,1\n", encoding="utf-8")
    with pytest.raises(CommandError, match="feed.csv is refused: the file lacks the columns type") as refusal:
        call_command("import_feed", "feed.csv", programme="shop")
    assert refusal.value.returncode == 2
    assert Member.objects.count() == 0


def test_a_file_that_is_not_there_is_refused_with_2():
    with pytest.raises(
        CommandError, match="nowhere.csv is refused: there is no such file. Nothing was written."
    ) as refusal:
        call_command("import_feed", "nowhere.csv", programme="shop")
    assert refusal.value.returncode == 2


def test_an_unknown_programme_is_refused_with_2(tmp_path):
    with pytest.raises(CommandError, match="--programme: there is no programme shopp") as refusal:
        call_command("import_feed", "feed.csv", programme="shopp")
    assert refusal.value.returncode == 2


def test_a_check_writes_nothing(tmp_path, capsys):
    feed_file(tmp_path / "feed.csv", purchase("2010-12-01 08:00:00", "1", "anne", "10.00"))
    call_command("import_feed", "feed.csv", programme="shop", check=True)
    assert capsys.readouterr().out == "Rows: 1, 1 would be applied, 0 already there, 0 rejected.\n"
    assert Entry.objects.count() == Member.objects.count() == 0


def test_a_row_that_is_not_utf_8_spoils_itself_only(tmp_path):
    path = feed_file(
        tmp_path / "feed.csv",
        purchase("2010-12-01 08:00:00", "1", "anne", "10.00"),
        purchase("2010-12-01 08:00:00", "2", "XX", "10.00"),
    )
    path.write_bytes(path.read_bytes().replace(b"XX", b"\xff\xfe"))
    with pytest.raises(SystemExit) as stop:
        call_command("import_feed", "feed.csv", programme="shop")
    assert stop.value.code == 1
    assert b"\xff\xfe" in (tmp_path / "feed.rejects.csv").read_bytes()
    assert Entry.objects.get().key == "feed:1"


def test_rejects_that_could_not_be_written_are_refused_before_anything_is_done(tmp_path):
    path = feed_file(tmp_path / "feed.csv", purchase("2010-12-01 08:00:00", "1", "anne", "-5"))
    before = path.read_bytes()
    for rejects, said in (
        ("feed.csv", "is the feed itself"),
        ("nowhere/x.csv", "cannot be written"),
        (".", "cannot be"),
    ):
        with pytest.raises(CommandError, match=f"--rejects: .* {said}") as refusal:
            call_command("import_feed", "feed.csv", programme="shop", rejects=Path(rejects))
        assert refusal.value.returncode == 2
    assert path.read_bytes() == before
    assert Member.objects.count() == 0
