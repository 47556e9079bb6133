"""The reason that a person gives for what they do: one line, which stays on record without personal data."""

from __future__ import annotations

from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.masking import without_addresses

LONGEST = 200


def reason(why: str) -> str:
    """One line that says why, with addresses and numbers masked. Raises BadInput: none, or longer than LONGEST."""
    why = " ".join(why.split())
    if not why or "\0" in why or len(why) > LONGEST:
        raise BadInput(_("Say why, in at most %(number)d letters.") % {"number": LONGEST}, field="why")
    return without_addresses(why)
