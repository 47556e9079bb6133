"""Every number that is kept beside the entries, worked out again from them; compared, or corrected.

Of an account: its numbers and dates. Of a lot: what is left, its dates, its gate. Of holds and closures: whether they
are open. An account whose facts do not add up is not corrected: nobody knows then what its numbers are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import Error, transaction
from psycopg import errors as pg

from ledger.audit import Telling, one_snapshot
from ledger.correcting import rewrite_account, rewrite_lots, rewrite_pending
from ledger.errors import AccountBusy
from ledger.reading import lock_accounts
from ledger.retelling import MADE, Difference, Story


@dataclass(frozen=True, slots=True)
class Refused:
    """An account that was not corrected, and why."""

    account_id: int
    why: str

    def __str__(self) -> str:
        return f"account {self.account_id} is not corrected: {self.why}"


def differences(account_ids: Sequence[int]) -> Iterator[Difference]:
    """What is kept of these accounts and is not what their entries say, as of one moment."""
    with one_snapshot():
        telling = Telling.begin(account_ids)
        for _ in telling.facts():
            pass  # what is wrong with the facts is for the audit to say
        yield from telling.differences()


def correct(account_id: int) -> list[Difference] | Refused:
    """Keep what the account's entries say, under its lock; returns what was corrected, or why nothing was.

    Raises AccountBusy. Opens the outermost transaction itself.
    """
    try:
        with transaction.atomic(durable=True):
            # The lock alone, not what it reads: the kept numbers are what is in doubt.
            lock_accounts({account_id})
            return _correct(account_id)
    except Error as error:
        if isinstance(error.__cause__, pg.LockNotAvailable | pg.DeadlockDetected):
            raise AccountBusy from error
        if isinstance(error.__cause__, pg.IntegrityError):
            return Refused(account_id, f"the database refuses it ({error.__cause__.diag.message_primary})")
        raise


def _correct(account_id: int) -> list[Difference] | Refused:
    telling = Telling.begin([account_id])
    wrong = next(telling.facts(), None)
    if wrong:
        return Refused(account_id, f"its facts do not add up ({wrong})")
    found = list(telling.differences())
    if lost := [difference.of for difference in found if difference.name == MADE]:
        return Refused(account_id, f"no entry made {lost[0]}")
    _rewrite(telling.stories[account_id], found)
    return found


def _rewrite(story: Story, found: Sequence[Difference]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for difference in found:
        word, _, number = difference.of.partition(" ")
        numbers[word].append(int(number or 0))
    # The lots first: the database wants an account in debt to hold nothing.
    rewrite_lots(story.lots[number] for number in sorted(set(numbers["lot"])))
    rewrite_pending(story.book, numbers["hold"], numbers["closure"])
    if numbers["account"]:
        rewrite_account(story.book)
