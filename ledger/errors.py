"""What the ledger refuses, one small tree; each docstring is the message and each code is stable.

LedgerError
├── BadInput            the caller's words are off; nothing was written
│   ├── BadPoints
│   ├── BadKey
│   ├── PastExpiry
│   ├── FutureAct
│   ├── NotAGrant
│   ├── NotARedemption
│   ├── NotAnExtension
│   ├── NotANotice
│   ├── NoPolicy
│   └── WorseTooSoon
├── Refused             the words are right, the facts say no
│   ├── InsufficientPoints   its decline was written first
│   ├── KeyReused
│   ├── LotNotLive
│   ├── LotNotPromised
│   ├── LotNotExpired
│   ├── TooLateToReinstate
│   ├── AlreadyReinstated
│   ├── EarlierDate
│   ├── CannotUndo
│   ├── MoreThanRedeemed
│   ├── HoldNotOpen
│   ├── MoreThanHeld
│   ├── BooksClosed
│   ├── AlreadyClosing
│   ├── NotClosing
│   └── AccountClosed
├── AccountNotFound
├── AccountBusy         try again
├── ProgrammeBusy       try again
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


class NotARedemption(BadInput):
    """The entry to undo is not a redemption or a capture of this account."""

    code = "not_a_redemption"


class NotAnExtension(BadInput):
    """The entry to undo is not an extension of this account."""

    code = "not_an_extension"


class NotANotice(BadInput):
    """The entry to withdraw is not a notice of this account."""

    code = "not_a_notice"


class NoPolicy(BadInput):
    """The programme has no policy in force at that moment."""

    code = "no_policy"


class WorseTooSoon(BadInput):
    """A policy that makes new points worse must be announced long enough before it takes effect."""

    code = "worse_too_soon"


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


class LotNotPromised(Refused):
    """A lot that was named can be spent already: only a promise can be postponed."""

    code = "lot_not_promised"


class LotNotExpired(Refused):
    """The clock has not ended a lot of this account with that id."""

    code = "lot_not_expired"


class TooLateToReinstate(Refused):
    """The time in which these points could be reinstated is over."""

    code = "too_late_to_reinstate"


class AlreadyReinstated(Refused):
    """Points of this grant were reinstated before; that is done once."""

    code = "already_reinstated"


class EarlierDate(Refused):
    """A date can only move later."""

    code = "earlier_date"


class CannotUndo(Refused):
    """This can no longer be undone."""

    code = "cannot_undo"


class MoreThanRedeemed(Refused):
    """More would be refunded than was redeemed."""

    code = "more_than_redeemed"


class HoldNotOpen(Refused):
    """There is no open hold under this key: it was captured, was released, has lapsed, or never was."""

    code = "hold_not_open"


class MoreThanHeld(Refused):
    """More would be captured than is held."""

    code = "more_than_held"


class BooksClosed(Refused):
    """The programme's books are closed for that day."""

    code = "books_closed"


class AlreadyClosing(Refused):
    """The account's closure was asked for before."""

    code = "already_closing"


class NotClosing(Refused):
    """Nobody has asked for this account's closure."""

    code = "not_closing"


class AccountClosed(Refused):
    """The account is closed."""

    code = "account_closed"


class AccountNotFound(LedgerError):
    """There is no such account."""

    code = "account_not_found"


class AccountBusy(LedgerError):
    """Somebody else is writing to this account; try again."""

    code = "account_busy"


class ProgrammeBusy(LedgerError):
    """Somebody else is changing this programme's policies; try again."""

    code = "programme_busy"


class LedgerBroken(LedgerError):
    """The database refused the write because it would break a law of the ledger; nothing was written."""

    code = "ledger_broken"
