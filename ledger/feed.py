"""A shop's feed: what its rows mean, and which rows cannot be used. Pure: no database, no clock.

One row is one purchase, return or redemption; `docs/feed.md` describes the columns.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum
from typing import IO
from zoneinfo import ZoneInfo

from ledger.inputs import MOST, YEARS
from ledger.policies import instant

COLUMNS = (
    "occurred_at",
    "event_id",
    "type",
    "customer_id",
    "country",
    "amount_gbp",
    "original_event_id",
    "points",
)


class FeedRefused(Exception):
    """The file as a whole cannot be used."""


class RowRejected(Exception):
    """One row cannot be used; the message names the column and the rule."""


class RowType(StrEnum):
    PURCHASE = "purchase"
    RETURN = "return"
    REDEEM = "redeem"


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A row that can be used. `amount` is money of a purchase or return, `points` those of a redemption."""

    occurred_at: datetime
    event_id: str
    type: RowType
    customer_id: str
    amount: Decimal
    original_event_id: str
    points: int
    content: dict[str, object]  # the row's own words: what its key stands for


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file: the number of its last line, its fields as they came, and what became of them."""

    number: int
    fields: list[str]
    outcome: FeedRow | RowRejected


class Feed:
    """A CSV file of rows, read one after the other, good and bad. Raises FeedRefused for a bad header.

    Each line is a row of its own, so that a stray quotation mark spoils its own row only.
    """

    def __init__(self, file: IO[str], zone: ZoneInfo) -> None:
        self._file = file
        self._zone = zone
        self.header = _header(file)

    def __iter__(self) -> Iterator[Line]:
        for number, text in enumerate(self._file, start=2):
            if not text.strip():
                continue
            try:
                text.encode()
                fields = _fields(text)
            except UnicodeEncodeError:  # what could not be decoded stands here as lone surrogates
                yield Line(number, [text.rstrip("\r\n")], RowRejected("the line is not UTF-8"))
            except csv.Error as error:
                yield Line(number, [text.rstrip("\r\n")], RowRejected(f"the line is not CSV: {error}"))
            else:
                yield Line(number, fields, _outcome(self.header, fields, self._zone))


def _fields(text: str) -> list[str]:
    return next(csv.reader([text], strict=True))


def _header(file: IO[str]) -> list[str]:
    try:
        header = _fields(file.readline() or "\n")
    except csv.Error as error:
        raise FeedRefused(f"the first line is not CSV: {error}") from error
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise FeedRefused(f"the file lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise FeedRefused(f"the file has the column {twice[0]} more than once")
    return header


def _outcome(header: list[str], fields: list[str], zone: ZoneInfo) -> FeedRow | RowRejected:
    try:
        if len(fields) != len(header):
            raise RowRejected(f"the row has {len(fields)} fields, the header {len(header)}")
        return parse_row(dict(zip(header, fields, strict=True)), zone)
    except RowRejected as rejected:
        return rejected


def parse_row(row: dict[str, str], zone: ZoneInfo) -> FeedRow:
    """A row's fields as values. Raises RowRejected naming the column and the rule."""
    kind = _type(row["type"])
    is_redeem = kind == RowType.REDEEM
    return FeedRow(
        occurred_at=instant(_local_time(row["occurred_at"]), zone),
        event_id=_name(row, "event_id", 150),
        type=kind,
        customer_id=_name(row, "customer_id", 100),
        amount=Decimal(0) if is_redeem else _amount(row["amount_gbp"]),
        original_event_id=_name(row, "original_event_id", 150) if row["original_event_id"] else "",
        points=_points(row["points"]) if is_redeem else 0,
        content={column: row[column] for column in COLUMNS},
    )


def points_for(amount: Decimal, earn_rate: Decimal) -> int:
    """The points that an amount of money earns: amount x rate, rounded down. Raises RowRejected beyond the most."""
    with localcontext(prec=60):  # exact: no product of these has more digits
        points = int((amount * earn_rate).to_integral_value(ROUND_FLOOR))
    if points > MOST:
        raise RowRejected(f"amount_gbp: the amount would be more than {MOST} points")
    return points


def _type(text: str) -> RowType:
    try:
        return RowType(text)
    except ValueError:
        raise RowRejected(f"type: must be one of {', '.join(RowType)}, not “{text}”") from None


def _local_time(text: str) -> datetime:
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # the feed's times carry no offset
    except ValueError:
        raise RowRejected(f"occurred_at: must be a time like 2010-12-01 08:26:00, not “{text}”") from None
    if local.year not in YEARS:
        raise RowRejected(f"occurred_at: the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return local


def _name(row: dict[str, str], column: str, longest: int) -> str:
    text = row[column]
    if not (0 < len(text) <= longest and text.isprintable()) or text != text.strip():
        raise RowRejected(f"{column}: must be 1 to {longest} printable characters without blanks around them")
    return text


def _amount(text: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text):
        raise RowRejected(f"amount_gbp: must be a number like 139.12, not “{text}”")
    amount = Decimal(text)
    if amount <= 0:
        raise RowRejected(f"amount_gbp: must be positive, not “{text}”")
    if amount > MOST:
        raise RowRejected(f"amount_gbp: must be at most {MOST}")
    return amount


def _points(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= MOST:
        raise RowRejected(f"points: must be a whole number from 1 to {MOST}, not “{text}”")
    return int(text)
