"""What providers report: verified first, stored as it came, but without addresses, and answered at once.
`receipts.match` reads the rows later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerts import masking
from alerts.channels import TRANSPORTS, Hook, Report, reading
from alerts.errors import BadInput, UnknownTransport
from alerts.models import ProviderEvent

MOST_BYTES = 1_000_000  # of a body; the largest report of a provider has a thousand messages


def receive(*, transport: str, headers: Mapping[str, str], body: bytes, now: datetime, query: str = "") -> int:
    """Store the events of a report, each once however often it comes; returns how many were new.

    `query` is the request's, without the question mark. Raises UnknownTransport, BadSignature, BadInput; then nothing
    is stored, not even the good part of a report.
    """
    if transport not in TRANSPORTS:
        raise UnknownTransport(field="transport")
    if len(body) > MOST_BYTES:
        raise BadInput(f"more than {MOST_BYTES} bytes", field="body")
    hook = Hook({name.lower(): value for name, value in headers.items()}, body, query)
    rows = [_row(transport, report, now) for report in TRANSPORTS[transport].reports(hook)]
    before = set(
        ProviderEvent.objects.filter(transport=transport, event_key__in=[row.event_key for row in rows]).values_list(
            "event_key", flat=True
        )
    )
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    return len({row.event_key for row in rows} - before)


def _row(transport: str, report: Report, now: datetime) -> ProviderEvent:
    if "\x00" in report.raw or "\\u0000" in report.raw:
        raise BadInput("a zero byte cannot be stored", field="body")
    return ProviderEvent(
        transport=transport,
        event_key=reading.mended(report.event_key),
        kind=report.kind.value,
        provider_id=reading.mended(report.provider_id)[:100],
        our_key=report.key,
        # A clock that runs ahead, or a time that was made up, must not put an event into the future.
        occurred_at=min(report.at, now) if report.at else now,
        received_at=now,
        raw=masking.without_addresses(reading.mended(report.raw)),
    )
