"""The auditor: reads every fact, tells each account's story again, and says what does not add up. It never fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import F, Sum

from ledger.checking import Finding
from ledger.models import Account, Entry
from ledger.retelling import Story
from ledger.rows import read_rows
from ledger.rules import rules_of

ACCOUNTS_AT_ONCE = 500


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
    rows = read_rows(ids)
    for account in accounts:
        story = Story.begin(account.pk, account.programme_id, rules_of(account.programme_id))
        made = {lot.pk: lot.as_made() for lot in rows.lots[account.pk]}
        for facts in rows.facts(account.pk, made):
            yield from story.tell(facts)
        told = {pk: lot for pk, lot in made.items() if lot.seq <= story.book.seq}
        kept = {lot.pk: lot.state() for lot in rows.lots[account.pk]}
        holds = {hold.seq: hold.open for hold in rows.holds[account.pk].values()}
        closures = {closure.seq: closure.open for closure in rows.closures[account.pk].values()}
        yield from story.close(account, kept, holds, closures, told)
