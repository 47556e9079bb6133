"""The demo's story: two programmes and a handful of members over sixteen months up to today, told through real acts.

Moa is a telecom membership: points live twelve months to the end of the month. Byeol is a card payback: points live
six months, and members who stay active get more time. Both tell their members thirty days ahead, or nothing expires.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from alerts.addresses import contacts
from alerts.rules import programme_rules
from demo.diary import Diary
from demo.incidents import Incidents
from ledger import accounts, clawbacks, expiry, extensions, grants, notices, programmes, redemptions
from ledger.actors import Actor
from ledger.errors import InsufficientPoints
from ledger.kinds import Origin
from ledger.models import Account, Lot, Programme
from ledger.policies import Rounding, last_day

SHOP = Actor("api", "shop")
STAFF = Actor("staff", "demo")
MAIL = Actor("alerts", "demo")
MONTHS = 16  # how far back the story begins
TOLD_DAYS = 60  # how many days ahead the members of the story were told
# Dates nearer than this were told in the story; the others are left to the workers, who write the first real mails.
ALREADY_TOLD_DAYS = 35

# reference, how many points a month's purchases bring, how many of them are spent, the months (ago) of activity
MOA_MEMBERS = [
    ("minji", 1_250, 200, range(MONTHS, -1, -1)),
    ("jun", 480, 0, range(MONTHS, 10, -1)),  # has not been seen for months: his points go one after the other
    ("seoyeon", 2_100, 2_050, range(9, -1, -1)),
    ("hana", 330, 100, range(14, -1, -2)),
    ("doyun", 75, 0, range(12, -1, -3)),
]
BYEOL_MEMBERS = [
    ("minji", 300, 120, range(7, -1, -1)),
    ("woojin", 640, 0, range(6, -1, -1)),
]


@dataclass
class Story:
    now: datetime
    diary: Diary = field(default_factory=Diary)

    def tell(self) -> int:
        """Let all of it happen; returns how many things that were."""
        start = self.now - relativedelta(months=MONTHS + 2)
        moa = _programme("moa", "모아 멤버십", start, 12, Rounding.MONTH, reinstate_window_days=90)
        byeol = _programme("byeol", "별 카드 페이백", start, 6, Rounding.DAY)
        programme_rules.extend_active(programme=byeol, active_days=60, extend_days=30, most_times=2, days_before=14)
        for programme, members in ((moa, MOA_MEMBERS), (byeol, BYEOL_MEMBERS)):
            for reference, earned, spent, months in members:
                account = _account(programme, reference)
                for month in months:
                    self._plan_month(account, month, earned, spent)
        self._plan_incidents(moa)
        Incidents(self.now, self.diary).plan(moa=_account(moa, "minji"), byeol=_account(byeol, "minji"))
        return self.diary.live(self.now)

    def _plan_month(self, account: Account, months_ago: int, earned: int, spent: int) -> None:
        day = self.now - relativedelta(months=months_ago) - timedelta(days=3, hours=months_ago % 7)
        name = f"{account.programme.code}-{account.member.reference}-{months_ago}"
        points = earned + 37 * (months_ago % 5)  # no two months are alike
        self.diary.add(day, lambda at: self._buy(account, points, f"order-{name}", at))
        if spent:
            later = day + timedelta(days=1, hours=5)
            self.diary.add(later, lambda at: self._spend(account, spent, f"payment-{name}", at))

    def _plan_incidents(self, moa: Programme) -> None:
        """What the help desk is asked about."""
        minji, seoyeon = _account(moa, "minji"), _account(moa, "seoyeon")

        def ago(days: int) -> datetime:
            return self.now - timedelta(days=days)

        self.diary.add(ago(40), lambda at: self._buy(minji, 800, "order-kettle", at))
        self.diary.add(ago(33), lambda at: self._return(minji, 800, "order-kettle", at))
        self.diary.add(ago(25), lambda at: self._spend(minji, 50_000, "payment-too-large", at))
        self.diary.add(ago(20), lambda at: self._make_good(minji, 500, at))
        self.diary.add(ago(15), lambda at: self._extend_oldest(minji, at))
        self.diary.add(ago(2), lambda at: self._return(seoyeon, 9_000, None, at))  # more than she has: debt is left

    def _buy(self, account: Account, points: int, reference: str, at: datetime) -> None:
        receipt = grants.grant(
            account=account, points=points, now=at, key=f"demo:{reference}", by=SHOP, reference=reference
        )
        lot = Lot.objects.get(account=account, seq=receipt.seq)
        if lot.expires_at is None:
            return
        self.diary.add(lot.expires_at, lambda then: expiry.sweep_all(now=then))
        if lot.expires_at < self.now + timedelta(days=ALREADY_TOLD_DAYS):
            date = lot.expires_at
            self.diary.add(date - timedelta(days=TOLD_DAYS), lambda then: self._announce(account, lot.pk, date, then))

    def _announce(self, account: Account, lot: int, expires_at: datetime, at: datetime) -> None:
        if not Lot.objects.filter(pk=lot, expires_at=expires_at).live(at).exists():
            return
        day = last_day(expires_at, account.programme.tz)
        notices.record(
            account=account,
            lots=[lot],
            expires_at=expires_at,
            told_on=at.astimezone(account.programme.tz).date(),
            channel="email",
            evidence="told before the demo began",
            now=at,
            key=f"demo:told-{lot}-{day}",
            by=MAIL,
        )

    def _spend(self, account: Account, points: int, reference: str, at: datetime) -> None:
        with suppress(InsufficientPoints):  # the decline is part of the story
            redemptions.redeem(
                account=account, points=points, now=at, key=f"demo:{reference}", by=SHOP, reference=reference
            )

    def _return(self, account: Account, points: int, order: str | None, at: datetime) -> None:
        clawbacks.clawback(
            account=account,
            points=points,
            now=at,
            key=f"demo:return-{order or account.member.reference}",
            by=SHOP,
            undoes=f"demo:{order}" if order else None,
            reference=order or "",
            reason="goods returned",
        )

    def _make_good(self, account: Account, points: int, at: datetime) -> None:
        grants.grant(
            account=account,
            points=points,
            now=at,
            key="demo:sorry",
            by=STAFF,
            origin=Origin.COMPENSATION,
            reason="a payback came late",
        )

    def _extend_oldest(self, account: Account, at: datetime) -> None:
        lot = Lot.objects.filter(account=account, expires_at__isnull=False).live(at).order_by("expires_at").first()
        if lot and lot.expires_at:
            until = last_day(lot.expires_at, account.programme.tz) + timedelta(days=30)
            extensions.extend(
                account=account,
                lots=[lot.pk],
                until=until,
                now=at,
                key="demo:extension",
                by=STAFF,
                reason="the member could not sign in for a week",
            )


def _programme(
    code: str, name: str, since: datetime, months: int, rounding: Rounding, *, reinstate_window_days: int = 0
) -> Programme:
    programme = programmes.create(
        code=code,
        name=name,
        zone="Asia/Seoul",
        effective_from=since,
        count=months,
        rounding=rounding,
        notice_days=30,
        reinstate_window_days=reinstate_window_days,
    )
    for offset in (60, 30, 3):
        programme_rules.remind(programme=programme, offset_days=offset)
    return programme


def _account(programme: Programme, reference: str) -> Account:
    account = accounts.open_account(programme=programme, reference=reference)
    contacts.put(
        member=account.member,
        address=f"{reference}@members.example",
        language=programme.language,
        verified=True,
        now=programme.created_at,
    )
    return account
