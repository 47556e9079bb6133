"""Real concurrency: threads with database connections of their own, and a way to see who waits for whom.

The races are staged, not hoped for: somebody else holds an account's lock, or the table that the pen writes to, until
all runners are seen waiting, so that every run of a test meets the moment it is about.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.expiry import Sweep, sweep
from ledger.models import Account

PATIENCE = 60  # seconds until a test that hangs fails


def answer(call: Callable[[], object]) -> object:
    """What the call returns, or the error it raises, on this thread's own connection, which is closed afterwards."""
    try:
        return call()
    except Exception as error:  # the test looks at it
        return error
    finally:
        connection.close()


@contextmanager
def running(calls: Sequence[Callable[[], object]]) -> Iterator[list[Future]]:
    """Start each call in a thread of its own, all at the same moment; at the end all have answered."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        connection.ensure_connection()  # before the start: to connect takes longer than to act
        start.wait(PATIENCE)
        return answer(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        yield [pool.submit(run, call) for call in calls]


def all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """The answers of calls that run at the same moment, in their order. Each waits for a lock as long as it takes."""
    with running([partial(patiently, call) for call in calls]) as futures:
        return [future.result(PATIENCE) for future in futures]


@contextmanager
def other_connection() -> Iterator[BaseDatabaseWrapper]:
    """Somebody else's connection to the same database."""
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


@contextmanager
def somebody_writing_to(*accounts: Account) -> Iterator[None]:
    """Somebody else holds the lock of these accounts while the block runs."""
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            ids = [account.pk for account in accounts]
            cursor.execute("SELECT 1 FROM ledger_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])
        try:
            yield
        finally:
            other.rollback()


def is_locked(account: Account) -> bool:
    """Whether somebody holds the lock of this account right now."""
    with other_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_account WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED", [account.pk])
        return cursor.fetchone() is None


def until_waiting(number: int) -> None:
    """Return when so many connections wait for a lock. Fails when that does not happen."""
    deadline = time.monotonic() + PATIENCE
    with other_connection() as other, other.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                """SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'"""
            )
            (waiting,) = cursor.fetchone()
            if waiting == number:
                return
            time.sleep(0.01)
    raise AssertionError(f"{number} connections should wait for a lock, {waiting} did")


def patiently(call: Callable[[], object]) -> object:
    """The call, with more patience than two seconds: on a loaded machine it may take that long to stage the wait."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '45s'")
    return call()


@contextmanager
def stuck_behind(account: Account, calls: Sequence[Callable[[], object]]) -> Iterator[list[Future]]:
    """Start the calls while somebody else writes to the account; in the block all of them wait for it."""
    with ExitStack() as stack, somebody_writing_to(account):
        futures = stack.enter_context(running([partial(patiently, call) for call in calls]))
        until_waiting(len(calls))
        yield futures


def behind_a_writer(account: Account, calls: Sequence[Callable[[], object]]) -> list[object]:
    """The answers of calls that all waited for the same writer and were let go at the same moment."""
    with stuck_behind(account, calls) as futures:
        pass
    return [future.result(PATIENCE) for future in futures]


def in_this_order(account: Account, first: Callable[[], object], second: Callable[[], object]) -> list[object]:
    """The answers of two calls, of which the second came before the first had written: it had seen the same."""
    futures: list[Future] = []
    with ExitStack() as stack, somebody_writing_to(account):
        for number, call in enumerate([first, second], start=1):
            futures += stack.enter_context(running([partial(patiently, call)]))
            until_waiting(number)
    return [future.result(PATIENCE) for future in futures]


@contextmanager
def the_pen_stopped() -> Iterator[None]:
    """Whoever writes in the block has the lock of the account by then, and gets no further."""
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            # A lock on the table would stop a statement before it begins; a number for its entry is drawn on the way.
            cursor.execute("ALTER SEQUENCE ledger_entry_id_seq CACHE 1")
        try:
            yield
        finally:
            other.rollback()


def behind_a_sweep(now: datetime, *calls: Callable[[], object]) -> tuple[Sweep, list[object]]:
    """What a sweep did, and the answers of calls that came while it was writing."""
    with ExitStack() as stack, the_pen_stopped():
        (swept,) = stack.enter_context(running([partial(patiently, partial(sweep, now=now))]))
        until_waiting(1)
        futures = stack.enter_context(running([partial(patiently, call) for call in calls]))
        until_waiting(1 + len(calls))
    return swept.result(PATIENCE), [future.result(PATIENCE) for future in futures]


def swept_while_writing(now: datetime, call: Callable[[], object]) -> tuple[Sweep, object]:
    """What a sweep did that came while the call was writing; and the call's answer."""
    with ExitStack() as stack, the_pen_stopped():
        (future,) = stack.enter_context(running([partial(patiently, call)]))
        until_waiting(1)
        swept = sweep(now=now)
    return swept, future.result(PATIENCE)


def while_busy(account: Account, call: Callable[[], object]) -> object:
    """The answer of a call that somebody else's lock stands in the way of the whole time."""
    with ExitStack() as stack, somebody_writing_to(account):
        (future,) = stack.enter_context(running([call]))
        return future.result(PATIENCE)
