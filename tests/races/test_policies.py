"""Policies are added one at a time: each is compared with those before it, also with one of the same moment."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
from django.db import transaction
from django.test import Client

from ledger import programmes
from ledger.errors import BadInput, ProgrammeBusy, WorseTooSoon
from ledger.models import Policy
from ledger.policies import Model, Rounding
from ledger.programmes import add_policy
from tests import builders
from tests.builders import NOW, days, grant
from tests.looking import nothing_changes
from tests.races.together import PATIENCE, other_connection, patiently, running, until_waiting
from tests.windows import PASSWORD, chief, stop_clock

pytestmark = pytest.mark.django_db(transaction=True)
SOON, LATER = NOW + days(1), NOW + days(2)


@pytest.fixture
def moa():
    """Moa: twelve months to the end of the month."""
    return builders.moa()


def add(moa, since, count: int, **more) -> Policy:
    terms: dict = {"model": Model.ROLLING, "count": count, "rounding": Rounding.MONTH, **more}
    return add_policy(programme=moa, effective_from=since, now=NOW, **terms)


@contextmanager
def somebody_changing(moa):
    """Somebody else has the programme's lock while the block runs."""
    with other_connection() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM ledger_programme WHERE id = %s FOR NO KEY UPDATE", [moa.pk])
        try:
            yield
        finally:
            other.rollback()


def one_behind_the_other(moa, *calls) -> list[object]:
    """The answers of calls that were asked in this order, all before the first could write."""
    futures: list = []
    with ExitStack() as stack, somebody_changing(moa):
        for number, call in enumerate(calls, start=1):
            futures += stack.enter_context(running([partial(patiently, call)]))
            until_waiting(number)
    return [future.result(PATIENCE) for future in futures]


def test_of_two_at_once_the_second_is_compared_with_the_first(moa):
    """Eighteen months are not worse than twelve, but they are worse than the twenty-four that came just before."""
    better, worse = partial(add, moa, SOON, 24), partial(add, moa, LATER, 18)
    first, second = one_behind_the_other(moa, better, worse)
    assert isinstance(first, Policy)
    assert isinstance(second, WorseTooSoon)
    assert second.field == "announced_on"
    assert list(Policy.objects.order_by("effective_from").values_list("count", flat=True)) == [12, 24]


def test_of_two_for_the_same_instant_the_second_is_refused_in_the_ledgers_words(moa):
    first, second = one_behind_the_other(moa, *(partial(add, moa, SOON, count) for count in (24, 36)))
    assert isinstance(first, Policy)
    assert isinstance(second, BadInput)
    assert list(Policy.objects.order_by("effective_from").values_list("count", flat=True)) == [12, 24]


def test_other_programmes_and_acts_wait_for_nobody(moa):
    byeol, minji = builders.byeol(), builders.minji(moa)
    with somebody_changing(moa):
        assert add(byeol, SOON, 24, notice_days=30).count == 24
        assert grant(minji, 10).balance == 10
        assert builders.jun(moa).balance == 0


def test_whoever_waits_too_long_is_told_to_try_again(moa):
    with nothing_changes(), somebody_changing(moa), pytest.raises(ProgrammeBusy) as refusal:
        add(moa, SOON, 24)
    assert refusal.value.field == "programme"
    assert add(moa, SOON, 24).count == 24


def test_the_lock_needs_a_transaction(moa):
    with pytest.raises(AssertionError, match="without a transaction"):
        programmes.lock(moa.pk)
    with transaction.atomic():
        assert programmes.lock(moa.pk) == moa


def form(moa, day: str, count: int) -> dict[str, str]:
    """What the admin's form of a policy sends: from the first instant of that day on."""
    numbers = ("spendable_after_days", "notice_days", "notice_slack", "notice_max_days", "fixed_month", "fixed_day")
    return {
        "programme": str(moa.pk),
        "effective_from_0": day,
        "effective_from_1": "00:00",
        "model": "rolling",
        "count": str(count),
        "unit": "months",
        "rounding": "month",
        "notice_channels": "1",
        "restored_floor_days": "30",
        "reinstate_window_days": "0",
        "reinstate_life_days": "30",
        "clawback_beyond": "debt",
        **dict.fromkeys(numbers, "0"),
    }


@pytest.fixture
def hana(moa, monkeypatch) -> Client:
    stop_clock(monkeypatch)
    chief()
    client = Client(headers={"accept-language": "en"})
    client.login(username="hana", password=PASSWORD)
    return client


def send(client: Client, sent: dict[str, str]) -> tuple[int, str]:
    """The status of the answer, and what it complains about."""
    answer = client.post("/admin/ledger/policy/add/", sent)
    return answer.status_code, str(answer.context["errors"]) if answer.status_code == 200 else ""


def test_the_admin_adds_them_one_at_a_time_too(moa, hana):
    sent = [form(moa, "2025-04-01", 24), form(moa, "2025-04-02", 18)]
    first, second = one_behind_the_other(moa, *(partial(send, hana, one) for one in sent))
    assert first == (302, "")
    assert isinstance(second, tuple)
    assert second[0] == 200
    assert "New points would be worse than under the policy before" in second[1]
    assert list(Policy.objects.order_by("effective_from").values_list("count", flat=True)) == [12, 24]


def test_the_admin_says_that_somebody_else_is_at_it(moa, hana):
    with nothing_changes(), somebody_changing(moa):
        status, said = send(hana, form(moa, "2025-04-01", 24))
    assert status == 200
    assert "Somebody else is changing the policies of this programme; please try again." in said
