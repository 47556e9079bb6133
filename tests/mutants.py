"""Break the ledger on purpose, one place at a time, and see that a test fails each time: `make mutants`.

Outside `make check`, for it takes minutes. The project is copied once to a temporary folder; only that copy is broken.
First the tests must pass on the whole copy, or a failure would prove nothing. `ARGS="name name"` tries only these.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120  # seconds: a broken loop may never end
PASSED, FAILED = 0, 1  # pytest's exit codes; any other says that tests could not be run at all


class Mutant(NamedTuple):
    """One way to break the ledger: in `file` the `old` text, found exactly once, becomes `new`; `tests` must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str  # test files below tests/, with spaces between them


MUTANTS = [
    # --- order
    Mutant(
        "among-equals-the-younger-lot-first",
        "ledger/allocation.py",
        "FOREVER, lot.seq, lot.number)",
        "FOREVER, -lot.seq, lot.number)",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "points-that-never-expire-go-first",
        "ledger/allocation.py",
        "datetime.max.replace(",
        "datetime.min.replace(",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "promised-points-pay-a-clawback-first",
        "ledger/allocation.py",
        "            if is_spendable(lot, at):",
        "            if not is_spendable(lot, at):",
        "ledger/test_allocation.py ledger/test_clawbacks.py",
    ),
    Mutant(
        "strangers-pay-a-clawback-first",
        "ledger/allocation.py",
        "if family_only else (family, others)",
        "if family_only else (others, family)",
        "ledger/test_allocation.py ledger/test_clawbacks.py",
    ),
    Mutant(
        "the-first-points-come-back-first",
        "ledger/undoing.py",
        "return first_points(list(reversed(slices)), points)",
        "return first_points(slices, points)",
        "laws/test_small_scope.py",
    ),
    Mutant(
        "a-second-refund-gives-the-same-slices-back",
        "ledger/refunds.py",
        "kept = first_points(spent.slices, left)",
        "kept = spent.slices",
        "ledger/test_refunds.py",
    ),
    Mutant(
        "holds-lapse-before-lots-end",
        "ledger/catchup.py",
        "yield lapses_at, 1, lapse",
        "yield lapses_at, -1, lapse",
        "ledger/test_catchup.py",
    ),
    Mutant(
        "the-account-closes-before-holds-lapse",
        "ledger/catchup.py",
        "yield book.closing.closes_at, 2, close",
        "yield book.closing.closes_at, -2, close",
        "ledger/test_catchup.py ledger/test_closures.py",
    ),
    Mutant(
        "a-page-leaves-lots-without-a-date-out",
        "ledger/reading.py",
        "*(_BEFORE_ALL if last.expires_at else behind))",
        "*behind)",
        "ledger/test_reading.py ledger/test_reading_by_pages.py",
    ),
    # --- boundaries
    Mutant(
        "a-lot-lives-through-its-own-end",
        "ledger/allocation.py",
        "lot.expires_at <= at and not lot.gated",
        "lot.expires_at < at and not lot.gated",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "a-lot-ends-though-nobody-was-told",
        "ledger/allocation.py",
        "lot.expires_at <= at and not lot.gated",
        "lot.expires_at <= at",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "a-promise-is-kept-an-instant-late",
        "ledger/allocation.py",
        "return lot.spendable_at <= at and",
        "return lot.spendable_at < at and",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "a-hold-outlives-its-lapse",
        "ledger/catchup.py",
        "if lapses_at and lapses_at <= book.at:",
        "if lapses_at and lapses_at < book.at:",
        "ledger/test_catchup.py ledger/test_holds.py",
    ),
    Mutant(
        "an-account-outlives-its-end",
        "ledger/catchup.py",
        "book.closing.closes_at <= book.at:",
        "book.closing.closes_at < book.at:",
        "ledger/test_catchup.py ledger/test_closures.py",
    ),
    Mutant(
        "the-whole-balance-cannot-be-spent",
        "ledger/redemptions.py",
        "if there < points:",
        "if there <= points:",
        "ledger/test_redemptions.py",
    ),
    Mutant(
        "a-whole-hold-cannot-be-captured",
        "ledger/holds.py",
        "if captured > held.points:",
        "if captured >= held.points:",
        "ledger/test_holds.py",
    ),
    Mutant(
        "the-floor-itself-is-too-near",
        "ledger/policies.py",
        "expires_at >= days_after(at, terms.restored_floor_days",
        "expires_at > days_after(at, terms.restored_floor_days",
        "ledger/test_restoring.py ledger/test_policies_of_all_models.py",
    ),
    Mutant(
        "the-last-good-day-of-a-notice-is-too-late",
        "ledger/policies.py",
        "return ahead >= notice_days and",
        "return ahead > notice_days and",
        "ledger/test_policies.py ledger/test_policies_of_all_models.py",
    ),
    Mutant(
        "the-window-to-reinstate-is-open-at-its-end",
        "ledger/policies.py",
        "return at < days_after(ended_at",
        "return at <= days_after(ended_at",
        "ledger/test_reinstatements.py",
    ),
    # --- sums and signs
    Mutant(
        "a-lot-pays-more-than-it-has",
        "ledger/allocation.py",
        "part = min(lot.remaining, missing)",
        "part = missing",
        "ledger/test_allocation.py",
    ),
    Mutant(
        "a-debt-counts-for-the-member",
        "ledger/book.py",
        "amount = moved - debt_delta",
        "amount = moved + debt_delta",
        "ledger/test_book.py ledger/test_clawbacks.py",
    ),
    Mutant(
        "a-debt-is-taken-from-the-balance-too",
        "ledger/book.py",
        "balance_after=self.balance + moved,",
        "balance_after=self.balance + amount,",
        "ledger/test_book.py ledger/test_clawbacks.py",
    ),
    Mutant(
        "settling-adds-to-the-debt",
        "ledger/settling.py",
        "debt_delta=-paid",
        "debt_delta=paid",
        "ledger/test_settling.py",
    ),
    Mutant(
        "what-comes-back-pays-no-debt",
        "ledger/restoring.py",
        "    settle(book, effective_at=at)\n",
        "",
        "laws/test_small_scope.py",
    ),
    Mutant(
        "a-clawback-has-no-cap",
        "ledger/clawbacks.py",
        "due = points if grant is None else min(points, grant.cap)",
        "due = points",
        "ledger/test_clawbacks.py",
    ),
    Mutant(
        "expired-points-are-clawed-back",
        "ledger/undoing.py",
        "self.granted + self.reinstated - self.expired - self.clawed_back",
        "self.granted + self.reinstated - self.clawed_back",
        "ledger/test_undoing.py ledger/test_clawbacks.py",
    ),
    Mutant(
        "others-pay-what-is-written-off",
        "ledger/clawbacks.py",
        "family_only=writes_off and grant is not None",
        "family_only=False",
        "ledger/test_clawbacks.py",
    ),
    Mutant(
        "more-comes-back-than-was-left-to-refund",
        "ledger/refunds.py",
        "if points > left:",
        "if points > spent.points:",
        "ledger/test_refunds.py",
    ),
    Mutant(
        "a-clawback-has-the-sign-of-a-grant",
        "ledger/kinds.py",
        "Kind.CLAWBACK: -1,",
        "Kind.CLAWBACK: 1,",
        "ledger/test_clawbacks.py",
    ),
    # --- time, dates and gates
    Mutant(
        "time-runs-backwards",
        "ledger/book.py",
        "self.at = max(now, self.last_recorded_at) if self.last_recorded_at else now",
        "self.at = now",
        "ledger/test_book.py ledger/test_posting.py",
    ),
    Mutant(
        "points-expire-when-the-sweep-runs",
        "ledger/catchup.py",
        "take=ended_at(book, instant), effective_at=instant)",
        "take=ended_at(book, instant))",
        "ledger/test_catchup.py ledger/test_expiry.py",
    ),
    Mutant(
        "restored-points-end-before-their-old-date",
        "ledger/policies.py",
        "return max(was, days_after(at, floor, terms.zone))",
        "return days_after(at, floor, terms.zone)",
        "ledger/test_restoring.py ledger/test_policies_of_all_models.py ledger/test_refunds.py",
    ),
    Mutant(
        "a-hold-is-no-activity",
        "ledger/kinds.py",
        "ACTIVITY = (Kind.GRANT, Kind.REDEEM, Kind.HOLD)",
        "ACTIVITY = (Kind.GRANT, Kind.REDEEM)",
        "ledger/test_kinds.py ledger/test_effects.py ledger/test_holds.py",
    ),
    Mutant(
        "a-stale-notice-lets-points-go",
        "ledger/effects.py",
        "lot.gated = lot.notice_days > 0  # a notice",
        "lot.gated = False  # a notice",
        "ledger/test_effects.py ledger/test_extensions.py",
    ),
    Mutant(
        "a-family-is-reinstated-twice",
        "ledger/reinstatements.py",
        "if ended.reinstated_before:",
        "if not ended:",
        "ledger/test_reinstatements.py",
    ),
    Mutant(
        "an-extension-is-undone-twice",
        "ledger/extensions.py",
        "if done.undone:",
        "if not done:",
        "ledger/test_extensions_undone.py",
    ),
    # --- the auditor goes on
    Mutant(
        "a-number-that-was-changed-is-carried-over",
        "ledger/continuing.py",
        "if then[pk] == bytes(before[pk].kept_hash) and pages",
        "if pages",
        "ledger/test_continuing.py",
    ),
    Mutant(
        "what-is-wrong-with-a-new-entry-is-not-looked-at",
        "ledger/continuing.py",
        "            yield from story.tell(facts)\n",
        "            list(story.tell(facts))\n",
        "ledger/test_continuing.py",
    ),
    # --- keys and the chain
    Mutant(
        "a-key-answers-whatever-is-asked",
        "ledger/posting.py",
        'known.replay() if known.body_hash == order.body_hash else KeyReused(field="key")',
        "known.replay()",
        "ledger/test_posting.py",
    ),
    Mutant(
        "a-key-is-forgotten",
        "ledger/posting.py",
        "known = answers.get((book.programme_id, order.key))",
        "known = answers.get((0, order.key))",
        "ledger/test_posting.py",
    ),
    Mutant(
        "a-key-is-not-of-one-account",
        "ledger/posting.py",
        '{**self.content, "account": self.account_id}',
        "{**self.content}",
        "ledger/test_posting.py races/test_keys.py",
    ),
    Mutant(
        "an-entry-does-not-hang-on-the-one-before",
        "ledger/chain.py",
        "hashlib.sha256(previous)",
        "hashlib.sha256(GENESIS)",
        "ledger/test_chain.py",
    ),
    Mutant(
        "the-hash-leaves-the-debt-out",
        "ledger/chain.py",
        "            entry.debt_after,\n",
        "",
        "ledger/test_chain.py",
    ),
    Mutant(
        "two-contents-read-the-same",
        "ledger/chain.py",
        "return _LENGTH(len(data)) + data",
        "return data",
        "ledger/test_chain.py",
    ),
    # --- the pen's calls
    Mutant(
        "a-single-entry-does-not-ask-what-was-read",
        "ledger/single_entry.py",
        "WHERE id = {next(holes)} AND seq = {next(holes)}",
        "WHERE id = {next(holes)} AND seq >= {next(holes)}",
        "ledger/test_single_entry.py",
    ),
    Mutant(
        "a-single-entry-that-was-not-written-counts",
        "ledger/single_entry.py",
        "return wire.call(statement, values) == [(1,)]",
        "return bool(wire.call(statement, values))",
        "ledger/test_single_entry.py",
    ),
    Mutant(
        "a-single-entry-forgets-a-closing-hold",
        "ledger/single_entry.py",
        "if len(book.drafts) != 1 or book.ended or",
        "if len(book.drafts) != 1 or",
        "ledger/test_single_entry.py ledger/test_holds.py",
    ),
    Mutant(
        "the-pen-does-not-ask-what-was-read",
        "ledger/migrations/pen.sql",
        "WHERE a.id = t.id AND a.seq = t.was_seq;",
        "WHERE a.id = t.id;",
        "ledger/test_writing_moved_on.py",
    ),
    Mutant(
        "the-pen-writes-though-the-account-moved-on",
        "ledger/migrations/pen.sql",
        "IF moved <> jsonb_array_length",
        "IF moved > jsonb_array_length",
        "ledger/test_writing_moved_on.py",
    ),
    Mutant(
        "an-empty-lot-stays-open",
        "ledger/migrations/pen.sql",
        "open = t.remaining > 0,",
        "open = true,",
        "ledger/test_writing.py ledger/test_redemptions.py",
    ),
    Mutant(
        "an-ended-hold-stays-open",
        "ledger/migrations/pen.sql",
        "ledger_hold SET open = false",
        "ledger_hold SET open = true",
        "ledger/test_holds.py",
    ),
    Mutant(
        "the-account-forgets-when-holds-lapse",
        "ledger/migrations/pen.sql",
        "lapses_at = t.lapses_at, closes_at",
        "lapses_at = a.lapses_at, closes_at",
        "ledger/test_holds.py ledger/test_projections.py",
    ),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants")
    wanted = parser.parse_args().names
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))  # the copy is removed, whoever stops us
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    lost = misfits(mutants)
    if lost or len(mutants) < len(set(wanted)):
        print("\n".join(lost) or "There is no mutant of that name.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="pointkeep-mutants-") as folder:
        return try_all(mutants, copy_to(Path(folder)))


def misfits(mutants: Sequence[Mutant], root: Path = ROOT) -> list[str]:
    """What is wrong with these mutants: each one's old text must be found once, and its tests must be there."""
    found = []
    for mutant in mutants:
        times = (root / mutant.file).read_text(encoding="utf-8").count(mutant.old)
        if times != 1:
            found.append(f"{mutant.name}: its old text is found {times} times in {mutant.file}")
        found += [f"{mutant.name}: there is no {test}" for test in tests_of(mutant) if not (root / test).exists()]
    return found


def tests_of(mutant: Mutant) -> list[str]:
    return [f"tests/{test}" for test in mutant.tests.split()]


def copy_to(folder: Path) -> Path:
    """The project's own files as they are now, and its Python."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def try_all(mutants: Sequence[Mutant], folder: Path) -> int:
    """Try each mutant in the copy. 0: all were killed; 1: one survived; 2: the tests cannot tell."""
    every = sorted({test for mutant in mutants for test in tests_of(mutant)})
    if run(every, folder) != PASSED:
        print("The tests do not pass on the whole ledger: mutants would prove nothing.", file=sys.stderr)
        return 2
    print(f"unbroken: {len(every)} test files pass", flush=True)
    survived = 0
    for place, mutant in enumerate(mutants, 1):
        started = time.monotonic()
        code = run_broken(mutant, folder)
        took = f"{place}/{len(mutants)}, {time.monotonic() - started:.0f} s"
        if code not in (PASSED, FAILED):
            print(f"{mutant.name}: the tests could not be run (pytest says {code})", file=sys.stderr)
            return 2
        survived += code == PASSED
        print(f"{'SURVIVED' if code == PASSED else 'killed'} {mutant.name} ({took})", flush=True)
    print(f"mutants={len(mutants)} killed={len(mutants) - survived} survived={survived}")
    return 1 if survived else 0


def run_broken(mutant: Mutant, folder: Path) -> int:
    """Break the copy, run the mutant's tests, and mend it."""
    path = folder / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return run(tests_of(mutant), folder)
    finally:
        path.write_text(whole, encoding="utf-8")


def run(tests: Sequence[str], folder: Path) -> int:
    """pytest's exit code. Tests that never end have noticed something, too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # Two versions of a file can have one size and one second: what was compiled of the first must not be kept.
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "glance"}
    try:
        done = subprocess.run(command, cwd=folder, env=environ, timeout=PATIENCE, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return FAILED
    if done.returncode not in (PASSED, FAILED):
        print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
