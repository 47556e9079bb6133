"""What a seal is made of: known values, one shape of a tree, and a signature over every field."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger import sealing

NOON = datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
PRIVATE = bytes(range(32))
OTHER = bytes(range(1, 33))


@dataclass
class Statement:
    number: int = 7
    sealed_at: datetime = NOON
    accounts: int = 3
    root: bytes = b"\x01" * 32
    previous_hash: bytes = b"\x02" * 32
    key_id: str = "56475aa75463474c"


# The values of the first version; if one changes, no seal that exists verifies any more.
LEAF = "098452c36b6c1f3c0dc03bc1fb7b140ed6e9a2d15296979ccb80b4494b05d5d9"
ROOT_OF_THREE = "efd329c56969e3b08d0a195f9bba65b649c95c5ee40abed70295ff45e32ec864"
HASH = "bd5d90331988005bd160abed1b8619e9fad669367ad5eeeccb1b9625b743738b"
SIGNATURE = (
    "2b03b15603fa8f58886591ac964e413981ea5dcd5e56cfae2190c392fc2110af"
    "c8e6678f4ee1ac8ccdca6e504bec1beb5e9840387d1304e5d626960b882cb200"
)


def leaves(n: int) -> list[bytes]:
    return [sealing.leaf_hash(account, 1, account, 5, bytes(32)) for account in range(n)]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def root_by_the_book(row: list[bytes]) -> bytes:
    """RFC 6962, section 2.1: the left part is the largest power of two below the number of leaves."""
    if len(row) == 1:
        return row[0]
    left = 1
    while left * 2 < len(row):
        left *= 2
    return sha256(b"\x01" + root_by_the_book(row[:left]) + root_by_the_book(row[left:]))


def test_a_known_leaf_has_the_known_hash():
    assert sealing.leaf_hash(7, 1, 9, 3, b"\xaa" * 32).hex() == LEAF


def test_a_leaf_is_hashed_over_its_numbers_in_eight_bytes_each_and_the_head():
    numbers = b"".join(n.to_bytes(8, "big") for n in (7, 1, 9, 3))
    assert sealing.leaf_hash(7, 1, 9, 3, b"\xaa" * 32) == sha256(b"\x00" + numbers + b"\xaa" * 32)
    assert sealing.leaf_hash(7, 1, 9, 3, memoryview(b"\xaa" * 32)).hex() == LEAF


@pytest.mark.parametrize(
    "other",
    [
        (8, 1, 9, 3, b"\xaa" * 32),
        (7, 2, 9, 3, b"\xaa" * 32),
        (7, 1, 8, 3, b"\xaa" * 32),
        (7, 1, 9, 4, b"\xaa" * 32),
        (7, 1, 9, 3, b"\xab" * 32),
    ],
)
def test_a_change_of_any_field_changes_the_leaf(other):
    assert sealing.leaf_hash(*other).hex() != LEAF


@pytest.mark.parametrize("n", [*range(1, 34), 63, 64, 65, 1000])
def test_the_root_is_that_of_the_book_for_any_number_of_leaves(n):
    tree = sealing.Tree(leaves(n))
    assert (tree.leaves, tree.root()) == (n, root_by_the_book(leaves(n)))


def test_the_root_of_three_known_leaves_is_the_known_value():
    assert sealing.Tree(leaves(3)).root().hex() == ROOT_OF_THREE


def test_a_tree_can_be_asked_on_the_way_and_holds_one_hash_per_level():
    tree = sealing.Tree()
    for n, leaf in enumerate(leaves(1000), start=1):
        tree.add(leaf)
        if n in (1, 5, 999):
            assert tree.root() == root_by_the_book(leaves(n))
    assert len(tree._full) == 6  # 1000 = 0b1111101000


def test_a_tree_without_leaves_has_no_root():
    with pytest.raises(ValueError, match="a tree without leaves has no root"):
        sealing.Tree().root()


def test_the_same_leaf_twice_the_other_order_and_one_less_are_other_trees():
    one, two, three = leaves(3)
    roots = [sealing.Tree(row).root() for row in ([one, two, three], [one, two, three, three], [two, one, three])]
    assert len({*roots, sealing.Tree([one, two]).root()}) == 4


def test_a_node_is_never_a_leaf():
    """A leaf made of the two hashes below a node would have the node's hash, were it not for the first byte."""
    one, two = leaves(2)
    assert sealing.node_hash(one, two) == sha256(b"\x01" + one + two) != sha256(b"\x00" + one + two)


def test_the_signed_bytes_are_the_fields_behind_their_lengths():
    fields = [
        *(b"pointkeep seal 1", b"7", b"2025-03-10T03:00:00.000000+00:00", b"3"),
        *(b"\x01" * 32, b"\x02" * 32, b"56475aa75463474c"),
    ]
    assert sealing.signed_bytes(Statement()) == b"".join(len(f).to_bytes(4, "big") + f for f in fields)


def test_a_known_seal_has_the_known_hash_and_the_known_signature():
    assert sealing.seal_hash(Statement()).hex() == HASH
    assert sealing.sign(Statement(), PRIVATE).hex() == SIGNATURE


def test_keys_have_names():
    assert sealing.public_key(PRIVATE).hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert sealing.key_id(sealing.public_key(PRIVATE)) == "56475aa75463474c"
    assert sealing.as_text(bytes(32)) == "A" * 43 + "="


def test_a_signature_holds_for_its_key_alone():
    signature = sealing.sign(Statement(), PRIVATE)
    assert sealing.is_signed(Statement(), signature, sealing.public_key(PRIVATE)) is True
    assert sealing.is_signed(Statement(), memoryview(signature), sealing.public_key(PRIVATE)) is True
    assert sealing.is_signed(Statement(), signature, sealing.public_key(OTHER)) is False


@pytest.mark.parametrize("signature", [b"", b"\x00", bytes(64), bytes(65)])
def test_what_is_no_signature_is_refused(signature):
    assert sealing.is_signed(Statement(), signature, sealing.public_key(PRIVATE)) is False


def test_what_is_no_key_is_refused():
    assert sealing.is_signed(Statement(), sealing.sign(Statement(), PRIVATE), b"short") is False


@pytest.mark.parametrize(
    "change",
    [
        {"number": 8},
        {"sealed_at": NOON + timedelta(microseconds=1)},
        {"accounts": 4},
        {"root": b"\x03" * 32},
        {"previous_hash": b"\x03" * 32},
        {"key_id": "56475aa75463474d"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_field_breaks_the_hash_and_the_signature(change):
    other = replace(Statement(), **change)
    assert sealing.seal_hash(other).hex() != HASH
    assert sealing.is_signed(other, sealing.sign(Statement(), PRIVATE), sealing.public_key(PRIVATE)) is False


def test_the_same_instant_in_another_zone_is_the_same_seal():
    assert sealing.seal_hash(replace(Statement(), sealed_at=NOON.astimezone(ZoneInfo("Asia/Seoul")))).hex() == HASH
