"""Seals: a signed line under what every account was, so that nobody rewrites the past unseen, its owner included.

An account's hash chain shows a change only to somebody who remembers its head. A seal remembers: it covers every
account that moved since its last leaf. Which those are is found by comparing all accounts with their last leaves,
never by how far an id has come: a transaction that commits late would be missed for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction
from psycopg import errors as pg

from ledger import sealing
from ledger.checking import Finding
from ledger.inputs import check_instant
from ledger.models import Seal, SealLeaf

LEAVES_AT_ONCE = 5_000
SEALS_AT_ONCE = 500
LAW = 13

logger = logging.getLogger(__name__)

# Who waited longest for a leaf comes first, so that a bound leaves nobody behind for ever.
_MOVED = """
    INSERT INTO ledger_sealleaf (seal_id, account_id, programme_id, member_id, seq, head_hash)
    SELECT %(number)s, a.id, a.programme_id, a.member_id, a.seq, a.head_hash
      FROM ledger_account a
      LEFT JOIN LATERAL (
             SELECT l.seal_id, l.programme_id, l.member_id, l.seq
               FROM ledger_sealleaf l
              WHERE l.account_id = a.id
              ORDER BY l.seal_id DESC
              LIMIT 1) last ON true
     WHERE (a.seq, a.programme_id, a.member_id) IS DISTINCT FROM (last.seq, last.programme_id, last.member_id)
       AND (a.seq > 0 OR last.seq IS NOT NULL)
     ORDER BY last.seal_id NULLS FIRST, a.id
     LIMIT %(most)s"""

_LEAVES = """
    SELECT l.seal_id, l.account_id, l.programme_id, l.member_id, l.seq, l.head_hash,
           a.programme_id, a.member_id, a.seq, e.hash
      FROM ledger_sealleaf l
      LEFT JOIN ledger_account a ON a.id = l.account_id
      LEFT JOIN ledger_entry e ON e.account_id = l.account_id AND e.seq = l.seq
     WHERE (l.seal_id, l.account_id) > (%(seal)s, %(account)s) AND l.seal_id <= %(last)s
     ORDER BY l.seal_id, l.account_id
     LIMIT %(most)s"""

_LEAVES_WITHOUT_A_SEAL = """
    SELECT DISTINCT l.seal_id
      FROM ledger_sealleaf l
     WHERE l.seal_id > %(last)s AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.number = l.seal_id)
     ORDER BY l.seal_id"""


def seal(*, now: datetime, most: int | None = None) -> Seal | None:
    """Seal every account that moved since its last leaf, or the `most` that waited longest; None if none did.

    Opens the outermost transaction itself, and locks no account. Of several sealers at once one goes ahead; who waits
    for it longer than the connection's `lock_timeout` leaves it the work and gets None. Raises ImproperlyConfigured
    without a SEAL_KEY.
    """
    private = settings.SEAL_KEY
    if not private:
        raise ImproperlyConfigured("SEAL_KEY is not set: nothing can be sealed without a key to sign with")
    check_instant(now, field="now")
    try:
        with _alone_in_one_snapshot():
            made = _seal(private, now, most)
    except OperationalError as error:
        if isinstance(error.__cause__, pg.LockNotAvailable):
            return None
        raise
    if made:
        # The log is outside of the database: who compares it sees that the newest seals were taken away.
        logger.info("seal %d of %d accounts: %s", made.number, made.accounts, bytes(made.hash).hex())
    return made


@contextmanager
def _alone_in_one_snapshot() -> Iterator[None]:
    """No other sealer is at work, and all that is read inside is of one moment after that is so.

    LOCK TABLE takes no snapshot: the first statement after it does, and so sees the seal of whom it waited for. Whoever
    only looks waits for nobody.
    """
    joins = connection.in_atomic_block  # that of a test: it has read already, and keeps its own isolation
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            if not joins:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("LOCK TABLE ledger_seal IN SHARE ROW EXCLUSIVE MODE")
        yield


def _seal(private: bytes, now: datetime, most: int | None) -> Seal | None:
    """The leaves first, by the seal's number: the key between them is checked at commit, and a seal is never edited."""
    previous = newest()
    number = previous.number + 1 if previous else 1
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"number": number, "most": most})
        if not cursor.rowcount:
            return None
    rows = SealLeaf.objects.filter(seal=number).order_by("account_id")
    fields = rows.values_list("account_id", "programme_id", "member_id", "seq", "head_hash")
    tree = sealing.Tree(sealing.leaf_hash(*leaf) for leaf in fields.iterator(chunk_size=LEAVES_AT_ONCE))
    made = Seal(
        number=number,
        sealed_at=max(now, previous.sealed_at) if previous else now,
        accounts=tree.leaves,
        root=tree.root(),
        previous_hash=bytes(previous.hash) if previous else sealing.NO_SEAL,
        key_id=sealing.key_id(sealing.public_key(private)),
    )
    made.hash = sealing.seal_hash(made)
    made.signature = sealing.sign(made, private)
    made.save(force_insert=True)
    return made


def known_keys() -> dict[str, bytes]:
    """The public keys that a seal may be signed with, by their names: the present one and the retired ones."""
    present = [sealing.public_key(settings.SEAL_KEY)] if settings.SEAL_KEY else []
    return {sealing.key_id(public): public for public in (*present, *settings.SEAL_PUBLIC_KEYS)}


@dataclass(slots=True)
class _Line:
    """How far the line of seals was followed."""

    number: int = 0
    hash: bytes = sealing.NO_SEAL
    sealed_at: datetime | None = None


class _Leaf(NamedTuple):
    """A leaf, and beside it the account and the entry as they are now; None where there is none."""

    seal_id: int
    account_id: int
    programme_id: int
    member_id: int
    seq: int
    head_hash: bytes
    programme_now: int | None
    member_now: int | None
    seq_now: int | None
    hash_now: bytes | None


def verify(
    *, noted: Mapping[int, bytes] | None = None, progress: Callable[[int], object] = lambda n: None
) -> Iterator[Finding]:
    """Check all seals and what they cover against the ledger as it is; yields findings of law 13 as they are found.

    Signatures, numbers, the line of hashes, roots, and each leaf against its account and entry. What an entry's hash
    covers is the audit's. `noted`: hashes of seals by number that somebody kept elsewhere: only so it shows that the
    newest seals were taken away. `progress` is told how many leaves were gone through.
    """
    keys = known_keys()
    waiting = dict(noted or {})
    line = _Line()
    while seals := list(Seal.objects.filter(number__gt=line.number).order_by("number")[:SEALS_AT_ONCE]):
        leaves = groupby(_leaves(line.number, seals[-1].number), key=lambda leaf: leaf.seal_id)
        group = next(leaves, None)
        for checked in seals:
            while group and group[0] < checked.number:  # of a seal that is gone: the gap in the numbers says so
                group = next(leaves, None)
            yield from _check_line(checked, line, waiting.pop(checked.number, None))
            yield from _check_signature(checked, keys)
            yield from _check_leaves(checked, group[1] if group and group[0] == checked.number else iter(()))
            line.number, line.hash, line.sealed_at = checked.number, bytes(checked.hash), checked.sealed_at
            progress(checked.accounts)
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_WITHOUT_A_SEAL, {"last": line.number})
        for (number,) in cursor:
            yield _finding(number, "it is gone, and its leaves are there")
    for number in sorted(waiting):
        yield _finding(number, "it was noted elsewhere and is gone")


def newest() -> Seal | None:
    """The last seal that was made."""
    return Seal.objects.order_by("number").last()


def _leaves(after: int, last: int) -> Iterator[_Leaf]:
    """The leaves of the seals after one and up to another, by seal and account, a bounded number in memory."""
    seal, account = after, 2**63 - 1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_LEAVES, {"seal": seal, "account": account, "last": last, "most": LEAVES_AT_ONCE})
            page = cursor.fetchall()
        yield from map(_Leaf._make, page)
        if len(page) < LEAVES_AT_ONCE:
            return
        seal, account = page[-1][0], page[-1][1]


def _check_line(seal: Seal, line: _Line, noted: bytes | None) -> Iterator[Finding]:
    """It is the next in the line, and the one that was noted under its number."""
    if seal.number > line.number + 1:
        yield _finding(line.number + 1, f"it and all before seal {seal.number} are gone")
    elif bytes(seal.previous_hash) != line.hash:
        yield _finding(seal.number, "it does not name the seal before it")
    if line.sealed_at and seal.sealed_at < line.sealed_at:
        yield _finding(seal.number, "it is earlier than the seal before it")
    if noted is not None and bytes(seal.hash) != noted:
        yield _finding(seal.number, "it is not the one that was noted elsewhere")


def _check_signature(seal: Seal, keys: Mapping[str, bytes]) -> Iterator[Finding]:
    if sealing.seal_hash(seal) != bytes(seal.hash):
        yield _finding(seal.number, "its hash is not that of its content")
    public = keys.get(seal.key_id)
    if public is None:
        yield _finding(seal.number, f"it is signed with the key {seal.key_id}, which SEAL_PUBLIC_KEYS does not know")
    elif not sealing.is_signed(seal, seal.signature, public):
        yield _finding(seal.number, "its signature is not of its content")


def _check_leaves(seal: Seal, leaves: Iterator[_Leaf]) -> Iterator[Finding]:
    """They make the seal's root, and each is what the ledger still says."""
    tree = sealing.Tree()
    for leaf in leaves:
        tree.add(sealing.leaf_hash(leaf.account_id, leaf.programme_id, leaf.member_id, leaf.seq, leaf.head_hash))
        if what := _differs(leaf):
            yield _finding(seal.number, what, leaf)
    if tree.leaves != seal.accounts:
        yield _finding(seal.number, f"it covers {seal.accounts} accounts and has {tree.leaves} leaves")
    elif tree.root() != bytes(seal.root):
        yield _finding(seal.number, "its leaves do not make its root")


def _differs(leaf: _Leaf) -> str:
    """What the ledger says otherwise than the leaf, or nothing."""
    if leaf.seq_now is None:
        return "it covers this account, which is gone"
    if (leaf.programme_now, leaf.member_now) != (leaf.programme_id, leaf.member_id):
        then = f"member {leaf.member_id} of programme {leaf.programme_id}"
        return f"the account was that of {then}, and now is that of {leaf.member_now} of {leaf.programme_now}"
    if leaf.seq and leaf.hash_now is None:
        return "it covers this entry, which is gone"
    if leaf.seq and bytes(leaf.hash_now or b"") != bytes(leaf.head_hash):
        return "the entry is not the one that it covers"
    if leaf.seq_now < leaf.seq:
        return f"the account says that it has {leaf.seq_now} entries only"
    return ""


def _finding(number: int, what: str, leaf: _Leaf | None = None) -> Finding:
    return Finding(LAW, leaf.account_id if leaf else None, leaf.seq if leaf else None, f"seal {number}: {what}")
