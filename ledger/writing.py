"""The one call that writes drafts: entries, lots, allocations, dates, notices, holds, closures and accounts.

It goes to `ledger_write` (`migrations/pen.sql`) as one document of rows, for one act or a thousand: final states only,
each lot and account once. Rows of the document name each other by their places, so no id is needed beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from ledger import wire
from ledger.allocation import LotState
from ledger.book import Book
from ledger.chain import HASH_VERSION
from ledger.drafts import Closing, Draft, HoldState

Row = dict[str, Any]


def write(books: Iterable[Book]) -> None:
    """Write all that these books drafted, in the order in which each drafted it."""
    books = [book for book in books if book.drafts]
    if not books:
        return
    parts = _Places(books).parts()
    document = json.dumps({name: rows for name, rows in parts.items() if rows}, default=_text, separators=(",", ":"))
    wire.call("SELECT ledger_write($1)", [document])


def _text(value: object) -> str:
    if isinstance(value, date):  # a datetime as well
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"a {type(value).__name__} is no value of a column")


class _Places:
    """The drafts of a document and the lots that they make, with their places, from 1."""

    def __init__(self, books: Sequence[Book]) -> None:
        self.books = books
        self.drafts = [draft for book in books for draft in book.drafts]
        self.made = [(draft, lot) for draft in self.drafts for lot in draft.made]
        self.place_of_lot = {id(lot): place for place, (_, lot) in enumerate(self.made, start=1)}

    def parts(self) -> dict[str, list[Any]]:
        """The rows of each part; those of facts in the order in which they happened."""
        drafts = list(enumerate(self.drafts, start=1))
        return {
            "entries": [_entry(draft) for draft in self.drafts],
            "lots": [_lot(draft, lot) for draft, lot in self.made],
            "allocations": [
                {"entry": place, **self._name(lot), "delta": delta, "until": until}
                for place, draft in drafts
                for lot, delta, until in draft.allocations
            ],
            "moves": [
                {
                    "entry": place,
                    **self._name(move.lot),
                    "was": move.was,
                    "until": move.until,
                    "spendable_was": move.spendable_was,
                    "spendable_until": move.spendable_until,
                }
                for place, draft in drafts
                for move in draft.moves
            ],
            "notices": [_notice(place, draft) for place, draft in drafts if draft.told],
            "holds": [_hold(draft, draft.held) for draft in self.drafts if draft.held],
            "closures": [_closure(draft, draft.closing) for draft in self.drafts if draft.closing],
            "touched": [_touched(lot) for book in self.books for lot in book.touched.values()],
            "ended_holds": self._ended(HoldState),
            "ended_closures": self._ended(Closing),
            "accounts": [_account(book) for book in self.books],
        }

    def _name(self, lot: LotState) -> Row:
        return {"lot": lot.id} if lot.id is not None else {"made": self.place_of_lot[id(lot)]}

    def _ended(self, kind: type[HoldState | Closing]) -> list[int | None]:
        return [pending.id for book in self.books for pending in book.ended if isinstance(pending, kind)]


def _entry(d: Draft) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": d.seq,
        "kind": d.kind.value,
        "amount": d.amount,
        "debt_delta": d.debt_delta,
        "written_off": d.written_off,
        "balance_after": d.balance_after,
        "debt_after": d.debt_after,
        "key": d.key,
        "body_hash": d.body_hash,
        "actor": d.actor,
        "reason": d.reason,
        "reference": d.reference,
        "undoes_seq": d.undoes_seq,
        "asked": d.asked,
        "available": d.available,
        "effective_at": d.effective_at,
        "recorded_at": d.recorded_at,
        "hash_version": HASH_VERSION,
        "hash": d.hash,
    }


def _lot(d: Draft, lot: LotState) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": lot.seq,
        "number": lot.number,
        "family_seq": lot.family_seq,
        "policy_id": lot.policy_id,
        "origin": lot.origin,
        "granted": lot.granted,
        "remaining": lot.remaining,
        "spendable_at": lot.spendable_at,
        "expires_at": lot.expires_at,
        "gated": lot.gated,
        "notice_days": lot.notice_days,
        "notice_slack": lot.notice_slack,
        "first_spendable_at": lot.first_spendable_at,
        "first_expires_at": lot.first_expires_at,
        "moved_untold": lot.moved_untold,
    }


def _notice(place: int, d: Draft) -> Row:
    told = d.told
    assert told is not None
    return {
        "entry": place,
        "account_id": d.account_id,
        "expires_at": told.expires_at,
        "expires_on": told.expires_on,
        "told_on": told.told_on,
        "channel": told.channel,
        "evidence": told.evidence,
        "named": [lot.id for lot in told.lots],
        "waiver": told.waiver,
    }


def _hold(d: Draft, held: HoldState) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": held.seq,
        "points": held.points,
        "lapses_at": held.lapses_at,
        "open": held.open,
    }


def _closure(d: Draft, closing: Closing) -> Row:
    return {
        "account_id": d.account_id,
        "programme_id": d.programme_id,
        "seq": closing.seq,
        "closes_at": closing.closes_at,
        "points": closing.points,
        "open": closing.open,
    }


def _touched(lot: LotState) -> Row:
    return {
        "id": lot.id,
        "remaining": lot.remaining,
        "spendable_at": lot.spendable_at,
        "expires_at": lot.expires_at,
        "gated": lot.gated,
        "moved_untold": lot.moved_untold,
    }


def _account(book: Book) -> Row:
    return {
        "id": book.account_id,
        "was_seq": book.drafts[0].seq - 1,
        "balance": book.balance,
        "debt": book.debt,
        "seq": book.seq,
        "head_hash": book.head_hash,
        "last_recorded_at": book.last_recorded_at,
        "active_at": book.active_at,
        "not_before": book.not_before,
        "lapses_at": book.lapses_at,
        "closes_at": book.closes_at,
        "closed": book.closed,
    }
