import csv
from io import StringIO

from alerts.duty import waivers
from alerts.proof import lines, sheet
from alerts.proof.readers import Reader
from tests import alert_builders, builders
from tests.alert_builders import LAST_DAY, before, the_delivery
from tests.alerts.proof import scene

STAFF = Reader(sees_addresses=True, sees_staff=True)


def found(account, reader=STAFF):
    return sheet.whole(account, reader=reader, now=before(10))


def test_each_fact_has_its_line_in_the_order_in_which_it_happened(minji, sink):
    scene.says_no(minji)
    scene.came_back(minji)
    told = lines.lines(found(minji))
    assert [line.fact for line in told] == [
        "said no",
        "reminder planned",
        "message made",
        "call to the provider",
        "what it said",
        "accepted",
        "notice in the ledger",
        "report",
        "came back",
        "notice withdrawn",
        "address suppressed",
        "suppression lifted",
        "date moved: nobody was told",
    ]
    assert [line.at for line in told] == sorted(line.at for line in told)
    said = next(line for line in told if line.fact == "what it said")
    delivery = the_delivery()
    assert (said.code, said.text, said.points, said.said) == (delivery.text_hash, delivery.text, 1_200, "reminder/3")
    assert (said.last_day, said.offset_days, said.message) == (LAST_DAY, 60, str(delivery.pk))


def test_a_notice_that_nobody_needed_has_its_line(db):
    jun = builders.jun(alert_builders.byeol(accepts_waivers=True))
    builders.grant(jun, 10)
    waivers.record_waivers(now=before(31), limit=10)
    (line,) = lines.lines(found(jun))
    assert (line.fact, line.last_day, line.said) == ("notice waived", LAST_DAY, "no contact is known")
    assert (line.code, line.entry) == ("no_contact on 2026-02-28, 10 points", 2)


def table(text):
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def test_as_csv_times_are_by_the_programmes_clock_and_in_utc(minji, sink):
    scene.told()
    rows = table(lines.csv_of(found(minji)))
    assert list(rows[0])[:4] == ["at", "at_utc", "fact", "last_day"]
    assert (rows[0]["at"], rows[0]["at_utc"]) == ("2026-01-30 12:00:00+09:00", "2026-01-30T03:00:00+00:00")
    assert (rows[0]["fact"], rows[0]["last_day"], rows[0]["offset_days"]) == ("reminder planned", "2026-03-31", "60")
    assert {row["address"] for row in rows} == {"", "minji@example.com"}


def test_a_members_copy_names_nobody_of_the_staff(minji):
    scene.says_no(minji)
    assert "staff:3" in lines.csv_of(found(minji))
    assert "staff:3" not in lines.csv_of(found(minji, Reader(sees_addresses=True)))
