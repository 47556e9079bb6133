"""An act with a key that changes nothing, such as a purchase too small for a point: it holds the key and the answer."""

from __future__ import annotations

from datetime import datetime

from ledger.actors import Actor
from ledger.book import Book
from ledger.drafts import Draft, Signature
from ledger.inputs import check_text
from ledger.kinds import Kind
from ledger.posting import Order


def note_order(
    *,
    account_id: int,
    now: datetime,
    key: str,
    by: Actor,
    reason: str,
    reference: str = "",
    content: dict[str, object] | None = None,
) -> Order:
    """A note as an order for the pen; `reason` says why nothing changed."""

    check_text(reason, field="reason", longest=500)
    check_text(reference, field="reference", longest=200)

    def decide(book: Book, signature: Signature) -> Draft:
        return book.write(Kind.NOTE, signature, reason=reason, reference=reference)

    asked = {"kind": "note", "reason": reason, "reference": reference}
    return Order(account_id=account_id, now=now, by=by, key=key, content=content or asked, decide=decide)
