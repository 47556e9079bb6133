"""What the ledger refuses, one small tree; each docstring is the message and each code is stable.

LedgerError
├── BadInput            the caller's words are off; nothing was written
│   ├── BadPoints
│   ├── BadKey
│   ├── PastExpiry
│   ├── FutureAct
│   ├── NotAGrant
│   └── NoPolicy
├── Refused             the words are right, the facts say no
│   ├── InsufficientPoints   its decline was written first
│   ├── KeyReused
│   ├── LotNotLive
│   └── EarlierDate
├── AccountNotFound
├── AccountBusy         try again
└── LedgerBroken        the database refused a write that breaks a law
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ledger.receipts import Receipt


class LedgerError(Exception):
    """The ledger refused the act."""

    code: ClassVar[str] = "ledger_error"

    def __init__(self, detail: str = "", *, field: str = "") -> None:
        """`detail` replaces the class's own message; `field` names the argument at fault, where one is."""
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.field = field
        super().__init__(f"{field}: {self.detail}" if field else self.detail)


class BadInput(LedgerError):
    """The request cannot be understood."""

    code = "bad_input"


class BadPoints(BadInput):
    """Points must be a whole number from 1 to 1,000,000,000,000."""

    code = "bad_points"


class BadKey(BadInput):
    """A key must be 1 to 200 printable characters."""

    code = "bad_key"


class PastExpiry(BadInput):
    """The new last day must lie in the future."""

    code = "past_expiry"


class FutureAct(BadInput):
    """An act cannot be dated after the real clock."""

    code = "future_act"


class NotAGrant(BadInput):
    """The entry to undo is not a grant of this account."""

    code = "not_a_grant"


class NoPolicy(BadInput):
    """The programme has no policy in force at that moment."""

    code = "no_policy"


class Refused(LedgerError):
    """The facts do not allow it."""

    code = "refused"


class InsufficientPoints(Refused):
    """There are fewer spendable points than were asked for; the decline is on record."""

    code = "insufficient_points"

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(
            f"{receipt.asked} points were asked for and {receipt.available} can be spent; the decline is on record.",
            field="points",
        )
        self.receipt = receipt


class KeyReused(Refused):
    """This key was used before with another content."""

    code = "key_reused"


class LotNotLive(Refused):
    """A lot that was named is not a live lot of this account."""

    code = "lot_not_live"


class EarlierDate(Refused):
    """A date can only move later."""

    code = "earlier_date"


class AccountNotFound(LedgerError):
    """There is no such account."""

    code = "account_not_found"


class AccountBusy(LedgerError):
    """Somebody else is writing to this account; try again."""

    code = "account_busy"


class LedgerBroken(LedgerError):
    """The database refused the write because it would break a law of the ledger; nothing was written."""

    code = "ledger_broken"
