import json
import urllib.error
from dataclasses import replace
from urllib.request import urlopen

import pytest

from alerts.fakes.faults import Faults, shares
from alerts.fakes.hooks import Posting, Sender
from alerts.fakes.journal import Journal, Taken
from alerts.fakes.providers import arrives
from alerts.fakes.server import FakeProvider

ONE = Taken("solapi", "sms", "M1", "key", "01012345678", "text", "2026-03-10T03:00:00+00:00", "SMS")


def test_modes_are_drawn_by_their_shares_the_same_for_the_same_seed():
    drawn = [Faults({"503": 0.05, "drop": 0.02}, seed=7).draw() for _time in range(3)]
    assert len(set(drawn)) == 1
    faults = Faults({"503": 0.05, "drop": 0.02}, seed=7)
    drawn = [faults.draw() for _time in range(10_000)]
    assert 400 < drawn.count("503") < 600
    assert 140 < drawn.count("drop") < 260


def test_shares_are_read_strictly():
    assert shares(["503:0.05", "drop:0.02"]) == {"503": 0.05, "drop": 0.02}
    assert shares(["429"]) == {"429": 1.0}
    for wrong in (["often"], ["429:2"], ["429", "500"], ["429:x"]):
        with pytest.raises(ValueError):
            shares(wrong)


def test_the_journal_keeps_a_file(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.take(ONE)
    assert journal.of("key") == [ONE]
    assert json.loads((tmp_path / "journal").read_text())["number"] == "M1"


def test_modes_change_and_the_journal_is_read_over_http():
    with FakeProvider() as fake:
        fake.journal.take(ONE)
        with urlopen(f"{fake.url}/journal") as answer:  # noqa: S310
            assert json.load(answer)["taken"][0]["key"] == "key"
        with urlopen(f"{fake.url}/modes", b'{"drop": 0.5}') as answer:  # noqa: S310
            assert answer.status == 200
        assert fake.faults.shares == {"drop": 0.5}
        with pytest.raises(urllib.error.HTTPError):
            urlopen(f"{fake.url}/modes", b'{"often": 1}')  # noqa: S310


@pytest.mark.parametrize(
    ("channel", "to", "arrived"),
    [
        ("alimtalk", "01012345678", True),
        ("alimtalk", "01040400001", False),
        ("sms", "01040400001", True),
        ("alimtalk", "01040440001", False),
        ("sms", "01040440001", False),
        ("email", "minji@example.com", True),
    ],
)
def test_some_numbers_have_no_kakaotalk_and_some_no_telephone(channel, to, arrived):
    assert arrives(replace(ONE, channel=channel, to=to)) is arrived


def test_reports_are_posted_doubled_and_shuffled():
    with FakeProvider() as site:  # it answers 404 to what it does not know: every report is counted as refused
        posting = Posting(Sender(site.url), ["doubled", "reordered", "unsigned", "late"])
        posting.start()
        posting.add(ONE)
        posting.stop()
    assert (posting.posted, posting.refused) == (0, 2)
    with pytest.raises(ValueError):
        Posting(Sender(""), ["never"])
