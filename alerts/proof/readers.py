"""Who reads a proof, and what is kept from them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader may see; the least, unless said otherwise.

    `sees_addresses`: whole addresses, as whoever may look at contacts sees them there anyway. Others get enough of one
    to recognise it: a sheet is printed and handed on. `sees_staff`: who of the staff did something, and what they noted
    for each other. A member's own copy says that staff did it, and no more.
    """

    sees_addresses: bool = False
    sees_staff: bool = False

    def address(self, address: str) -> str:
        """The address, whole or masked."""
        return address if self.sees_addresses else masked(address)

    def actor(self, stored: str) -> str:
        """Who did it, as `ledger.actors` writes it: `staff:3`, or only the part that is nobody's name."""
        return stored if self.sees_staff else stored.partition(":")[0]

    def note(self, text: str) -> str:
        """What staff noted for each other."""
        return text if self.sees_staff else ""


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else can use: `m***@example.com`, `+82***5678`."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***@{host}" if at else f"{address[:3]}***{address[-4:]}"
