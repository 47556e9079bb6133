"""What the ledger refuses, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from ledger.errors import LedgerError

REFUSALS = {
    "account_busy": gettext_lazy("Somebody else is writing to this account; please try again."),
    "account_closed": gettext_lazy("This account is closed: nothing more can happen to it."),
    "already_reinstated": gettext_lazy("Points of this grant were given back before; that is done once."),
    "books_closed": gettext_lazy("The programme's books are closed for that day."),
    "cannot_undo": gettext_lazy(
        "This extension can no longer be undone: the date has moved again, the points are gone, the earlier day has "
        "passed, or the member was told of the later one."
    ),
    "earlier_date": gettext_lazy("Its last day is not earlier than the new one: a date can only move later."),
    "future_act": gettext_lazy("The clocks of the servers differ; please try again."),
    "key_reused": gettext_lazy("This form was used before with other values; please begin again from the list."),
    "lot_not_expired": gettext_lazy("These points have not expired."),
    "lot_not_live": gettext_lazy("These points are gone: used up, taken back or expired."),
    "no_policy": gettext_lazy("The programme has no policy in force."),
    "past_expiry": gettext_lazy("The new last day must lie in the future."),
    "too_late_to_reinstate": gettext_lazy("The time in which the policy lets these points be given back is over."),
}


def said(error: LedgerError) -> str:
    """A refusal of the ledger in the language of the page, as far as this page knows it."""
    return str(REFUSALS.get(error.code, error.detail))
