"""The auditor: reads every fact, tells each account's story again, and says what does not add up. It never fixes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, Sum

from ledger.allocation import LotState
from ledger.models import Account, Allocation, Entry, Extension, Lot, Notice
from ledger.retelling import EntryFacts, Finding, NoticeFacts, Story

ACCOUNTS_AT_ONCE = 500

Row = TypeVar("Row")


def audit(*, programme_id: int | None = None, progress: Callable[[int], object] = lambda n: None) -> Iterator[Finding]:
    """Check laws 1 to 10, 13, 14 and 15 on one programme, or on all; yields findings as they are found.

    `progress` is told how many accounts each step went through.
    """
    accounts = Account.objects.all() if programme_id is None else Account.objects.filter(programme_id=programme_id)
    yield from _law_14(programme_id)
    last = 0
    while True:
        with _one_snapshot():
            batch = list(accounts.filter(pk__gt=last).order_by("pk")[:ACCOUNTS_AT_ONCE])
            if not batch:
                return
            yield from _audit_accounts(batch)
        last = batch[-1].pk
        progress(len(batch))


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, whoever writes meanwhile. Joins a caller's transaction as it is."""
    joins = connection.in_atomic_block
    with transaction.atomic():
        if not joins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _law_14(programme_id: int | None) -> Iterator[Finding]:
    """The sums by kind of a programme come to what its accounts hold, less what they owe."""
    wanted = {} if programme_id is None else {"programme_id": programme_id}
    with _one_snapshot():
        moved = dict(Entry.objects.filter(**wanted).values_list("programme_id").annotate(Sum("amount")))
        held = dict(
            Account.objects.filter(**wanted).values_list("programme_id").annotate(sum=Sum(F("balance") - F("debt")))
        )
    for programme, total in held.items():
        if int(moved.get(programme, 0)) != int(total):
            yield Finding(14, None, None, f"{programme}: entries sum to {moved.get(programme, 0)}, accounts to {total}")


def _audit_accounts(accounts: Sequence[Account]) -> Iterator[Finding]:
    ids = [account.pk for account in accounts]
    facts = _facts(ids)
    lots = _by(Lot.objects.filter(account__in=ids), lambda lot: lot.account_id)
    for account in accounts:
        story = Story(account.pk)
        for entry_facts in facts[account.pk]:
            yield from story.tell(entry_facts)
        cached = {
            "balance": account.balance,
            "debt": account.debt,
            "seq": account.seq,
            "head_hash": bytes(account.head_hash),
            "last_recorded_at": account.last_recorded_at,
        }
        yield from story.close(cached, {lot.pk: _as_kept(lot) for lot in lots[account.pk]})


def _facts(account_ids: Sequence[int]) -> dict[int, list[EntryFacts]]:
    """Every entry of these accounts with all that belongs to it, in `seq` order."""
    of_accounts = {"entry__account__in": account_ids}
    allocations = _by(Allocation.objects.filter(**of_accounts).order_by("pk"), lambda a: a.entry_id)
    extensions = _by(Extension.objects.filter(**of_accounts).order_by("pk"), lambda x: x.entry_id)
    notices = {notice.entry_id: notice for notice in Notice.objects.filter(**of_accounts)}
    first_dates = _first_dates(extensions)
    made = _by(
        Lot.objects.filter(account__in=account_ids).order_by("account", "seq", "number"),
        lambda lot: (lot.account_id, lot.seq),
    )
    facts: dict[int, list[EntryFacts]] = defaultdict(list)
    for entry in Entry.objects.filter(account__in=account_ids).order_by("account", "seq"):
        facts[entry.account_id].append(
            EntryFacts(
                entry=entry,
                hash=bytes(entry.hash),
                made=[_as_made(lot, first_dates) for lot in made[entry.account_id, entry.seq]],
                allocations=[(a.lot_id, a.delta) for a in allocations[entry.pk]],
                extensions=[(x.lot_id, x.was, x.until) for x in extensions[entry.pk]],
                notice=_notice(notices.get(entry.pk)),
            )
        )
    return facts


def _by(rows: Iterable[Row], name: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[name(row)].append(row)
    return grouped


def _first_dates(extensions: dict[int, list[Extension]]) -> dict[int, Extension]:
    """The first extension of each lot: its `was` is the date that the lot was made with."""
    first: dict[int, Extension] = {}
    for extension in sorted((x for group in extensions.values() for x in group), key=lambda x: x.pk):
        first.setdefault(extension.lot_id, extension)
    return first


def _as_made(lot: Lot, first_dates: dict[int, Extension]) -> LotState:
    state = _as_kept(lot)
    state.remaining = 0
    if lot.pk in first_dates:
        state.expires_at = first_dates[lot.pk].was
    state.gated = lot.notice_days > 0 and state.expires_at is not None
    return state


def _as_kept(lot: Lot) -> LotState:
    return LotState(
        id=lot.pk,
        seq=lot.seq,
        number=lot.number,
        family_seq=lot.family_seq,
        policy_id=lot.policy_id,
        origin=lot.origin,
        granted=lot.granted,
        remaining=lot.remaining,
        spendable_at=lot.spendable_at,
        expires_at=lot.expires_at,
        gated=lot.gated,
        notice_days=lot.notice_days,
        notice_slack=lot.notice_slack,
    )


def _notice(notice: Notice | None) -> NoticeFacts | None:
    if notice is None:
        return None
    return NoticeFacts(
        expires_at=notice.expires_at,
        expires_on=notice.expires_on,
        told_on=notice.told_on,
        channel=notice.channel,
        evidence=notice.evidence,
        lots=notice.lots,
    )
