"""Rows as CSV and as a table on the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO

from ledger.tables import as_text, cell, write_csv
from tests.builders import SEOUL


@dataclass
class Row:
    name: str
    points: int
    money: Decimal | None = None


ROWS = [Row("a, or “b”", 5, Decimal("7.500000")), Row('with "quotes"', -1200)]


def test_csv_has_its_names_then_its_rows():
    file = StringIO()
    assert write_csv(file, Row, ROWS) == 2
    assert file.getvalue() == 'name,points,money\n"a, or “b”",5,7.5\n"with ""quotes""",-1200,\n'


def test_no_rows_are_a_line_of_names():
    file = StringIO()
    assert write_csv(file, Row, []) == 0
    assert file.getvalue() == "name,points,money\n"


def test_numbers_are_plain_and_times_are_utc():
    assert cell(Decimal("100.000000")) == "100"
    assert cell(Decimal(100)) == "100"
    assert cell(Decimal("1E+3")) == "1000"
    assert cell(Decimal("0.0000")) == "0"
    assert cell(datetime(2025, 3, 10, 12, tzinfo=SEOUL)) == "2025-03-10T03:00:00+00:00"


def test_a_table_puts_numbers_to_the_right():
    assert as_text(Row, [Row("a", 5, Decimal("7.5")), Row("long one", 1200)]) == (
        "name      points  money\na              5    7.5\nlong one    1200"
    )
