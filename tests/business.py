"""A story with most kinds in it, for the reports; every number that they say of it is worked out by hand."""

from __future__ import annotations

from ledger.models import Account
from tests import builders
from tests.builders import NOW, days, grant, redeem


def a_spring(minji: Account) -> None:
    """From 10 March to 9 May 2025, in Seoul.

    40 short points (to day 20) and 100 long ones. 30 of the short are redeemed, 10 of them refunded into a lot of their
    own (to day 31). 25 are held: 10 short, 10 refunded, 5 long; 15 of them captured on day 25, so that 5 come back to
    the long lot, and 5 for thirty days more (to day 55). 60 of the long are clawed back on day 26.
    """
    grant(minji, 100, key="long")
    grant(minji, 40, key="short", expires_at=NOW + days(20))
    redeem(minji, 30, key="redeemed")
    builders.refund(minji, 10, "redeemed", now=NOW + days(1))
    builders.hold(minji, 25, now=NOW + days(2), lapses_at=NOW + days(40))
    builders.capture(minji, 15, now=NOW + days(25))
    builders.clawback(minji, 60, undoes="long", now=NOW + days(26))


MAY = NOW + days(60)
