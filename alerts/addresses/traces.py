"""What may be kept of an address that is gone: a keyed hash, which finds it again and cannot be read back."""

from __future__ import annotations

from django.db import connection
from django.utils.crypto import salted_hmac

MARK = "hash:"  # no address begins like this


def trace(address: str) -> str:
    """64 hexadecimal digits, the same for each spelling in capitals; made with SECRET_KEY, so they change with it."""
    return salted_hmac("alerts.addresses.traces", address.lower(), algorithm="sha256").hexdigest()


def marked(address: str) -> str:
    """The trace as it stands in the place of an address."""
    return f"{MARK}{trace(address)}"


def hold(address: str) -> None:
    """Until the end of the transaction nobody else enters or erases this address, or sends a code to it.

    An address that nobody has entered yet has no row to lock. Only the trace goes to the database, and into its logs.
    """
    hold_trace(trace(address))


def hold_trace(found: str) -> None:
    """The same for an address of which only the trace is known."""
    assert connection.in_atomic_block, "without a transaction the lock would be gone at once"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [found])
