"""The programme and the accounts that are measured: one of a kind is written by acts, and copied."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from alerts.addresses import contacts
from alerts.models.contact import Channel
from benchmarks import load
from ledger import accounts, grants, posting, programmes
from ledger.actors import Actor
from ledger.errors import LedgerError
from ledger.models import Account, Programme
from ledger.policies import Rounding, Unit
from ledger.redemptions import redeem_order

SHOP = Actor("api", "bench")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MANY_POINTS = 1_000_000_000  # a lot that no run empties
IN_ONE_POST = 500
# An address by channel; the zeros become the number of the account.
ADDRESSES = {Channel.EMAIL: f"member-{load.ZEROS}@example.com", Channel.SMS: f"+82105{load.ZEROS}"}


@dataclass(frozen=True, slots=True)
class Members:
    """Accounts of one programme, by the range of their ids. Small enough to be handed to other processes."""

    programme_id: int
    ids: range

    def account(self, account_id: int) -> Account:
        """The account as an act takes it, made once: it is its caller's; nothing of it is read from the database."""
        return _account(account_id, self.programme_id)


@cache
def _account(account_id: int, programme_id: int) -> Account:
    return Account(pk=account_id, programme_id=programme_id)


def a_key() -> str:
    """The beginning of keys that no other job uses."""
    return f"bench:{uuid.uuid4().hex[:12]}"


def programme(code: str) -> Programme:
    """A programme whose points live 24 months to the end of the month, without a notice duty."""
    return programmes.create(
        code=code,
        name=code,
        zone="Asia/Seoul",
        effective_from=LONG_AGO,
        count=24,
        unit=Unit.MONTHS,
        rounding=Rounding.MONTH,
    )


def with_lots(of: Programme, *, copies: int, lots: Sequence[int], now: datetime, reference: str = "") -> Members:
    """So many accounts with lots of these points, granted over the last year."""
    account = accounts.open_account(programme=of, reference=reference or a_key())
    key = a_key()
    for number, points in enumerate(lots):
        then = now - timedelta(days=360 - 300 * number / len(lots))
        grants.grant(account=account, points=points, now=then, key=f"{key}:{number}", by=SHOP)
    return Members(of.pk, load.copy_account(account.pk, copies))


def with_history(of: Programme, *, copies: int, entries: int, now: datetime) -> Members:
    """So many accounts with one lot and that many entries, redemptions of one point but for the first."""
    account = accounts.open_account(programme=of, reference=a_key())
    then = now - timedelta(days=30)
    key = a_key()
    grants.grant(account=account, points=MANY_POINTS, now=then, key=f"{key}:grant", by=SHOP)
    for first in range(1, entries, IN_ONE_POST):
        orders = [
            redeem_order(account_id=account.pk, points=1, now=then, key=f"{key}:{number}", by=SHOP)
            for number in range(first, min(first + IN_ONE_POST, entries))
        ]
        refused = [outcome for outcome in posting.post(orders) if isinstance(outcome, LedgerError)]
        assert not refused, refused
    return Members(of.pk, load.copy_account(account.pk, copies))


def with_due_lots(of: Programme, *, copies: int, granted: datetime, due: datetime) -> Members:
    """So many accounts with one lot that is over at `due`, and one that stays."""
    account = accounts.open_account(programme=of, reference=a_key())
    key = a_key()
    grants.grant(account=account, points=100, now=granted, key=f"{key}:due", by=SHOP, expires_at=due)
    grants.grant(account=account, points=100, now=granted, key=f"{key}:stays", by=SHOP)
    return Members(of.pk, load.copy_account(account.pk, copies))


def with_addresses(members: Members, *, now: datetime, channel: Channel = Channel.EMAIL) -> None:
    """Give each of the members a verified address."""
    first = Account.objects.select_related("member").get(pk=members.ids[0])
    contact = contacts.put(
        member=first.member, channel=channel, address=ADDRESSES[channel], language="ko", verified=True, now=now
    )
    load.copy_contact(contact.pk, members.ids[1:])
