"""Small feeds for tests: rows as the shop would send them, in the shop's own columns."""

from __future__ import annotations

from pathlib import Path

from ledger.feed import COLUMNS


def purchase(at: str, event: str, customer: str, amount: str) -> dict[str, str]:
    return _row(at, event, "purchase", customer, amount_gbp=amount)


def a_return(at: str, event: str, customer: str, amount: str, original: str = "") -> dict[str, str]:
    return _row(at, event, "return", customer, amount_gbp=amount, original_event_id=original)


def redemption(at: str, event: str, customer: str, points: str) -> dict[str, str]:
    return _row(at, event, "redeem", customer, points=points)


def _row(at: str, event: str, kind: str, customer: str, **more: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "")
    return row | {"occurred_at": at, "event_id": event, "type": kind, "customer_id": customer, "country": "UK"} | more


def feed_file(path: Path, *rows: dict[str, str]) -> Path:
    """Write rows as a feed's file."""
    text = "".join(",".join(row[column] for column in COLUMNS) + "\n" for row in rows)
    path.write_text(",".join(COLUMNS) + "\n" + text, encoding="utf-8")
    return path
