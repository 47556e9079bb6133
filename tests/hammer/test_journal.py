"""A journal holds what was fully written down, whenever its process was killed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hammer.journal import Answer, Ask, Asked, Journal, read

NOW = datetime(2025, 3, 10, 3, tzinfo=UTC)
ASK = Ask("redeem", 7, "p0:1", NOW, {"points": 5})
NEXT = Ask("grant", 7, "p0:2", NOW, {"points": 6})
ANSWER = Answer(receipt={"seq": 2, "restored": [[5, None]]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p0.jsonl"


def test_what_was_asked_and_answered_is_read_back(path):
    journal = Journal(path)
    first, second = journal.ask(ASK), journal.ask(NEXT)
    journal.answer(second, Answer(refused="key_reused"))
    journal.answer(first, ANSWER)
    assert read([path]) == [Asked(ASK, ANSWER), Asked(NEXT, Answer(refused="key_reused"))]


def test_what_is_asked_stands_in_the_file_before_anything_else_happens(path):
    Journal(path).ask(ASK)  # not closed
    assert read([path]) == [Asked(ASK)]


def test_torn_lines_were_never_asked_or_never_answered_and_the_next_process_goes_on_behind_them(path):
    journal = Journal(path)
    journal.answer(journal.ask(ASK), ANSWER)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        follower = Journal(path)
        follower.answer(follower.ask(NEXT), ANSWER)
        follower.close()
        asked = read([path])
        assert asked[-1] == Asked(NEXT, ANSWER)
        assert asked[:-1] in ([], [Asked(ASK)], [Asked(ASK, ANSWER)])


def test_the_next_process_knows_what_was_asked_before(path):
    journal = Journal(path)
    journal.ask(ASK)
    assert Journal(path).known == [Asked(ASK)]
