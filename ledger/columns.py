"""The columns that the pen writes, with their types, and the values that drafts, lots and accounts have for them."""

from __future__ import annotations

from typing import Any

from ledger.allocation import LotState
from ledger.book import Book
from ledger.chain import HASH_VERSION
from ledger.drafts import Draft

Values = tuple[Any, ...]

ENTRY = {
    "account_id": "bigint",
    "programme_id": "bigint",
    "seq": "bigint",
    "kind": "text",
    "amount": "bigint",
    "debt_delta": "bigint",
    "written_off": "bigint",
    "balance_after": "bigint",
    "debt_after": "bigint",
    "key": "text",
    "body_hash": "bytea",
    "actor": "text",
    "reason": "text",
    "reference": "text",
    "undoes_seq": "bigint",
    "asked": "bigint",
    "available": "bigint",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
    "hash_version": "smallint",
    "hash": "bytea",
}

LOT = {
    "account_id": "bigint",
    "programme_id": "bigint",
    "seq": "bigint",
    "number": "integer",
    "family_seq": "bigint",
    "policy_id": "bigint",
    "origin": "text",
    "granted": "bigint",
    "remaining": "bigint",
    "open": "boolean",
    "spendable_at": "timestamptz",
    "expires_at": "timestamptz",
    "gated": "boolean",
    "notice_days": "integer",
    "notice_slack": "integer",
    "first_spendable_at": "timestamptz",
    "first_expires_at": "timestamptz",
    "moved_untold": "boolean",
}

# What changes of a lot. Its id goes before.
TOUCHED = {
    "remaining": "bigint",
    "open": "boolean",
    "spendable_at": "timestamptz",
    "expires_at": "timestamptz",
    "gated": "boolean",
    "moved_untold": "boolean",
}

# What changes of an account. Its id and the number of entries that was read go before.
ACCOUNT = {
    "balance": "bigint",
    "debt": "bigint",
    "seq": "bigint",
    "head_hash": "bytea",
    "last_recorded_at": "timestamptz",
    "active_at": "timestamptz",
    "not_before": "timestamptz",
    "lapses_at": "timestamptz",
    "closes_at": "timestamptz",
    "closed": "boolean",
}


def of_entry(d: Draft) -> Values:
    return (
        d.account_id,
        d.programme_id,
        d.seq,
        d.kind.value,
        d.amount,
        d.debt_delta,
        d.written_off,
        d.balance_after,
        d.debt_after,
        d.key,
        d.body_hash,
        d.actor,
        d.reason,
        d.reference,
        d.undoes_seq,
        d.asked,
        d.available,
        d.effective_at,
        d.recorded_at,
        HASH_VERSION,
        d.hash,
    )


def of_lot(d: Draft, lot: LotState) -> Values:
    return (
        d.account_id,
        d.programme_id,
        lot.seq,
        lot.number,
        lot.family_seq,
        lot.policy_id,
        lot.origin,
        lot.granted,
        lot.remaining,
        lot.remaining > 0,
        lot.spendable_at,
        lot.expires_at,
        lot.gated,
        lot.notice_days,
        lot.notice_slack,
        lot.first_spendable_at,
        lot.first_expires_at,
        lot.moved_untold,
    )


def of_touched(lot: LotState) -> Values:
    return lot.remaining, lot.remaining > 0, lot.spendable_at, lot.expires_at, lot.gated, lot.moved_untold


def of_account(book: Book) -> Values:
    return (
        book.balance,
        book.debt,
        book.seq,
        book.head_hash,
        book.last_recorded_at,
        book.active_at,
        book.not_before,
        book.lapses_at,
        book.closes_at,
        book.closed,
    )


def was_seq(book: Book) -> int:
    """The number of entries that the account had when its page was read."""
    return book.drafts[0].seq - 1
