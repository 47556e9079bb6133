"""After a run: what is there, what the ledger says when it is asked again, and what the auditor finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from django.db import connection
from django.db.models import Count

from hammer.acts import do, has_order, order_of
from hammer.journal import Answer, Ask, Asked
from hammer.judging import Judgement, judge
from hammer.stage import Stage
from hammer.worker import answer_to, refusal
from ledger.audit import audit
from ledger.expiry import sweep_all
from ledger.kinds import Kind
from ledger.models import Entry
from ledger.posting import post
from ledger.receipts import Receipt

AT_ONCE = 100  # orders in one transaction


def verdict(stage: Stage, asked: Sequence[Asked]) -> tuple[Judgement, list[str]]:
    """What became of all that was asked, and the audit's findings."""
    written = entries_by_key(stage)
    found = judge(asked, written, ask_again(asked))
    for programme in stage.programmes:
        sweep_all(now=stage.clock.now(), programme_id=programme)
    return found, [str(finding) for programme in stage.programmes for finding in audit(programme_id=programme)]


def entries_by_key(stage: Stage) -> dict[str, int]:
    """How many entries there are under each key, in all programmes of the run."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT key, count(*) FROM ledger_entry
                WHERE programme_id = ANY(%s) AND key IS NOT NULL GROUP BY key""",
            [list(stage.programmes)],
        )
        return dict(cursor.fetchall())


def entries_by_kind(stage: Stage) -> dict[str, int]:
    """How many entries of each kind there are, in all programmes of the run; 0 of a kind that never came up."""
    rows = Entry.objects.filter(programme__in=stage.programmes).values_list("kind").annotate(number=Count("pk"))
    return dict.fromkeys(Kind.values, 0) | dict(rows)


def ask_again(asked: Iterable[Asked]) -> Mapping[str, Answer]:
    """The answers to what was answered before, asked once more under the same keys."""
    asks = {one.ask.key: one.ask for one in asked if one.answer and one.answer.is_there}
    again: dict[str, Answer] = {}
    for some in _some(ask for ask in asks.values() if has_order(ask)):
        outcomes = post([order_of(ask) for ask in some])
        for ask, outcome in zip(some, outcomes, strict=True):
            again[ask.key] = Answer.of(outcome) if isinstance(outcome, Receipt) else refusal(outcome)
    for ask in asks.values():
        if not has_order(ask):
            answer = answer_to(lambda ask=ask: do(ask))  # type: ignore[misc]
            again[ask.key] = answer or Answer(broken="no answer")
    return again


def _some(asks: Iterator[Ask]) -> Iterator[list[Ask]]:
    while some := list(islice(asks, AT_ONCE)):
        yield some
