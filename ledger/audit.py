"""The auditor: reads every fact, tells each account's story again, and says what does not add up. It never fixes.

Accounts are read a batch at a time, each in one snapshot, and a long history in windows of its entries: what stands in
memory is one window, and of the accounts that are being told their lots and what can still be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Count, F, Min, QuerySet, Sum

from ledger.checking import Finding
from ledger.models import Account, Closure, Entry, Hold, Lot
from ledger.policies import Rules
from ledger.retelling import Difference, Story
from ledger.rows import read_rows
from ledger.rules import rules_of

ACCOUNTS_AT_ONCE = 500
ENTRIES_AT_ONCE = 2_000
LOTS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Told:
    """An account that was gone through: up to which entry, and how many findings there were."""

    account_id: int
    seq: int
    head_hash: bytes
    entries: int  # that were told
    findings: int
    whole: bool = True  # from the first entry


def audit(
    *,
    programme_id: int | None = None,
    account_id: int | None = None,
    progress: Callable[[Sequence[Told]], object] = lambda told: None,
) -> Iterator[Finding]:
    """Check all laws but the seals on one account, on one programme, or on all; yields findings as they are found.

    `progress` is told what each step went through. How each law is checked is said in `docs/operations.md`.
    """
    accounts = Account.objects.all()
    if account_id is not None:
        accounts = accounts.filter(pk=account_id)
    else:
        yield from of_programmes(programme_id)
        if programme_id is not None:
            accounts = accounts.filter(programme=programme_id)
    for batch in batches(accounts):
        told: list[Told] = []
        yield from of_accounts(batch, told)
        progress(told)


def batches(accounts: QuerySet[Account], *, after: int = 0) -> Iterator[list[int]]:
    """Ids of accounts in their order, so many that their entries are read at once; at least one."""
    while page := list(accounts.filter(pk__gt=after).order_by("pk").values_list("pk", "seq")[:ACCOUNTS_AT_ONCE]):
        yield from in_batches(page)
        after = page[-1][0]


def in_batches(accounts: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """These accounts, each with its number of entries, in such batches."""
    batch: list[int] = []
    entries = 0
    for account_id, seq in accounts:
        if batch and entries + seq > ENTRIES_AT_ONCE:
            yield batch
            batch, entries = [], 0
        batch.append(account_id)
        entries += seq
    if batch:
        yield batch


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, whoever writes meanwhile. Joins a caller's transaction as it is."""
    joins = connection.in_atomic_block
    with transaction.atomic():
        if not joins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def of_programmes(programme_id: int | None = None) -> Iterator[Finding]:
    """What is asked of a programme as a whole: laws 1 and 14."""
    wanted = {} if programme_id is None else {"programme_id": programme_id}
    with one_snapshot():
        moved = dict(Entry.objects.filter(**wanted).values_list("programme_id").annotate(Sum("amount")))
        held = dict(
            Account.objects.filter(**wanted).values_list("programme_id").annotate(sum=Sum(F("balance") - F("debt")))
        )
        keys = Entry.objects.filter(**wanted, key__isnull=False).values_list("programme_id", "key")
        twice = list(keys.annotate(entries=Count("pk")).filter(entries__gt=1).order_by("programme_id", "key"))
    for programme in sorted(moved.keys() | held.keys()):
        entries, accounts = moved.get(programme, 0), held.get(programme, 0)
        if int(entries) != int(accounts):
            yield Finding(14, None, None, f"{programme}: entries sum to {entries}, accounts to {accounts}")
    for programme, key, entries in twice:
        yield Finding(1, None, None, f"{programme}: {entries} entries have the key {key}")


def of_accounts(
    account_ids: Sequence[int], told: list[Told], remembered: Mapping[int, tuple[int, bytes]] | None = None
) -> Iterator[Finding]:
    """Tell these accounts from their first entry, in one snapshot, and compare them with what is kept of them.

    Who was gone through is noted in `told`. `remembered`: an entry, as (seq, hash), that an account is known to have.
    """
    with one_snapshot():
        counts: dict[int, int] = dict.fromkeys(account_ids, 0)
        telling = Telling.begin(account_ids)
        for account_id, entry in (remembered or {}).items():
            if account_id in telling.stories:
                telling.stories[account_id].remembered = entry
        for finding in telling.facts():
            counts[finding.account_id or 0] += 1
            yield finding
        for difference in telling.differences():
            counts[difference.account_id] += 1
            yield difference.finding
    for account_id, story in telling.stories.items():
        head = story.book.head_hash
        told.append(Told(account_id, story.book.seq, head, telling.entries[account_id], counts[account_id]))


@dataclass(slots=True)
class Telling:
    """Some accounts, and their stories as far as they were told."""

    accounts: dict[int, Account]
    stories: dict[int, Story]
    entries: dict[int, int] = field(default_factory=dict)  # told so far, by account

    @classmethod
    def begin(cls, account_ids: Sequence[int]) -> Telling:
        """Read these accounts; nothing of them was told yet."""
        accounts = {account.pk: account for account in Account.objects.filter(pk__in=account_ids).order_by("pk")}
        programmes = {account.programme_id for account in accounts.values()}
        rules: dict[int, Rules] = {programme_id: rules_of(programme_id) for programme_id in programmes}
        stories = {pk: Story.begin(pk, a.programme_id, rules[a.programme_id]) for pk, a in accounts.items()}
        return cls(accounts, stories, dict.fromkeys(accounts, 0))

    def facts(self) -> Iterator[Finding]:
        """Tell all entries, a window at a time; yields what does not add up in the facts."""
        ids = list(self.accounts)
        every = Entry.objects.filter(account__in=ids)
        after = 0
        while (first := every.filter(seq__gt=after).aggregate(least=Min("seq"))["least"]) is not None:
            through = first + ENTRIES_AT_ONCE - 1
            rows = read_rows(ids, after=after, through=through)
            for account_id, story in self.stories.items():
                story.lots |= {lot.pk: lot.as_made() for lot in rows.lots[account_id]}
                for facts in rows.facts(account_id, story.lots):
                    yield from story.tell(facts)
                self.entries[account_id] += len(rows.entries[account_id])
            after = through
        for story in self.stories.values():
            yield from story.close()

    def differences(self) -> Iterator[Difference]:
        """What is kept beside the entries and is not what they say."""
        for account_id, story in self.stories.items():
            yield from story.account_differs(self.accounts[account_id])
        for lot in _kept_lots(list(self.accounts)):
            yield from self.stories[lot.account_id].lot_differs(lot)
        pending = {word: _open(rows, self.accounts) for word, rows in (("hold", Hold), ("closure", Closure))}
        for account_id, story in self.stories.items():
            yield from story.pending_differs(
                pending["hold"].get(account_id, {}), pending["closure"].get(account_id, {})
            )


def _kept_lots(account_ids: Sequence[int]) -> Iterator[Lot]:
    lots = Lot.objects.filter(account__in=account_ids).order_by("account", "seq", "number")
    return lots.iterator(chunk_size=LOTS_AT_ONCE)


def _open(model: type[Hold | Closure], accounts: Sequence[int] | dict[int, Account]) -> dict[int, dict[int, bool]]:
    found: dict[int, dict[int, bool]] = {}
    for account_id, seq, is_open in model.objects.filter(account__in=accounts).values_list("account_id", "seq", "open"):
        found.setdefault(account_id, {})[seq] = is_open
    return found
