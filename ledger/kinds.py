"""The declared table of what can happen to an account. What is not in it cannot happen."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    GRANT = "grant", _("Grant")  # a new lot
    SETTLE = "settle", _("Debt settled")  # live points pay debt, right after a grant
    REDEEM = "redeem", _("Redemption")  # takes spendable points, soonest-expiring first
    CLAWBACK = "clawback", _("Clawback")  # undoes part or all of a grant, or takes without one
    EXPIRE = "expire", _("Expiry")  # one per account and instant: the exact remainder of each lot
    EXTEND = "extend", _("Extension")  # moves a live lot's date later
    NOTIFY = "notify", _("Notice")  # records that the member was told
    DECLINE = "decline", _("Declined")  # refused for want of points; holds the key and what was there
    NOTE = "note", _("Note")  # an act with a key that changed nothing


# The direction of each kind's amount. A CHECK constraint of the entry table is made from this.
SIGN: dict[Kind, int] = {
    Kind.GRANT: 1,
    Kind.SETTLE: 0,
    Kind.REDEEM: -1,
    Kind.CLAWBACK: -1,
    Kind.EXPIRE: -1,
    Kind.EXTEND: 0,
    Kind.NOTIFY: 0,
    Kind.DECLINE: 0,
    Kind.NOTE: 0,
}

# The kinds that show that a member uses the programme; extension rules look for them.
ACTIVITY = (Kind.GRANT, Kind.REDEEM)


class Origin(TextChoices):
    """Where the points of a grant come from."""

    PURCHASE = "purchase", _("Purchase")
    PROMOTION = "promotion", _("Promotion")
    COMPENSATION = "compensation", _("Compensation")
    MIGRATION = "migration", _("Migration")
    ADJUSTMENT = "adjustment", _("Adjustment")
