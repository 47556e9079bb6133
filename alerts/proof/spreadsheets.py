"""Tables for people's spreadsheets: CSV that opens as it is in Excel, in Korea too, and runs nothing. Pure.

UTF-8 with a byte-order mark, by which Excel knows it; lines end as it expects. A text that a spreadsheet would take for
a formula gets a quote in front (OWASP, "CSV Injection"), whoever wrote it: references, reasons and texts come from
outside.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Protocol

from ledger.tables import cell

MARK = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def as_csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The mark, one line of names, one line for each row. Instants are in UTC, what is not there is empty."""
    file = StringIO()
    write_csv(file, names, rows)
    return file.getvalue()


class Writable(Protocol):
    """What text can be written to: a file, or a command's output."""

    def write(self, text: str, /) -> object: ...


def write_csv(file: Writable, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same, row by row, to something open."""
    file.write(MARK)
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([safe(value) if isinstance(value, str) else cell(value) for value in row])


def safe(text: str) -> str:
    """The text, with a quote in front if it could be a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
