"""Verdicts: what a run of the audit said, kept; and how the next run goes on from there.

An incremental run tells those accounts on whose number of entries or head moved since they were last told clean: the
entries since, on the page of that moment (`continuing.py`). Who cannot be told on is told from the first entry, and so
is everybody in whom anything is wrong. Of the others it compares what is kept beside the entries with what it was then.
So it finds every new entry that is wrong, every kept number that was changed, and entries that were cut off. An old
fact that was changed in place, under the same head, is found by a full run only.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ledger.audit import Told, batches, in_batches, of_accounts, of_programmes, one_snapshot
from ledger.checking import Finding
from ledger.continuing import tell_on
from ledger.kept import Now, kept_now
from ledger.models import Account, AccountVerdict, Mode, Programme, Verdict
from ledger.seals import verify

logger = logging.getLogger(__name__)

FIRST_FINDINGS = 20


@dataclass(slots=True)
class Run:
    """One run of the audit. Go through `findings`; whatever happens, `keep` then stores what was done."""

    mode: Mode
    now: datetime
    programme: Programme | None = None
    account: Account | None = None
    most: int | None = None  # accounts; None: all
    after: int = 0  # the account behind which an interrupted full run goes on
    progress: Callable[[int], object] = lambda n: None
    accounts: int = 0
    told: int = 0
    entries: int = 0
    reached: int = 0
    by_law: Counter[int] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    done: bool = False

    def findings(self) -> Generator[Finding, None, None]:
        """Everything that does not add up, as it is found."""
        self.reached = self.after
        for finding in self._findings():
            self.by_law[finding.law] += 1
            if len(self.first) < FIRST_FINDINGS:
                self.first.append(str(finding))
            yield finding
        self.done = True

    def keep(self, *, ended_at: datetime) -> Verdict:
        """Store the verdict: of the whole run, or of what was done until it was interrupted."""
        return Verdict.objects.create(
            mode=self.mode,
            programme=self.programme,
            account=self.account,
            started_at=self.now,
            ended_at=max(ended_at, self.now),
            accounts=self.accounts,
            told=self.told,
            entries=self.entries,
            findings=self.by_law.total(),
            by_law={str(law): number for law, number in sorted(self.by_law.items())},
            first="\n".join(self.first),
            interrupted=not self.done,
            reached=0 if self.done else self.reached,
        )

    def _findings(self) -> Iterator[Finding]:
        if self.account is None and self.most is None and not self.after:
            yield from of_programmes(self.programme.pk if self.programme else None)
            yield from _gone(self.programme)
            if self.programme is None:
                yield from verify()
        for batch in self._batches():
            yield from self._batch(batch)

    def _batches(self) -> Iterator[list[int]]:
        accounts = Account.objects.all()
        if self.programme:
            accounts = accounts.filter(programme=self.programme)
        if self.account:
            accounts = accounts.filter(pk=self.account.pk)
        if self.most is None:
            yield from batches(accounts, after=self.after)
        else:
            yield from in_batches(_waiting(accounts, self.most))

    def _batch(self, account_ids: Sequence[int]) -> Iterator[Finding]:
        """One batch in one snapshot; then what the next run must know of it."""
        told: list[Told] = []
        with one_snapshot():
            before = AccountVerdict.objects.in_bulk(account_ids)
            now = kept_now(account_ids)
            again = [pk for pk in account_ids if self.mode == Mode.FULL or not _stands(before.get(pk), now.get(pk))]
            if self.mode == Mode.MOVED:
                told += tell_on(
                    {pk: before[pk] for pk in again if pk in before}, {pk: one.seq for pk, one in now.items()}
                )
            if whole := sorted(set(again) - {one.account_id for one in told}):
                remembered = {pk: (row.seq, bytes(row.head_hash)) for pk, row in before.items() if row.seq}
                yield from of_accounts(whole, told, remembered)
        _remember(told, before, now, at=self.now)
        AccountVerdict.objects.filter(account__in=set(account_ids) - set(again)).update(seen_at=self.now)
        self.accounts += len(account_ids)
        self.told += len(told)
        self.entries += sum(one.entries for one in told)
        self.reached = max(self.reached, account_ids[-1])
        self.progress(len(account_ids))


def audit_some(*, now: datetime, most: int, clock: Callable[[], datetime]) -> Verdict:
    """An incremental run over `most` accounts: those that moved, who waited longest first, then the others in turn.

    Findings are logged as errors; they name accounts and entries by number, and nobody. `clock` says when it ended.
    """
    run = Run(Mode.MOVED, now, most=most)
    try:
        with closing(run.findings()) as found:
            for finding in found:
                logger.error("audit: %s", finding)
    finally:
        verdict = run.keep(ended_at=clock())
    return verdict


def _stands(row: AccountVerdict | None, now: Now | None) -> bool:
    """Whether the account was found clean, and nothing of it has moved since."""
    if row is None or row.findings:
        return False
    return now == Now(row.seq, bytes(row.head_hash), bytes(row.kept_hash))


def _remember(
    told: Sequence[Told], before: Mapping[int, AccountVerdict], now: Mapping[int, Now], *, at: datetime
) -> None:
    """Note how these accounts were told. Of one with findings the last clean state stays: it is what was lost."""
    rows = []
    for one in told:
        row = before.get(one.account_id) or AccountVerdict(account_id=one.account_id)
        row.findings, row.seen_at = one.findings, at
        row.told_at = at if one.whole else row.told_at
        if not one.findings:
            row.seq, row.head_hash = one.seq, one.head_hash
            row.kept_hash = now[one.account_id].kept_hash
        rows.append(row)
    columns = ["seq", "head_hash", "kept_hash", "findings", "told_at", "seen_at"]
    AccountVerdict.objects.bulk_create(rows, update_conflicts=True, update_fields=columns, unique_fields=["account"])


def _waiting(accounts: QuerySet[Account], most: int) -> list[tuple[int, int]]:
    """Up to `most` accounts, (id, entries), in the order of their ids: those that moved since they were last told, who
    waited longest first; then the others, in turn."""
    last = {"last_seq": F("audited__seq"), "last_head": F("audited__head_hash"), "seen_at": F("audited__seen_at")}
    moved = Q(last_seq=None) | ~Q(seq=F("last_seq")) | ~Q(head_hash=F("last_head"))
    oldest = F("seen_at").asc(nulls_first=True)
    # One with findings moves no further until it is clean: it takes its turn with those that stand still.
    first = accounts.annotate(**last).filter(moved & (Q(last_seq=None) | Q(audited__findings=0)))
    found = list(first.order_by(oldest, "pk").values_list("pk", "seq")[:most])
    if len(found) < most:
        turn = AccountVerdict.objects.filter(account__in=accounts).exclude(account__in=[pk for pk, _ in found])
        found += turn.order_by("seen_at").values_list("account_id", "account__seq")[: most - len(found)]
    return sorted(found)


def _gone(programme: Programme | None) -> Iterator[Finding]:
    """Accounts that were told once and are no more; which programme they were of nobody knows any longer."""
    if programme is None:
        accounts = Account.objects.filter(pk=OuterRef("account_id"))
        for account_id in AccountVerdict.objects.filter(~Exists(accounts)).values_list("account_id", flat=True):
            yield Finding(13, account_id, None, "it was there when it was last told, and is gone")
