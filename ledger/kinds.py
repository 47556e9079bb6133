"""The declared table of what can happen to an account. What is not in it cannot happen."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    GRANT = "grant", _("Grant")  # a new lot
    SETTLE = "settle", _("Debt settled")  # live points pay debt, right after a grant
    REDEEM = "redeem", _("Redemption")  # takes spendable points, soonest-expiring first
    REFUND = "refund", _("Refund")  # undoes part or all of a redemption or a capture
    CLAWBACK = "clawback", _("Clawback")  # undoes part or all of a grant, or takes without one
    HOLD = "hold", _("Hold")  # redeems provisionally, until a lapse
    CAPTURE = "capture", _("Capture")  # makes a hold final, whole or its first points
    RELEASE = "release", _("Release")  # gives held points back: by hand, by the clock, or what a capture left
    EXPIRE = "expire", _("Expiry")  # one per account and instant: the exact remainder of each lot
    REINSTATE = "reinstate", _("Reinstatement")  # gives expired points back, in a new lot of the family
    EXTEND = "extend", _("Extension")  # moves a live lot's date later, or undoes that
    POSTPONE = "postpone", _("Postponement")  # moves the day from which promised points can be spent
    NOTIFY = "notify", _("Notice")  # records that the member was told, or withdraws that
    CLOSE = "close", _("Closure")  # asks for the end of the account, or withdraws that
    FORFEIT = "forfeit", _("Forfeiture")  # all that is left when a closure takes effect
    DECLINE = "decline", _("Declined")  # refused for want of points; holds the key and what was there
    NOTE = "note", _("Note")  # an act with a key that changed nothing


# The direction of each kind's amount, less what it wrote off. The database checks the
# same (`migrations/checks.sql`); a test holds the two together.
SIGN: dict[Kind, int] = {
    Kind.GRANT: 1,
    Kind.SETTLE: 0,
    Kind.REDEEM: -1,
    Kind.REFUND: 1,
    Kind.CLAWBACK: -1,
    Kind.HOLD: -1,
    Kind.CAPTURE: 0,
    Kind.RELEASE: 1,
    Kind.EXPIRE: -1,
    Kind.REINSTATE: 1,
    Kind.EXTEND: 0,
    Kind.POSTPONE: 0,
    Kind.NOTIFY: 0,
    Kind.CLOSE: 0,
    Kind.FORFEIT: -1,
    Kind.DECLINE: 0,
    Kind.NOTE: 0,
}

# The kinds that show that a member uses the programme: inactivity is counted from them, and extension rules look for
# them.
ACTIVITY = (Kind.GRANT, Kind.REDEEM, Kind.HOLD)

# The kinds that give points back; their allocations say until when.
RESTORING = (Kind.REFUND, Kind.RELEASE, Kind.REINSTATE)


class Origin(TextChoices):
    """Where the points of a grant come from."""

    PURCHASE = "purchase", _("Purchase")
    PROMOTION = "promotion", _("Promotion")
    COMPENSATION = "compensation", _("Compensation")
    MIGRATION = "migration", _("Migration")
    ADJUSTMENT = "adjustment", _("Adjustment")


class Waiver(TextChoices):
    """Why a member need not be told."""

    NO_CONTACT = "no_contact", _("no contact is known")
    OPTED_OUT = "opted_out", _("opted out of everything")
    BELOW_LEAST = "below_least", _("below the least amount worth a message")
