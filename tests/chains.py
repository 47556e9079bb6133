"""The hash chain of an account, recomputed from the rows of the database alone."""

from __future__ import annotations

from ledger import chain
from ledger.models import Account
from ledger.rows import read_rows


def recomputed(account: Account) -> list[tuple[int, bytes]]:
    """(seq, hash) of each entry, each computed over the hash computed before it."""
    rows = read_rows([account.pk])
    made = {lot.pk: lot.as_made() for lot in rows.lots[account.pk]}
    hashes = []
    previous = chain.GENESIS
    for facts in rows.facts(account.pk, made):
        entry, version = facts.draft, facts.hash_version
        previous = chain.entry_hash(previous, entry, entry.parts(version), version=version)
        hashes.append((entry.seq, previous))
    return hashes
