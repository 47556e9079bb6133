"""Minji's story for the sheet: told once and it came back, moved because nobody was told, and a word of hers."""

from __future__ import annotations

from datetime import timedelta

from alerts.addresses import consents, suppressions
from alerts.duty import untold
from alerts.models import ProviderEvent, Suppression
from alerts.sending import deliveries, receipts
from ledger.actors import Actor
from ledger.models import Account, Lot
from ledger.policies import last_day
from tests.alert_builders import before, plan, the_delivery
from tests.builders import SEOUL


def told() -> None:
    """She is told 60 days before."""
    plan(before(60))
    deliveries.deliver(now=before(60), limit=10)


def report(kind: str, *, days: int) -> None:
    """The provider says what became of it, so many days before the end."""
    delivery = the_delivery()
    ProviderEvent.objects.create(
        transport="smtp",
        event_key=f"{kind}:{days}",
        kind=kind,
        our_key=str(delivery.pk),
        occurred_at=before(days) - timedelta(minutes=5),
        received_at=before(days),
        raw="as it came",
    )
    receipts.match(now=before(days), limit=10)


def came_back(account: Account) -> None:
    """The message bounces; its address is suppressed until a person lifts it; then the date moves, for nobody knew."""
    told()
    report("bounced", days=50)
    suppressions.lift(suppression=Suppression.objects.get(), now=before(40))
    untold.extend_untold(now=before(20), limit=10)


def says_no(account: Account) -> None:
    """Minji wants no more SMS; Sora enters it for her."""
    consents.say(
        member=account.member,
        channel="sms",
        purpose="notice",
        given=False,
        source="a call",
        by=Actor("staff", "3"),
        now=before(65),
    )


def told_again(account: Account) -> None:
    """She is told of the date to which her points were moved."""
    moved = Lot.objects.get(account=account).expires_at
    assert moved is not None
    plan(before(60, last_day(moved, SEOUL)))
