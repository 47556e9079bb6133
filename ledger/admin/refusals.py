"""What the ledger refuses, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy, gettext_noop

from ledger.errors import LedgerError

# One for every error but BadInput, which says itself what is wrong with what was entered.
REFUSALS = {
    "account_busy": gettext_lazy("Somebody else is writing to this account; please try again."),
    "account_closed": gettext_lazy("This account is closed: nothing more can happen to it."),
    "account_not_found": gettext_lazy("There is no such account."),
    "already_closing": gettext_lazy("The closure of this account was asked for before."),
    "already_reinstated": gettext_lazy("Points of this grant were given back before; that is done once."),
    "bad_key": gettext_lazy("A key must be 1 to 200 printable characters."),
    "bad_points": gettext_lazy("Points must be a whole number from 1 to 1,000,000,000,000."),
    "books_closed": gettext_lazy("The programme's books are closed for that day."),
    "cannot_undo": gettext_lazy(
        "This extension can no longer be undone: the date has moved again, the points are gone, the earlier day has "
        "passed, or the member was told of the later one."
    ),
    "earlier_date": gettext_lazy("Its last day is not earlier than the new one: a date can only move later."),
    "future_act": gettext_lazy("The clocks of the servers differ; please try again."),
    "hold_not_open": gettext_lazy(
        "There is no open hold under this key: it was captured, was released, has lapsed, or never was."
    ),
    "insufficient_points": gettext_lazy(
        "There are fewer points to spend than were asked for; the decline is on record."
    ),
    "key_reused": gettext_lazy("This form was used before with other values; please begin again from the list."),
    "ledger_broken": gettext_lazy(
        "The database refused this, because it would break a law of the ledger. Nothing was written; please "
        "tell whoever runs the system."
    ),
    "ledger_error": gettext_lazy("The ledger refused this."),
    "lot_not_expired": gettext_lazy("These points have not expired."),
    "lot_not_live": gettext_lazy("These points are gone: used up, taken back or expired."),
    "lot_not_promised": gettext_lazy("These points can be spent already: only a promise can be postponed."),
    "more_than_held": gettext_lazy("More would be captured than is on hold."),
    "more_than_redeemed": gettext_lazy("More would be refunded than was redeemed."),
    "no_policy": gettext_lazy("The programme has no policy in force."),
    "not_a_grant": gettext_lazy("What was to be undone is not a grant of this account."),
    "not_a_notice": gettext_lazy("What was to be withdrawn is not a notice of this account."),
    "not_a_redemption": gettext_lazy("What was to be undone is not a redemption or a capture of this account."),
    "not_an_extension": gettext_lazy("What was to be undone is not an extension of this account."),
    "not_closing": gettext_lazy("Nobody has asked for this account's closure."),
    "past_expiry": gettext_lazy("The new last day must lie in the future."),
    "programme_busy": gettext_lazy("Somebody else is changing the policies of this programme; please try again."),
    "refused": gettext_lazy("The ledger's facts do not allow this."),
    "too_late_to_reinstate": gettext_lazy("The time in which the policy lets these points be given back is over."),
    "worse_too_soon": gettext_lazy(
        "A policy that makes new points worse must be announced long enough before it takes effect."
    ),
}
DETAILS = (  # of BadInput: those that a form of these pages can lead to
    gettext_noop("A reason is needed."),
    gettext_noop("At most 500 printable characters."),
    gettext_noop("The new last day can lie at most a hundred years ahead."),
)


def said(error: LedgerError) -> str:
    """A refusal of the ledger in the language of the page."""
    if known := REFUSALS.get(error.code):
        return str(known)
    detail = gettext(error.detail)
    return gettext("This cannot be used as it was entered. %(detail)s") % {"detail": detail}
