"""Whom a run tells, and of what: members with an address each, whose points go in seven weeks, under a duty to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import Error, connection, transaction

from alerts.addresses import contacts
from alerts.models import TellingRules
from alerts.models.contact import Channel
from alerts.rules import programme_rules
from alerts.texts import template_versions
from alerts.texts.words import built_in
from ledger import programmes
from ledger.accounts import open_accounts
from ledger.actors import Actor
from ledger.errors import AccountBusy, LedgerError
from ledger.grants import grant_order
from ledger.models import Account, Programme
from ledger.policies import Model, Unit
from ledger.posting import post

CHAOS = Actor("system", "chaos")
NOTICE_DAYS, REMINDER_DAYS, LIFE_DAYS = 30, 60, 50
AT_ONCE = 200  # grants in one transaction
LANGUAGE = "en"  # of all members


@dataclass(frozen=True, slots=True)
class Stage:
    """The programme of a run, its members in their order, and when all their points go."""

    programme_id: int
    accounts: Sequence[tuple[str, int]]  # (reference, account)
    expires_at: datetime

    @property
    def members(self) -> list[str]:
        return [reference for reference, _ in self.accounts]

    def grant(self, first: int, last: int, *, now: datetime) -> bool:
        """Grant points to the members from `first` up to, but not with, `last`; False: ask again, under the same keys.

        Raises LedgerError when the ledger refuses one.
        """
        for start in range(first, last, AT_ONCE):
            orders = [
                grant_order(
                    account_id=account,
                    points=100,
                    now=now,
                    key=f"chaos:{reference}",
                    by=CHAOS,
                    expires_at=self.expires_at,
                )
                for reference, account in self.accounts[start : min(start + AT_ONCE, last)]
            ]
            try:
                outcomes = post(orders)
            except (Error, AccountBusy):  # the database is being restarted, or a worker was at it
                connection.close()
                return False
            for outcome in outcomes:
                if isinstance(outcome, LedgerError):
                    raise outcome
        return True


def noon_zone(now: datetime) -> str:
    """A zone in which it is noon or soon after: quiet hours are far."""
    return f"Etc/GMT{now.hour - 12:+d}"  # the sign says how far behind Greenwich is: the other way round


def set_up(*, channel: Channel, members: int, now: datetime) -> Stage:
    """A programme with one reminder on this channel, and its members; nobody has points yet."""
    zone = noon_zone(now)
    programme = programmes.create(
        code="chaos",
        name="Chaos",
        zone=zone,
        effective_from=now - timedelta(days=400),
        model=Model.ROLLING,
        count=12,
        unit=Unit.MONTHS,
        notice_days=NOTICE_DAYS,
    )
    programme_rules.remind(programme=programme, offset_days=REMINDER_DAYS, channels=[channel])
    if channel == Channel.ALIMTALK:
        _approve(programme, now)
    # All go on one day, and at any hour: neither the guard against blasts nor quiet hours are what is tried here.
    TellingRules.objects.create(programme=programme, open_from=time(), open_until=time(), blast_least=members)
    accounts = _with_addresses(programme, channel, members, now)
    last_day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=LIFE_DAYS)
    return Stage(programme.pk, accounts, datetime.combine(last_day, time(), ZoneInfo(zone)))


def _approve(programme: Programme, now: datetime) -> None:
    """Words of the programme's own, with a code: the built-in ones have none, and no AlimTalk goes out without."""
    words = replace(built_in(Channel.ALIMTALK, LANGUAGE), provider_code="chaos")
    template_versions.save(
        programme=programme, channel=Channel.ALIMTALK, language=LANGUAGE, words=words, by=CHAOS, now=now
    )


@transaction.atomic  # thousands of commits would take longer than all the rest
def _with_addresses(programme: Programme, channel: Channel, members: int, now: datetime) -> list[tuple[str, int]]:
    accounts = sorted(open_accounts(programme=programme, references=[f"m{n:05}" for n in range(members)]).items())
    found = Account.objects.select_related("member").in_bulk([account for _, account in accounts])
    for number, (reference, account) in enumerate(accounts):
        address = f"{reference}@chaos.example" if channel == Channel.EMAIL else f"+8210{20_000_000 + number}"
        contacts.put(
            member=found[account].member, channel=channel, address=address, language=LANGUAGE, verified=True, now=now
        )
    return accounts
