"""Reasons, origins and channels in a member's words."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.kinds import Origin, Waiver
from ledger.models import Entry

SOURCES = {
    Origin.PURCHASE: gettext_lazy("For a purchase."),
    Origin.PROMOTION: gettext_lazy("From a promotion."),
    Origin.COMPENSATION: gettext_lazy("As a compensation."),
    Origin.MIGRATION: gettext_lazy("Taken over from an earlier programme."),
    Origin.ADJUSTMENT: gettext_lazy("A correction in your favour."),
}

# What the ledger, the feed and the rules write as a reason themselves. Any other reason was written by a person, and
# is shown as it was written.
REASONS = (
    (r"nobody was told in time", gettext_lazy("We had not told you in time, so your points stay longer.")),
    (r"told in time after all", gettext_lazy("You had been told in time; the last day stays.")),
    (
        r"the lots of this notice have moved or gone",
        gettext_lazy("A message about expiring points was no longer true: the points had moved or gone."),
    ),
    (r"the waiver is not true any more", gettext_lazy("Why we had not written to you does not hold any more.")),
    (r"lapsed", gettext_lazy("They were on hold and not used in time, so you have them back.")),
    (
        r"the account was closed",
        gettext_lazy("They were on hold when the account was closed, so they came back first."),
    ),
    (r"what the capture left", gettext_lazy("Fewer points were used than had been on hold; this is the rest.")),
    (r"closed with nothing left", gettext_lazy("When the account was closed, no points were left.")),
    (
        r"active in the last (?P<days>\d+) days",
        gettext_lazy("You were active in the last %(days)s days, so your points stay longer."),
    ),
    (r"a purchase of (?P<amount>[\d.]+) at [\d.]+", gettext_lazy("The purchase came to %(amount)s.")),
    (r"a purchase of [\d.]+( at [\d.]+)? is worth no point", gettext_lazy("The purchase was too small for a point.")),
    (r"a return of (?P<amount>[\d.]+) is worth no point", gettext_lazy("The return was too small for a point.")),
    (r"return|a return of [\d.]+", gettext_lazy("Goods were returned.")),
)

CHANNELS = {
    "email": gettext_lazy("by e-mail"),
    "sms": gettext_lazy("by text message"),
    "alimtalk": gettext_lazy("by AlimTalk"),
}

WAIVERS = {
    Waiver.NO_CONTACT: gettext_lazy("We know no address at which to tell you of points whose last day is %(day)s."),
    Waiver.OPTED_OUT: gettext_lazy("As you asked, we did not write to you about points whose last day is %(day)s."),
    Waiver.BELOW_LEAST: gettext_lazy("For so few points we send no message. Their last day is %(day)s."),
}


def reason_of(entry: Entry) -> list[str]:
    """Why it happened, as a list of at most one sentence."""
    for pattern, text in () if entry.actor.startswith("staff:") else REASONS:
        if found := re.fullmatch(pattern, entry.reason):
            return [str(text) % found.groupdict()]
    return [_("Reason: %(reason)s") % {"reason": entry.reason}] if entry.reason else []
