"""What a seal is made of: leaves, their Merkle root, the bytes that are signed, and the signature. Pure.

A leaf's hash and a node's begin with different bytes, so that no node can be passed off as a leaf, and a tree of n
leaves has one shape only, that of RFC 6962: no leaf is counted twice to fill a row up.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NO_SEAL = b"\0" * 32  # the hash before the first seal
PURPOSE = b"pointkeep seal 1"  # what is signed says what it is, and in which version: the key may sign nothing else

_LEAF = struct.Struct(">cqqqq")


class Statement(Protocol):
    """What a seal states; its hash and its signature are over all of it."""

    number: int
    sealed_at: datetime
    accounts: int
    key_id: str

    @property
    def root(self) -> bytes | memoryview: ...
    @property
    def previous_hash(self) -> bytes | memoryview: ...


def leaf_hash(account_id: int, programme_id: int, member_id: int, seq: int, head_hash: bytes | memoryview) -> bytes:
    """SHA-256 over an account: whose it is, how many entries it has, and the hash of the last (32 bytes)."""
    return hashlib.sha256(_LEAF.pack(b"\0", account_id, programme_id, member_id, seq) + head_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over two hashes of leaves or nodes."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A row of leaves that grows at its end. It holds one hash per level, however many leaves there are."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.leaves = 0
        self._full: list[bytes] = []  # the roots of the full subtrees from the left, the largest first
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        """Put the hash of one more leaf at the end."""
        joins = self.leaves
        while joins & 1:  # two subtrees of the same size become one, as a carry does when counting
            leaf = node_hash(self._full.pop(), leaf)
            joins >>= 1
        self._full.append(leaf)
        self.leaves += 1

    def root(self) -> bytes:
        """The root over all leaves so far. Raises ValueError when there is none: nothing is sealed by nothing."""
        if not self._full:
            raise ValueError("a tree without leaves has no root")
        *rest, root = self._full
        for left in reversed(rest):
            root = node_hash(left, root)
        return root


def signed_bytes(seal: Statement) -> bytes:
    """What the signature and the hash of a seal are over: each field behind its length, in this order."""
    fields = (
        PURPOSE,
        b"%d" % seal.number,
        seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds").encode(),
        b"%d" % seal.accounts,
        bytes(seal.root),
        bytes(seal.previous_hash),
        seal.key_id.encode(),
    )
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def seal_hash(seal: Statement) -> bytes:
    """By which the next seal names this one."""
    return hashlib.sha256(signed_bytes(seal)).digest()


def public_key(private: bytes) -> bytes:
    """The public Ed25519 key (32 bytes) of a private one (32 bytes)."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """The name of a public key: the first sixteen hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def as_text(key: bytes) -> str:
    """A key as the settings have it."""
    return base64.b64encode(key).decode()


def sign(seal: Statement, private: bytes) -> bytes:
    """The Ed25519 signature (64 bytes) of what the seal states."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(signed_bytes(seal))


def is_signed(seal: Statement, signature: bytes | memoryview, public: bytes) -> bool:
    """Whether the signature is this key's and of exactly what the seal states."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(signature), signed_bytes(seal))
    except (InvalidSignature, ValueError):
        return False
    return True
