"""Kept numbers are worked out again from the entries: compared, and corrected where the facts add up."""

from __future__ import annotations

import pytest

from ledger.audit import audit
from ledger.models import Account, Lot
from ledger.projections import Refused, correct, differences
from tests import builders
from tests.ledger.insiders import tamper
from tests.looking import every_row, nothing_changes

pytestmark = pytest.mark.django_db

FACTS = ("entry", "allocation", "extension", "notice")


@pytest.fixture
def account(db) -> Account:
    """Minji, with points, an open hold and a closure asked for."""
    account = builders.minji(builders.byeol())
    builders.grant(account, 100)
    builders.hold(account, 10)
    builders.close(account)
    return account


def test_nothing_differs_after_acts(account):
    with nothing_changes():
        assert list(differences([account.pk])) == []
        assert correct(account.pk) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE ledger_account SET balance = 91", ["balance is 91, the entries say 90"]),
        ("UPDATE ledger_account SET seq = 7, closes_at = NULL", ["seq is 7", "closes_at is None"]),
        ("UPDATE ledger_lot SET remaining = 80, gated = false", ["remaining is 80", "gated is False"]),
        ("UPDATE ledger_lot SET remaining = 0, open = false", ["remaining is 0", "open is False"]),
        ("UPDATE ledger_lot SET expires_at = '2030-01-01'", ["expires_at is 2030-01-01 00:00:00+00:00"]),
        ("UPDATE ledger_lot SET moved_untold = true", ["moved_untold is True"]),
    ],
)
def test_what_differs_is_said_and_corrected_and_no_fact_is_touched(account, sql, said):
    before = every_row()
    tamper(sql)
    found = list(differences([account.pk]))
    assert len(found) == len(said)
    assert all(part in str(difference) for difference, part in zip(found, said, strict=True))
    assert correct(account.pk) == found
    assert every_row() == before
    assert list(audit()) == []


def test_a_hold_that_is_said_to_be_open_is_closed(account):
    builders.release(account)
    tamper("UPDATE ledger_hold SET open = true")
    (found,) = list(differences([account.pk]))
    assert str(found) == "hold 2: open is True, the entries say False"
    assert correct(account.pk) == [found]
    assert list(differences([account.pk])) == []


def test_a_hold_that_was_ended_stays_ended_where_the_database_refuses_to_open_it(account):
    tamper("UPDATE ledger_hold SET open = false")
    tamper("ALTER TABLE ledger_hold ENABLE TRIGGER USER")
    refused = correct(account.pk)
    assert isinstance(refused, Refused)
    assert str(refused) == (
        f"account {account.pk} is not corrected: the database refuses it (ledger_hold keeps its facts: it can only end)"
    )


def test_an_account_whose_facts_do_not_add_up_is_left_alone(account):
    tamper("UPDATE ledger_entry SET amount = 99 WHERE seq = 1; UPDATE ledger_account SET balance = 1")
    with nothing_changes():
        refused = correct(account.pk)
    assert isinstance(refused, Refused)
    assert refused.why.startswith("its facts do not add up (law ")


def test_a_lot_that_no_entry_made_is_not_corrected(account):
    tamper("UPDATE ledger_lot SET seq = 99")
    refused = correct(account.pk)
    assert isinstance(refused, Refused)
    assert Lot.objects.get().seq == 99
