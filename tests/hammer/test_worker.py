"""What one process does: every act can be chosen and asked for; what it was told is what it writes down."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg import errors as pg

from hammer.acts import CALLS, ORDERS
from hammer.choosing import ACTS, ALIKE, LotSeen, Seen, choose, look
from hammer.clock import Clock
from hammer.journal import Answer, read
from hammer.stage import Stage, add_a_policy, set_up
from hammer.verdict import entries_by_key, entries_by_kind, verdict
from hammer.worker import Worker, cut
from ledger.kinds import Kind
from ledger.models import Policy
from ledger.policies import Model

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2025, 3, 10, 3, tzinfo=UTC)


@pytest.fixture
def stage() -> Stage:
    return set_up(tag="test", slots=2, clock=Clock.starting(now=timezone.now(), seconds=60), seed=1)


@pytest.fixture
def worker(stage, tmp_path) -> Worker:
    return Worker("p0", stage, tmp_path)


def told(worker: Worker, tmp_path) -> list[Answer | None]:
    return [one.answer for one in read([tmp_path / "p0.jsonl"])]


def test_every_act_of_the_ledger_can_be_chosen():
    assert ACTS.keys() == CALLS.keys() | ORDERS.keys()
    assert set(ALIKE) <= ACTS.keys()


def test_the_stage_has_every_model_of_expiry(stage):
    assert set(Policy.objects.values_list("model", flat=True)) == set(Model.values)
    add_a_policy(stage)


def test_whatever_is_chosen_is_answered_in_the_ledgers_words(worker, tmp_path):
    account = worker.account()
    for n, act in enumerate(sorted(ACTS) * 3):
        seen = look(account) if n > len(ACTS) else Seen()
        worker.perform(choose(worker.rng, account, seen, f"key:{n}", worker.now(), among=[act]))
    assert {one.ask.act for one in read([tmp_path / "p0.jsonl"])} == ACTS.keys()
    assert all(answer and not answer.broken for answer in told(worker, tmp_path))


def test_a_reinstatement_is_asked_for_where_a_lot_has_ended_and_names_it(worker):
    def chosen(seen: Seen) -> list[object]:
        asks = [choose(worker.rng, 7, seen, "key", NOW) for _ in range(500)]
        return [ask.words["lot"] for ask in asks if ask.act == "reinstate"]

    assert len(chosen(Seen())) < 25
    assert set(found := chosen(Seen(ended=[9]))) == {9}
    assert len(found) > 50
    over, ahead = (LotSeen(pk, NOW + timedelta(days=days), NOW) for pk, days in ((8, -1), (5, 1)))
    assert set(chosen(Seen(ended=[9], open=[over, ahead]))) == {8, 9}


def test_the_last_accounts_are_left_alone_for_the_most_part(worker, monkeypatch):
    monkeypatch.setattr(Clock, "passed", 1.0)
    first, last = (worker.stage.account(worker.stage.programmes[0], slot, 0) for slot in (0, 1))
    worker.stage = replace(worker.stage, programmes=worker.stage.programmes[:1])
    found = Counter(worker.account() for _ in range(500))
    assert found.keys() == {first, last}
    assert 50 < found[last] < 150  # one in five


def test_processes_that_choose_alike_ask_for_the_same(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(Clock, "passed", 1.0)
    workers = [Worker(f"p{n}", stage, tmp_path) for n in range(6)]
    for worker in workers:
        worker.alike()
    asked = read(tmp_path / f"p{n}.jsonl" for n in range(6))
    assert {one.ask.key for one in asked} == {"alike:6"}
    assert sum(bool(one.answer and one.answer.is_there and not one.answer.replayed) for one in asked) == 1


def test_steps_of_every_sort_end_with_a_clean_verdict(stage, worker, tmp_path):
    for _ in range(12):
        for step in (worker.single, worker.again, worker.alike, worker.batch, worker.feed, worker.sweep):
            step()
    asked = read([tmp_path / "p0.jsonl"])
    found, findings = verdict(stage, asked)
    assert (found.lost, found.doubled, found.broken, findings) == ([], [], [], [])
    assert found.acts == found.answered == len(asked) > 100
    assert entries_by_kind(stage).keys() == set(Kind.values)
    assert entries_by_key(stage).keys() <= {one.ask.key for one in asked}


def test_a_write_that_is_not_there_any_more_is_lost(stage, worker, tmp_path):
    """Somebody was told of it, and the database has forgotten: here, because it was never written."""
    ask = choose(Random(1), worker.account(), Seen(), "p0:never", worker.now(), among=["grant"])
    worker.answer([worker.ask(ask)], [Answer(receipt={"kind": Kind.GRANT})])
    found, _ = verdict(stage, read([tmp_path / "p0.jsonl"]))
    assert [line.split(": ")[0] for line in found.lost] == ["p0:never"]


def test_a_write_that_nobody_has_written_down_is_doubled(stage, worker, tmp_path):
    worker.perform(choose(Random(1), worker.account(), Seen(), "p0:1", worker.now(), among=["grant"]))
    found, _ = verdict(stage, [])
    assert found.doubled == ["p0:1: nobody asked for it"]


def test_a_lost_connection_is_no_answer_and_a_deadlock_is_a_finding():
    lost, deadlock = OperationalError("terminating connection"), OperationalError("deadlock")
    deadlock.__cause__ = pg.DeadlockDetected()
    assert cut(lost) is None
    assert cut(deadlock) == Answer(broken=repr(deadlock))
    assert cut(KeyError("no such thing")) == Answer(broken="KeyError('no such thing')")
    assert connection.connection is None


def test_who_is_cut_off_asks_again_or_leaves_it(worker, tmp_path, monkeypatch):
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    ask = choose(Random(1), worker.account(), Seen(), "p0:1", worker.now(), among=["grant"])
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    monkeypatch.setattr(worker.rng, "random", lambda: 0.9)  # a client that does not give up
    worker.perform(ask)
    first, second = told(worker, tmp_path)
    assert first is None
    assert second is not None
    assert second.receipt
