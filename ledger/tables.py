"""Rows of a report as CSV: one line of names, then one line for each row. Pure.

UTF-8, commas, line feeds; numbers without grouping, days and instants as ISO 8601, nothing for what is not there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any


def write_csv(file: IO[str], shape: type[Any], rows: Iterable[Any]) -> int:
    """Write rows, dataclasses of this shape, to a text file opened with `newline=""`; returns how many there were."""
    names = [field.name for field in fields(shape)]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([cell(getattr(row, name)) for name in names])
        count += 1
    return count


def cell(value: object) -> str:
    """A value as a cell: money keeps its exact digits, without zeros at the end."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def as_text(shape: type[Any], rows: Iterable[Any]) -> str:
    """Rows as a table to read on a terminal: columns side by side, numbers to the right."""
    names = [field.name for field in fields(shape)]
    lines = [names, *([cell(getattr(row, name)) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: list[str], widths: list[int]) -> str:
    first, *rest = (
        text.ljust(widths[0]) if not place else text.rjust(widths[place]) for place, text in enumerate(cells)
    )
    return "  ".join([first, *rest]).rstrip()
