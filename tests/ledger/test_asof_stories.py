"""Random stories: what is told again as of each instant is what was seen then.

The story is made by acts; each look is kept as it was seen, by the numbers kept beside the facts after a sweep that is
taken back. Later the same looks are asked of the facts alone, in a story that was swept late or never: as known then,
they must be the same, lot by lot.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import (
    asof,
    clawbacks,
    closures,
    extensions,
    grants,
    holds,
    notices,
    posting,
    promises,
    redemptions,
    refunds,
)
from ledger.accounts import open_account
from ledger.allocation import LotState
from ledger.errors import LedgerError
from ledger.expiry import sweep_all
from ledger.kinds import Origin, Waiver
from ledger.models import Account, Lot, Programme
from ledger.movements import law_14
from ledger.policies import Model, Unit
from ledger.reinstatements import reinstate
from ledger.statements import balance
from tests import builders
from tests.builders import NOW, SHOP, STAFF, days

Seen = tuple[object, list[tuple]]

# The more often an act stands here, the more often it is told: those that need another one before them stand twice.
ACTS = [
    *("grant", "grant", "grant", "grant", "grant", "promise", "back"),
    *("redeem", "redeem", "hold", "hold", "hold", "capture", "capture", "release", "refund", "refund", "refund"),
    *("clawback", "reinstate", "extend", "extend", "undo", "undo", "postpone", "postpone"),
    *("tell", "tell", "waive", "withdraw", "withdraw", "untold", "close", "stay", "sweep"),
]
# So that what follows has something to be about: points of three kinds, some redeemed, some on hold, some told of.
BEGINNING = [
    *(("grant", 4, origin, 1) for origin in range(3)),
    ("redeem", 3, 0, 0),
    ("hold", 2, 3, 0),
    ("tell", 0, 0, 0),
    ("promise", 1, 9, 0),
]
numbers = st.integers(0, 9)
steps = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        numbers,
        numbers,
        st.sampled_from([0, 0, 1, 1, 5, 24, 24 * 3, 24 * 12, 24 * 33]),
    ),
    min_size=8,
    max_size=24,
)


@dataclass
class Story:
    """One account, and the acts that are told of it; what is refused is no part of the story."""

    account: Account
    now: datetime = NOW
    count: int = 0

    def head(self) -> dict:
        self.count += 1
        return {"account": self.account, "now": self.now, "key": f"{self.account.pk}:{self.count}", "by": SHOP}

    def key(self, number: int, *kinds: str) -> str:
        """The key of an entry of these kinds; of holds, mostly of an open one."""
        entries = self.account.entries.filter(kind__in=kinds, key__isnull=False).order_by("-seq")
        if kinds == ("hold",) and number < 8:
            entries = entries.filter(seq__in=self.account.holds.filter(open=True).values("seq"))
        keys = list(entries.values_list("key", flat=True))
        return str(keys[number % len(keys)]) if keys else "none"

    def lot(self, number: int, act: str) -> Lot:
        """A lot to which the act can happen, where there is one."""
        lots = Lot.objects.filter(account=self.account).order_by("seq", "number")
        fit = {
            "postpone": lots.filter(spendable_at__gt=self.now),
            "tell": lots.live(self.now).filter(notice_days__gt=0),
            "waive": lots.live(self.now).filter(notice_days__gt=0),
            "untold": lots.live(self.now).filter(gated=True),
            "extend": lots.live(self.now).filter(expires_at__isnull=False),
            "reinstate": lots.filter(open=False),
        }
        found = list(fit.get(act, lots)) or list(lots)
        return found[number % len(found)] if found else Lot(pk=-1, spendable_at=self.now)

    def tell(self, act: str, a: int, b: int) -> None:
        head, points, lot = self.head(), a * 7 + 1, self.lot(a, act)
        origin = [Origin.PURCHASE, Origin.PROMOTION, Origin.COMPENSATION][b % 3]
        day = self.now.astimezone(builders.SEOUL).date()
        told: dict = {"lots": [lot.pk], "expires_at": lot.expires_at or self.now, "told_on": day - timedelta(days=b)}
        why = head | {"by": STAFF, "reason": "why not"}
        match act:
            case "grant":
                ends = self.now + days(b + 1) if b > 6 else None
                grants.grant(**head, points=points * 5, origin=origin, expires_at=ends)
            case "promise":
                grants.grant(**head, points=points * 5, origin=origin, spendable_at=self.now + days(b + 1))
            case "back":
                grants.grant(**head, points=points * 5, origin=origin, effective_at=self.now - days(b * 5 + 1))
            case "redeem":
                redemptions.redeem(**head, points=points)
            case "hold":
                holds.hold(**head, points=points, lapses_at=self.now + days(b * 4 + 1))
            case "capture":
                holds.capture(**head, hold=self.key(a, "hold"), points=b * 2 + 1)
            case "release":
                holds.release(**head, hold=self.key(a, "hold"))
            case "refund":
                refunds.refund(**head, points=b * 3 + 1, undoes=self.key(a, "redeem", "capture"))
            case "clawback":
                clawbacks.clawback(**head, points=points, undoes=self.key(b, "grant") if b < 7 else None)
            case "extend":
                extensions.extend(**why, lots=[lot.pk], until=self.last_day(lot) + timedelta(days=b * 4 + 1))
            case "undo":
                extensions.undo(**why, extension=self.key(a, "extend"))
            case "postpone":
                promises.postpone(**why, lots=[lot.pk], spendable_at=lot.spendable_at + days(b * 3 + 1))
            case "tell":
                notices.record(**head, **told, channel="email", evidence="delivery:1")
            case "waive":
                notices.waive(**head, **told, waiver=Waiver.OPTED_OUT, evidence="contacts:1")
            case "withdraw":
                notices.withdraw(**why, notice=self.key(a, "notify"))
            case "untold":
                del head["account"]
                posting.act(notices.extend_untold_order(**head, account_id=self.account.pk, lots=[lot.pk], again=b > 5))
            case "reinstate":
                reinstate(**why, lot=lot.pk)
            case "close":
                closures.close(**head)
            case "stay":
                closures.withdraw(**head)
            case "sweep":
                sweep_all(now=self.now, programme_id=self.account.programme_id)

    def last_day(self, lot: Lot) -> date:
        return (lot.expires_at or self.now).astimezone(builders.SEOUL).date()

    def look(self) -> Seen:
        """What the account's own numbers say once the clock's part is really written; which is then taken back."""
        look = transaction.atomic()
        look._from_testcase = True  # type: ignore[attr-defined]  # acts insist on the outermost one otherwise
        with look:
            posting.tidy({self.account.pk}, self.now)
            account = Account.objects.get(pk=self.account.pk)
            assert not any(
                due and due <= self.now for due in (account.lapses_at, None if account.closed else account.closes_at)
            )
            seen = balance(account, at=self.now), sorted(shape(lot.state()) for lot in account.lots.live(self.now))
            transaction.set_rollback(True)
        return seen


def shape(lot: LotState) -> tuple:
    return (lot.seq, lot.number, lot.remaining, lot.spendable_at, lot.expires_at, lot.gated)


def a_programme() -> Programme:
    """Points of three kinds: told of by duty, going by inactivity, and rolling with time to reinstate them."""
    moa = builders.moa(count=20, unit=Unit.DAYS, rounding="none", reinstate_window_days=30, restored_floor_days=9)
    more = {"count": 25, "unit": Unit.DAYS, "rounding": "day", "notice_days": 10, "restored_floor_days": 9}
    since = {"effective_from": builders.LONG_AGO}
    builders.policy(moa, origin=Origin.PROMOTION, accepts_waivers=True, clawback_beyond="write_off", **more, **since)
    builders.policy(moa, origin=Origin.COMPENSATION, **more | {"model": Model.INACTIVITY}, **since)
    return moa


@pytest.fixture
def programme(db):
    return a_programme()


def test_as_known_then_is_as_seen_then(programme):
    names = count()

    @settings(max_examples=50)
    @given(steps)
    def run(told: list[tuple[str, int, int, int]]) -> None:
        story = Story(open_account(programme=programme, reference=f"m{next(names)}"))
        seen: dict[datetime, Seen] = {}
        for act, a, b, hours in [*BEGINNING, *told]:
            with suppress(LedgerError):
                story.tell(act, a, b)
            seen[story.now] = story.look()
            story.now += timedelta(hours=hours)
        for at, (then, lots) in seen.items():
            stood = asof.stood(story.account, at=at, known_at=at)
            assert stood.balance() == then, at
            assert sorted(shape(lot) for lot in stood.live()) == lots, at

    run()
    for day in (0, 3, 20, 60, 300):
        for known_at in (NOW + days(day), None):
            assert law_14(programme, at=NOW + days(day), known_at=known_at).difference == 0


def test_the_stories_are_about_everything(programme):
    """The steps that matter most happen in a story that is told on purpose."""
    story = Story(builders.minji(programme))
    for act, a, b, hours in [
        ("grant", 9, 0, 1),
        ("grant", 9, 1, 1),
        ("grant", 9, 2, 24),
        ("hold", 5, 1, 24),
        ("tell", 1, 0, 24 * 12),
        ("withdraw", 0, 0, 24),
        ("extend", 2, 9, 24 * 30),
    ]:
        story.tell(act, a, b)
        story.now += timedelta(hours=hours)
    kinds = set(story.account.entries.values_list("kind", flat=True))
    assert {"grant", "hold", "release", "notify", "extend"} <= kinds
    assert date(2025, 4, 1) < story.now.date()
