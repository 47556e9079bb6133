"""Whether the hammer sees what is wrong: each offence is planted once, and counted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hammer.journal import Answer, Ask, Asked
from hammer.judging import Judgement, judge

NOW = datetime(2025, 3, 10, 3, tzinfo=UTC)
ASK = Ask("redeem", 7, "p0:1", NOW, {"points": 5})
FIRST = Answer(receipt={"seq": 2, "points": 5})
REPLAYED = replace(FIRST, replayed=True)
REFUSED = Answer(refused="account_busy")
DONE = Answer(done=True)


def judged(*answers: Answer | None, there: int = 1, again: Answer | None = REPLAYED) -> Judgement:
    """The judgement on one key that was asked for so many times, with these answers."""
    return judge(
        [Asked(ASK, one) for one in answers], {ASK.key: there} if there else {}, {ASK.key: again} if again else {}
    )


def counts(found: Judgement) -> tuple[int, int, int, int, int]:
    return found.acts, found.answered, len(found.lost), len(found.doubled), len(found.broken)


@pytest.mark.parametrize(
    "found",
    [
        judged(FIRST),
        judged(FIRST, REPLAYED, REPLAYED),
        judged(REPLAYED, FIRST),  # who asked first is not who got there first
        judged(None, FIRST),
        judged(None, REPLAYED),  # the first call was cut off after it had been done
        judged(None, there=1, again=None),
        judged(None, there=0, again=None),
        judged(REFUSED, FIRST),
        judged(REFUSED, there=0, again=None),
        judged(REFUSED, None, again=None),
        judged(DONE),
        judged(DONE, DONE, FIRST),
    ],
)
def test_what_can_happen_is_no_offence(found: Judgement):
    assert (found.lost, found.doubled, found.broken) == ([], [], [])


def test_acts_and_answers_are_counted_call_by_call():
    assert counts(judged(None, FIRST, REPLAYED, REFUSED)) == (4, 3, 0, 0, 0)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (judged(FIRST, there=0), "it was answered, and is not there"),
        (judged(DONE, there=0), "it was answered, and is not there"),
        (judged(None, REPLAYED, there=0), "it was answered, and is not there"),
        (judged(FIRST, again=None), "it was not asked again"),
        (judged(FIRST, again=FIRST), "it was asked again, and not known"),
        (judged(FIRST, again=REFUSED), "it was asked again, and not known"),
    ],
)
def test_an_answered_act_that_is_not_there_is_lost(found: Judgement, says: str):
    assert counts(found)[2:] == (1, 0, 0)
    assert found.lost[0].startswith(f"p0:1: redeem: {says}")


@pytest.mark.parametrize("field", ["seq", "points"])
def test_an_answer_that_is_another_one_now_is_lost(field: str):
    found = judged(FIRST, again=Answer(receipt={**(FIRST.receipt or {}), field: 9}, replayed=True))
    assert counts(found)[2:] == (1, 0, 0)
    assert found.lost[0].startswith("p0:1: redeem: the answer was {'seq': 2, 'points': 5} and is now")


def test_different_answers_to_two_calls_are_lost():
    found = judged(FIRST, Answer(receipt={"seq": 2, "points": 4}, replayed=True))
    assert counts(found)[2:] == (1, 0, 0)
    assert "it was answered in different ways" in found.lost[0]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (judged(FIRST, there=2), "2 entries"),
        (judged(None, there=2, again=None), "2 entries"),
        (judged(FIRST, FIRST), "more than one call was told to have written it"),
        (judged(REFUSED, there=1, again=None), "it was refused, and is there"),
    ],
)
def test_an_act_that_is_there_more_than_it_should_be_is_doubled(found: Judgement, says: str):
    assert counts(found)[2:] == (0, 1, 0)
    assert found.doubled == [f"p0:1: redeem: {says}"]


def test_two_contents_under_one_key_are_doubled():
    other = replace(ASK, words={"points": 6})
    found = judge([Asked(ASK, FIRST), Asked(other, REPLAYED)], {ASK.key: 1}, {ASK.key: REPLAYED})
    assert counts(found)[2:] == (0, 1, 0)


def test_an_entry_that_nobody_asked_for_is_doubled():
    found = judge([Asked(ASK, FIRST)], {ASK.key: 1, "stray": 1}, {ASK.key: REPLAYED})
    assert found.doubled == ["stray: nobody asked for it"]


def test_an_answer_that_must_not_happen_is_a_finding():
    assert judged(Answer(broken="AssertionError()"), there=0).broken == ["p0:1: redeem: AssertionError()"]


def test_the_time_of_a_call_is_no_part_of_its_content():
    assert replace(ASK, now=NOW.replace(year=2026)).body == ASK.body
    assert replace(ASK, account=8).body != ASK.body
