"""The hash chain: every field counts, nothing reads as something else, and the same content has the same hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.allocation import LotState
from ledger.chain import (
    GENESIS,
    HASH_VERSION,
    allocation_part,
    closure_part,
    entry_hash,
    hold_part,
    made_part,
    move_part,
    notice_part,
)
from ledger.models import Account, Entry
from tests import builders
from tests.chains import recomputed

NOON = datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
APRIL = datetime(2026, 3, 31, 15, 0, tzinfo=UTC)


@dataclass
class Content:
    account_id: int = 7
    seq: int = 3
    kind: str = "grant"
    amount: int = 100
    debt_delta: int = 0
    balance_after: int = 150
    debt_after: int = 0
    written_off: int = 0
    key: str | None = "feed:1"
    body_hash: bytes | None = b"\x01" * 32
    actor: str = "feed"
    reason: str = ""
    reference: str = "order 1"
    undoes_seq: int | None = None
    asked: int | None = None
    available: int | None = None
    effective_at: datetime = NOON
    recorded_at: datetime = NOON


def made(number, family_seq, policy_id, origin, granted, spendable_at, expires_at, notice_days, notice_slack):
    """A lot as its entry made it, named by what the hash covers."""
    return made_part(
        LotState(
            seq=5,
            number=number,
            family_seq=family_seq,
            policy_id=policy_id,
            origin=origin,
            granted=granted,
            remaining=0,
            spendable_at=spendable_at,
            expires_at=expires_at,
            notice_days=notice_days,
            notice_slack=notice_slack,
        )
    )


MADE = made(0, 3, 1, "purchase", 100, NOON, APRIL, 0, 0)
GIVEN = allocation_part(3, 0, 100, None)
PARTS = [MADE, GIVEN]

# The values of the versions of the hash; if one changes, every chain that exists stops adding up.
GOLDEN_1 = "8b16843d8be61a764033c279848c06205b6edcd699c58315e0484b72adf7de5f"
GOLDEN_2 = "24940fcd50322bfe2698d2d9c91a5a5459e1270fa28793175266903a460e536d"


def hashed(content: Content | None = None, parts=PARTS, previous: bytes = GENESIS, version=HASH_VERSION) -> str:
    return entry_hash(previous, content or Content(), parts, version=version).hex()


def test_the_hash_of_a_known_entry_is_the_known_value():
    assert HASH_VERSION == 2
    assert hashed() == GOLDEN_2


def test_an_entry_of_the_first_version_still_has_the_value_it_had_then():
    assert hashed(parts=[MADE, allocation_part(3, 0, 100, None, version=1)], version=1) == GOLDEN_1
    assert hashed(replace(Content(), written_off=5), parts=[MADE, ("allocation", 3, 0, 100)], version=1) == GOLDEN_1


def test_the_hash_is_that_of_length_prefixed_fields_behind_the_previous_hash():
    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    def row(*fields: bytes) -> bytes:
        return sized(b"".join(sized(field) for field in fields))

    noon, april = b"t2025-03-10T03:00:00.000000+00:00", b"t2026-03-31T15:00:00.000000+00:00"
    entry = row(
        *(b"i2", b"i7", b"i3", b"sgrant", b"i100", b"i0", b"i150", b"i0", b"sfeed:1", b"x" + b"\x01" * 32),
        *(b"sfeed", b"s", b"sorder 1", b"", b"", b"", noon, noon, b"i0"),
    )
    made = row(b"slot", b"i0", b"i3", b"i1", b"spurchase", b"i100", noon, april, b"i0", b"i0")
    given = row(b"sallocation", b"i3", b"i0", b"i100", b"")
    assert hashed() == hashlib.sha256(bytes(32) + entry + made + given).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": 8},
        {"seq": 4},
        {"kind": "redeem"},
        {"amount": -100},
        {"amount": 101},
        {"debt_delta": 1},
        {"balance_after": 151},
        {"debt_after": 1},
        {"written_off": 1},
        {"key": "feed:2"},
        {"key": ""},
        {"key": None},
        {"body_hash": b"\x02" * 32},
        {"body_hash": None},
        {"body_hash": b""},
        {"actor": "api"},
        {"reason": "because"},
        {"reference": "order 2"},
        {"undoes_seq": 0},
        {"asked": 0},
        {"available": 0},
        {"effective_at": NOON - timedelta(microseconds=1)},
        {"recorded_at": NOON + timedelta(microseconds=1)},
    ],
    ids=lambda change: "-".join(f"{field}={value!r:.8}" for field, value in change.items()),
)
def test_a_change_of_any_field_changes_the_hash(change):
    assert hashed(replace(Content(), **change)) != hashed()


def test_every_field_of_the_content_is_covered_by_the_test_above():
    fields = set(Content.__dataclass_fields__)
    stored = {field.attname for field in Entry._meta.concrete_fields}
    # What is not hashed: the row's own id, the programme (it follows from the account), and the hash itself.
    assert stored - fields == {"id", "programme_id", "hash", "hash_version"}


@pytest.mark.parametrize("field", ["key", "body_hash", "undoes_seq", "asked", "available"])
def test_nothing_differs_from_an_empty_value_and_from_zero(field):
    values: dict = {"key": "", "body_hash": b""}
    nothing, empty = Content(), Content()
    setattr(nothing, field, None)
    setattr(empty, field, values.get(field, 0))
    assert hashed(nothing) != hashed(empty)


def test_fields_cannot_flow_into_each_other():
    one = hashed(replace(Content(), actor="ab", reason="c"))
    other = hashed(replace(Content(), actor="a", reason="bc"))
    assert one != other


def test_the_same_instant_in_another_zone_hashes_the_same():
    there = NOON.astimezone(ZoneInfo("Asia/Seoul"))
    assert hashed(replace(Content(), effective_at=there, recorded_at=there)) == hashed()


def test_a_number_and_its_digits_hash_differently():
    assert hashed(parts=[("part", 1)]) != hashed(parts=[("part", "1")])
    assert hashed(parts=[("part", "1")]) != hashed(parts=[("part", b"1")])
    assert hashed(parts=[("part", date(2025, 3, 10))]) != hashed(parts=[("part", "2025-03-10")])


def test_another_previous_hash_gives_another_hash():
    assert hashed(previous=b"\x01" * 32) != hashed()


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [MADE],
        [GIVEN],
        [GIVEN, MADE],
        [MADE, GIVEN, GIVEN],
        [MADE, allocation_part(3, 0, 99, None)],
        [MADE, allocation_part(3, 1, 100, None)],
        [MADE, allocation_part(2, 0, 100, None)],
        [MADE, allocation_part(3, 0, 100, APRIL)],
        [made(1, 3, 1, "purchase", 100, NOON, APRIL, 0, 0), GIVEN],
        [made(0, 2, 1, "purchase", 100, NOON, APRIL, 0, 0), GIVEN],
        [made(0, 3, 2, "purchase", 100, NOON, APRIL, 0, 0), GIVEN],
        [made(0, 3, 1, "promotion", 100, NOON, APRIL, 0, 0), GIVEN],
        [made(0, 3, 1, "purchase", 101, NOON, APRIL, 0, 0), GIVEN],
        [made(0, 3, 1, "purchase", 100, APRIL, APRIL, 0, 0), GIVEN],
        [made(0, 3, 1, "purchase", 100, NOON, None, 0, 0), GIVEN],
        [made(0, 3, 1, "purchase", 100, NOON, APRIL, 30, 0), GIVEN],
        [made(0, 3, 1, "purchase", 100, NOON, APRIL, 0, 3), GIVEN],
    ],
)
def test_a_change_of_any_part_changes_the_hash(parts):
    assert hashed(parts=parts) != hashed()


def test_extensions_and_notices_are_covered_field_by_field():
    day = date(2026, 3, 31)
    moved = move_part(3, 0, NOON, APRIL, None, None)
    told = notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:1", [(3, 0), (4, 0)], "")
    others = [
        move_part(4, 0, NOON, APRIL, None, None),
        move_part(3, 1, NOON, APRIL, None, None),
        move_part(3, 0, None, APRIL, None, None),
        move_part(3, 0, NOON, None, None, None),
        move_part(3, 0, NOON, APRIL, NOON, APRIL),
        move_part(3, 0, NOON, APRIL, APRIL, APRIL),
        move_part(3, 0, NOON, APRIL, NOON, NOON),
        hold_part(NOON),
        hold_part(APRIL),
        closure_part(NOON, 5),
        closure_part(NOON, 6),
        closure_part(APRIL, 5),
        notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:1", [(3, 0), (4, 0)], "opted_out"),
        notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:1", [(3, 0), (4, 0)], "no_contact"),
        notice_part(NOON, day, date(2026, 2, 1), "email", "delivery:1", [(3, 0), (4, 0)], ""),
        notice_part(APRIL, date(2026, 3, 30), date(2026, 2, 1), "email", "delivery:1", [(3, 0), (4, 0)], ""),
        notice_part(APRIL, day, date(2026, 2, 2), "email", "delivery:1", [(3, 0), (4, 0)], ""),
        notice_part(APRIL, day, date(2026, 2, 1), "sms", "delivery:1", [(3, 0), (4, 0)], ""),
        notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:2", [(3, 0), (4, 0)], ""),
        notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:1", [(3, 0)], ""),
        notice_part(APRIL, day, date(2026, 2, 1), "email", "delivery:1", [(34, 0), (0, 0)], ""),
    ]
    hashes = {hashed(parts=[part]) for part in [moved, told, *others]}
    assert len(hashes) == 2 + len(others)


@pytest.mark.django_db
def test_the_chain_of_an_account_with_every_kind_recomputes_from_its_rows():
    programme = builders.byeol(count=2)
    minji = builders.minji(programme)
    first = builders.grant(minji, 100, key="feed:1")
    lot = builders.lot_of(first)
    builders.redeem(minji, 30, now=builders.NOW + builders.days(1))
    builders.extend(minji, [lot.pk], date(2025, 7, 31), now=builders.NOW + builders.days(2))
    builders.tell(minji, [lot.pk], told_on=date(2025, 6, 20), now=builders.NOW + builders.days(110))
    builders.grant(minji, 5, now=builders.NOW + builders.days(120), origin=builders.Origin.COMPENSATION)
    builders.redeem(minji, 5, now=builders.NOW + builders.days(150), reference="order 2")  # the first lot has expired
    builders.clawback(minji, 60, now=builders.NOW + builders.days(151))
    builders.clawback(minji, 1, now=builders.NOW + builders.days(151), undoes="feed:1", reason="returned")
    builders.grant(minji, 100, now=builders.NOW + builders.days(152))
    kinds = [entry.kind for entry in Entry.objects.filter(account=minji).order_by("seq")]
    assert kinds == [
        *("grant", "redeem", "extend", "notify", "grant", "expire", "redeem", "clawback", "clawback", "grant"),
        "settle",
    ]
    entries = Entry.objects.filter(account=minji).order_by("seq")
    assert [hash_ for _, hash_ in recomputed(minji)] == [bytes(entry.hash) for entry in entries]
    assert recomputed(minji)[-1][1] == bytes(Account.objects.get(pk=minji.pk).head_hash)


@pytest.mark.django_db
def test_an_account_without_entries_has_the_genesis_hash(minji):
    assert bytes(minji.head_hash) == GENESIS == bytes(32)
