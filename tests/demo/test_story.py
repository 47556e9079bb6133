"""The demo's story as it is told: by real acts, on the real clock's terms, and the books are right afterwards."""

from __future__ import annotations

import pytest

from demo.story import Story
from ledger import statements
from ledger.kinds import Kind
from ledger.models import Account, Entry
from tests.builders import NOW


@pytest.fixture
def minji(db) -> dict[str, Account]:
    """Minji's two accounts, after the story."""
    assert Story(NOW).tell() > 100
    accounts = Account.objects.filter(member__reference="minji").select_related("programme")
    return {account.programme.code: account for account in accounts}


def test_minjis_history_shows_every_kind_of_thing(minji):
    told = set(Entry.objects.filter(account__in=minji.values()).values_list("kind", flat=True))

    assert told == set(Kind) - {Kind.SETTLE, Kind.FORFEIT, Kind.NOTE}
    withdrawn = Entry.objects.filter(account=minji["moa"], kind=Kind.CLOSE).order_by("seq")
    assert [entry.undoes_seq is None for entry in withdrawn] == [True, False]
    assert minji["moa"].closes_at is None


def test_the_balance_page_has_something_on_hold_and_something_promised(minji):
    assert [hold.points for hold in statements.holds(minji["moa"], at=NOW)] == [150]
    assert [promise.points for promise in statements.promised(minji["byeol"], at=NOW)] == [450]
    assert statements.balance(minji["moa"], at=NOW).spendable > 1_000
