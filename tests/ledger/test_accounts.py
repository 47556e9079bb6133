"""Opening accounts."""

from __future__ import annotations

import pytest

from ledger.accounts import open_account, open_accounts
from ledger.chain import GENESIS
from ledger.errors import BadInput
from ledger.models import Account, Member
from tests import builders
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db


def test_a_new_reference_opens_an_empty_account(moa):
    account = open_account(programme=moa, reference="minji")
    assert (account.programme, account.member.reference) == (moa, "minji")
    assert account.member.programme == moa
    assert (account.balance, account.debt, account.seq) == (0, 0, 0)
    assert bytes(account.head_hash) == GENESIS
    assert account.last_recorded_at is None


def test_a_known_reference_gets_its_account_and_nothing_is_opened(moa):
    account = open_account(programme=moa, reference="minji")
    with nothing_changes():
        assert open_account(programme=moa, reference="minji") == account


def test_the_same_reference_in_another_programme_is_another_account(moa):
    other = builders.moa("other")
    assert open_account(programme=moa, reference="minji") != open_account(programme=other, reference="minji")
    assert Member.objects.count() == 2


def test_many_are_opened_at_once_and_the_known_ones_kept(moa):
    minji = open_account(programme=moa, reference="minji")
    found = open_accounts(programme=moa, references=["jun", "minji", "sora", "jun"])
    assert set(found) == {"jun", "minji", "sora"}
    assert found["minji"] == minji.pk
    assert dict(Account.objects.values_list("member__reference", "pk")) == found
    assert open_accounts(programme=moa, references=["sora"]) == {"sora": found["sora"]}
    assert open_accounts(programme=moa, references=[]) == {}


def test_a_member_without_an_account_gets_one(moa):
    Member.objects.create(programme=moa, reference="minji")
    account = open_account(programme=moa, reference="minji")
    assert Member.objects.count() == 1
    assert account.member.reference == "minji"


@pytest.mark.parametrize("reference", ["", "x" * 101, "a\nb", "a\x00b", "\ud800"])
def test_a_reference_that_cannot_be_printed_or_stored_opens_nothing(moa, reference):
    with nothing_changes(), pytest.raises(BadInput, match="1 to 100 printable") as refusal:
        open_accounts(programme=moa, references=["jun", reference])
    assert refusal.value.field == "reference"


@pytest.mark.parametrize("reference", ["x" * 100, "김민지 7", "'; --"])
def test_any_printable_reference_opens_an_account(moa, reference):
    assert open_account(programme=moa, reference=reference).member.reference == reference
