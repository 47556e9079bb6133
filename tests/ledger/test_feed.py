"""A feed's rows: what they mean, and which cannot be used."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ledger.feed import COLUMNS, Feed, FeedRefused, FeedRow, RowRejected, RowType, parse_row, points_for
from tests.builders import LONDON

HEADER = ",".join(COLUMNS)
PURCHASE = {
    "occurred_at": "2010-12-01 08:26:00",
    "event_id": "536365",
    "type": "purchase",
    "customer_id": "17850",
    "country": "United Kingdom",
    "amount_gbp": "139.12",
    "original_event_id": "",
    "points": "",
}
REDEEM = PURCHASE | {"type": "redeem", "amount_gbp": "", "points": "7"}


def lines(text: str) -> list:
    return list(Feed(io.StringIO(text), LONDON))


def why(row: dict[str, str]) -> str:
    with pytest.raises(RowRejected) as caught:
        parse_row(row, LONDON)
    return str(caught.value)


def test_a_purchase_is_read_in_the_zone_of_the_programme():
    row = parse_row(PURCHASE | {"occurred_at": "2011-04-01 00:00:00"}, LONDON)
    assert row.occurred_at == datetime(2011, 3, 31, 23, 0, tzinfo=UTC)  # British summer time
    assert (row.type, row.amount, row.points) == (RowType.PURCHASE, Decimal("139.12"), 0)


def test_a_redemption_is_read_with_its_points():
    assert parse_row(REDEEM, LONDON).points == 7


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "refund"}, "type: must be one of purchase, return, redeem, not “refund”"),
        ({"type": ""}, "type: must be one of purchase, return, redeem, not “”"),
        ({"occurred_at": "2010-13-01 08:26:00"}, "occurred_at: must be a time like 2010-12-01 08:26:00, not “2010-13"),
        ({"occurred_at": "2010-12-01"}, "occurred_at: must be a time like"),
        ({"occurred_at": "0001-01-01 00:00:00"}, "occurred_at: the year must lie between 1900 and 9000"),
        ({"amount_gbp": "-1.00"}, "amount_gbp: must be positive, not “-1.00”"),
        ({"amount_gbp": "0.00"}, "amount_gbp: must be positive, not “0.00”"),
        ({"amount_gbp": ""}, "amount_gbp: must be a number like 139.12, not “”"),
        ({"amount_gbp": "NaN"}, "amount_gbp: must be a number like 139.12, not “NaN”"),
        ({"amount_gbp": "1e5"}, "amount_gbp: must be a number like 139.12, not “1e5”"),
        ({"amount_gbp": "1_000"}, "amount_gbp: must be a number like 139.12, not “1_000”"),
        ({"amount_gbp": "99999999999999"}, "amount_gbp: must be at most 1000000000000"),
        ({"event_id": ""}, "event_id: must be 1 to 150 printable characters"),
        ({"event_id": "a\x00b"}, "event_id: must be 1 to 150 printable characters"),
        ({"customer_id": " 17850"}, "customer_id: must be 1 to 100 printable characters without blanks around"),
        ({"customer_id": "\udcff"}, "customer_id: must be 1 to 100 printable characters"),
        ({"type": "return", "original_event_id": "x" * 151}, "original_event_id: must be 1 to 150"),
    ],
)
def test_a_row_that_cannot_be_used_says_which_column_and_which_rule(change, reason):
    assert why(PURCHASE | change).startswith(reason)


@pytest.mark.parametrize("points", ["0", "-5", "1.5", "", "seven", "9" * 21, "٣"])
def test_a_redemption_of_no_whole_positive_number_of_points_is_rejected(points):
    assert why(REDEEM | {"points": points}) == (
        f"points: must be a whole number from 1 to 1000000000000, not “{points}”"
    )


@pytest.mark.parametrize(
    ("amount", "rate", "points"),
    [("139.12", "1", 139), ("0.99", "1", 0), ("0.5", "2", 1), ("1" + "0" * 12, "1", 10**12), ("19.99", "0.1", 1)],
)
def test_an_amount_earns_its_points_rounded_down(amount, rate, points):
    assert points_for(Decimal(amount), Decimal(rate)) == points


def test_an_amount_of_many_digits_is_not_rounded_up():
    assert points_for(Decimal("0.99999999999999999999"), Decimal("1.000000")) == 0


def test_an_amount_that_earns_too_many_points_is_rejected():
    with pytest.raises(RowRejected, match="amount_gbp: the amount would be more than 1000000000000 points"):
        points_for(Decimal(10**12), Decimal(2))


def test_a_file_without_a_column_is_refused_by_its_name():
    with pytest.raises(FeedRefused, match="the file lacks the columns type, points"):
        lines("occurred_at,event_id,customer_id,country,amount_gbp,original_event_id\n")


def test_an_empty_file_is_refused():
    with pytest.raises(FeedRefused, match="the file lacks the columns occurred_at"):
        lines("")


def test_a_column_that_stands_twice_refuses_the_file():
    with pytest.raises(FeedRefused, match="the column points more than once"):
        lines(f"{HEADER},points\n")


def test_columns_may_stand_in_another_order_and_more_of_them_are_passed_over():
    header = ",".join([*reversed(COLUMNS), "shop"])
    row = ",".join([*(PURCHASE[column] for column in reversed(COLUMNS)), "north"])
    (line,) = lines(f"{header}\n{row}\n")
    assert isinstance(line.outcome, FeedRow)
    assert line.outcome.event_id == "536365"


def test_a_line_that_is_not_utf_8_is_rejected_whatever_column_it_spoils():
    row = ",".join((PURCHASE | {"country": "Cor\udce9e"}).values())
    (line,) = lines(f"{HEADER}\n{row}\n")
    assert str(line.outcome) == "the line is not UTF-8"


def test_bad_rows_are_rejected_alone_and_the_rest_goes_on():
    good = ",".join(PURCHASE.values())
    found = lines(f'{HEADER}\n{good}\n2010-12-01,"half\n\n{good},extra\n{good}\n')
    assert [(line.number, type(line.outcome).__name__) for line in found] == [
        (2, "FeedRow"),
        (3, "RowRejected"),
        (5, "RowRejected"),
        (6, "FeedRow"),
    ]
    assert str(found[1].outcome).startswith("the line is not CSV")
    assert found[1].fields == ['2010-12-01,"half']
    assert str(found[2].outcome) == "the row has 9 fields, the header 8"
