"""The hash chain of an account: every entry's hash covers its whole content and the hash before it.

Purely computed, so that the auditor recomputes with the very same function from the rows of the database.
Each field is preceded by its length, so that no two different contents read the same. A lot is named by
the `seq` of the entry that made it and its number there, never by a row id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from struct import Struct
from types import NoneType
from typing import Any, Protocol, TypeAlias

from ledger.allocation import LotState

HASH_VERSION = 2  # 1 knew no written-off points and no date of points that came back; such entries still verify
GENESIS = b"\0" * 32  # the hash before an account's first entry

# What can be hashed; None differs from an empty text.
Field: TypeAlias = int | str | bytes | memoryview | datetime | date | None


class Content(Protocol):
    """The fields of an entry that its hash covers; a draft and a row of the database both have them."""

    account_id: int
    seq: int

    @property
    def kind(self) -> str: ...
    @property
    def body_hash(self) -> bytes | memoryview | None: ...

    amount: int
    debt_delta: int
    balance_after: int
    debt_after: int
    written_off: int
    key: str | None
    actor: str
    reason: str
    reference: str
    undoes_seq: int | None
    asked: int | None
    available: int | None
    effective_at: datetime
    recorded_at: datetime


def entry_hash(
    previous: bytes, entry: Content, parts: Iterable[Iterable[Field]], *, version: int = HASH_VERSION
) -> bytes:
    """SHA-256 over the previous hash, the entry's fields and its parts, as `version` of the hash has them.

    `parts` are what the entry did, each as a row of fields that begins with its own name: the lots it
    made, its allocations, extensions and notice, as `made_part` and its sisters below build them.
    """
    digest = hashlib.sha256(previous)
    rows: list[Iterable[Field]] = [
        (
            version,
            entry.account_id,
            entry.seq,
            str(entry.kind),
            entry.amount,
            entry.debt_delta,
            entry.balance_after,
            entry.debt_after,
            entry.key,
            entry.body_hash,
            entry.actor,
            entry.reason,
            entry.reference,
            entry.undoes_seq,
            entry.asked,
            entry.available,
            entry.effective_at,
            entry.recorded_at,
            *((entry.written_off,) if version > 1 else ()),
        ),
        *parts,
    ]
    digest.update(b"".join(_sized(_encoded(row)) for row in rows))
    return digest.digest()


def made_part(lot: LotState) -> tuple[Field, ...]:
    """A lot that the entry made, with the dates it had when it was made."""
    return (
        "lot",
        lot.number,
        lot.family_seq,
        lot.policy_id,
        lot.origin,
        lot.granted,
        lot.spendable_at,
        lot.expires_at,
        lot.notice_days,
        lot.notice_slack,
    )


def allocation_part(
    lot_seq: int, lot_number: int, delta: int, until: datetime | None, *, version: int = HASH_VERSION
) -> tuple[Field, ...]:
    """Points that the entry took from a lot (negative) or gave to it; `until`: the date of those that came back."""
    part = ("allocation", lot_seq, lot_number, delta)
    return (*part, until) if version > 1 else part


def move_part(
    lot_seq: int,
    lot_number: int,
    was: datetime | None,
    until: datetime | None,
    spendable_was: datetime | None,
    spendable_until: datetime | None,
) -> tuple[Field, ...]:
    """A date that the entry moved; of a postponed promise with the instant of spending."""
    if spendable_until is None:
        return ("extension", lot_seq, lot_number, was, until)
    return ("postponement", lot_seq, lot_number, was, until, spendable_was, spendable_until)


def hold_part(lapses_at: datetime) -> tuple[Field, ...]:
    """When the hold that the entry made lapses."""
    return ("hold", lapses_at)


def closure_part(closes_at: datetime, points: int) -> tuple[Field, ...]:
    """When the account is to end, and how many points the member was told would go."""
    return ("closure", closes_at, points)


def notice_part(
    expires_at: datetime,
    expires_on: date,
    told_on: date,
    channel: str,
    evidence: str,
    lots: Iterable[tuple[int, int]],
    waiver: str,
) -> tuple[Field, ...]:
    """A notice that the entry recorded, with the (seq, number) of the lots it names, or a waiver of one."""
    named = ",".join(f"{seq}.{number}" for seq, number in lots)
    part = ("notice", expires_at, expires_on, told_on, channel, evidence, named)
    return (*part, waiver) if waiver else part


def _encoded(row: Iterable[Field]) -> bytes:
    return b"".join([_sized(_coder(field)(field)) for field in row])


def _sized(data: bytes) -> bytes:
    return _LENGTH(len(data)) + data


def _of_datetime(field: datetime) -> bytes:
    return b"t" + field.astimezone(UTC).isoformat(timespec="microseconds").encode()


_LENGTH = Struct(">I").pack

# A datetime is a date as well, so it stands before.
_CODERS: dict[type, Callable[[Any], bytes]] = {
    NoneType: lambda _: b"",
    bytes: lambda field: b"x" + field,
    memoryview: lambda field: b"x" + bytes(field),
    int: lambda field: b"i%d" % field,
    datetime: _of_datetime,
    date: lambda field: b"d" + field.isoformat().encode(),
    str: lambda field: b"s" + field.encode(),
}


_BASES = tuple(_CODERS.items())  # apart: what one thread looks through must not grow under another


def _coder(field: Field) -> Callable[[Any], bytes]:
    kind = type(field)
    if kind not in _CODERS:  # a text of another class is coded as a text
        _CODERS[kind] = next(coder for base, coder in _BASES if issubclass(kind, base))
    return _CODERS[kind]
