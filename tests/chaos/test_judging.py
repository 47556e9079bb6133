"""What is lost, doubled or unaccounted for, on made-up runs."""

from __future__ import annotations

import pytest

from chaos.judging import Judgement, Sent, judge


def judged(*deliveries: Sent, taken: dict[str, int], exactly_once: bool, members: tuple[str, ...] = ()) -> Judgement:
    return judge(members or sorted({one.member for one in deliveries}), deliveries, taken, exactly_once=exactly_once)


def headings(found: Judgement) -> tuple[int, int, int, int]:
    return found.sent, len(found.lost), len(found.doubled), len(found.unaccounted)


@pytest.mark.parametrize("exactly_once", [True, False])
@pytest.mark.parametrize("status", ["accepted", "delivered"])
def test_a_message_that_was_taken_once_is_in_order(exactly_once, status):
    found = judged(Sent("a", "minji", status), taken={"a": 1}, exactly_once=exactly_once)
    assert headings(found) == (1, 0, 0, 0)
    assert found.repeated == 0


@pytest.mark.parametrize("exactly_once", [True, False])
def test_a_message_that_is_said_to_be_sent_and_never_was_is_lost(exactly_once):
    found = judged(Sent("a", "minji", "accepted"), taken={}, exactly_once=exactly_once)
    assert headings(found) == (0, 1, 0, 0)
    assert found.lost == ["a: accepted, taken 0 times, 0 unknown"]


@pytest.mark.parametrize("status", ["unknown", "dead", "failed"])
def test_what_was_given_up_by_name_is_lost_only_where_somebody_could_have_known(status):
    one = Sent("a", "minji", status, "exhausted", unknown=3)
    assert headings(judged(one, taken={}, exactly_once=False)) == (0, 0, 0, 0)
    assert headings(judged(one, taken={}, exactly_once=True)) == (0, 1, 0, 0)


def test_a_second_message_is_doubled_where_the_provider_knows_a_key_again():
    one = Sent("a", "minji", "accepted", unknown=1)
    assert headings(judged(one, taken={"a": 2}, exactly_once=True)) == (1, 0, 1, 0)


def test_elsewhere_it_may_follow_an_outcome_that_nobody_knew_and_no_other():
    twice = {"a": 2}
    after_unknown = judged(Sent("a", "minji", "accepted", unknown=1), taken=twice, exactly_once=False)
    assert headings(after_unknown) == (1, 0, 0, 0)
    assert after_unknown.repeated == 1
    for_no_reason = judged(Sent("a", "minji", "accepted"), taken=twice, exactly_once=False)
    assert headings(for_no_reason) == (1, 0, 1, 0)
    assert for_no_reason.repeated == 0


@pytest.mark.parametrize("status", ["pending", "claimed", "sending"])
def test_what_neither_ended_nor_waits_for_anybody_is_unaccounted_for(status):
    found = judged(Sent("a", "minji", status), taken={"a": 1}, exactly_once=False)
    assert headings(found) == (1, 0, 0, 1)


@pytest.mark.parametrize("status", ["skipped", "cancelled", "superseded", "too_late"])
def test_what_went_out_though_it_says_that_it_never_did_is_unaccounted_for(status):
    found = judged(Sent("a", "minji", status), taken={"a": 1}, exactly_once=False)
    assert headings(found) == (1, 0, 0, 1)


def test_what_was_taken_and_is_said_to_be_refused_is_unaccounted_for_unless_nobody_knew():
    assert headings(judged(Sent("a", "minji", "failed"), taken={"a": 1}, exactly_once=False)) == (1, 0, 0, 1)
    assert headings(judged(Sent("a", "minji", "dead", unknown=1), taken={"a": 1}, exactly_once=False)) == (1, 0, 0, 0)


def test_what_the_provider_took_and_no_delivery_is_about_is_unaccounted_for():
    found = judged(Sent("a", "minji", "accepted"), taken={"a": 1, "b": 1}, exactly_once=False)
    assert found.unaccounted == ["b: the provider took what no delivery is about"]


def test_a_member_whom_nobody_meant_to_tell_is_unaccounted_for():
    found = judged(Sent("a", "minji", "accepted"), taken={"a": 1}, exactly_once=False, members=("jun", "minji"))
    assert headings(found) == (1, 0, 0, 1)
    assert found.unaccounted == ["jun: nobody meant to tell them"]


@pytest.mark.parametrize("exactly_once", [True, False])
def test_a_member_whose_messages_were_all_left_out_is_lost(exactly_once):
    found = judged(Sent("a", "minji", "superseded"), Sent("b", "minji", "skipped"), taken={}, exactly_once=exactly_once)
    assert headings(found) == (0, 1, 0, 0)
    assert found.lost == ["minji: none of their messages was ever sent"]


def test_a_member_who_was_told_by_a_later_message_was_told():
    given_up = Sent("a", "minji", "dead", "exhausted", unknown=3)
    found = judged(given_up, Sent("b", "minji", "accepted"), taken={"b": 1}, exactly_once=False)
    assert headings(found) == (1, 0, 0, 0)
