"""A single entry in one statement: the rows that a document would have, and none when the account has moved on."""

from __future__ import annotations

import pytest
from django.db import transaction

from ledger import columns, single_entry, writing
from ledger.book import Book
from ledger.models import Account, Allocation, Entry, Lot
from ledger.posting import Order
from ledger.reading import look_at
from ledger.redemptions import redeem_order
from tests.builders import NOW, SHOP, days, grant, redeem
from tests.calls import statements
from tests.looking import nothing_changes, remainders, row_of

pytestmark = pytest.mark.django_db


def decided(order: Order) -> Book:
    """The book of the order's account, with what it drafted."""
    opened = look_at(order.account_id, order.key)
    (book,) = opened.books.values()
    book.begin(order.now)
    order.decide(book, order.signature)
    return book


def redemption(account: Account, points: int, key: str = "shop:1") -> Book:
    return decided(redeem_order(account_id=account.pk, points=points, now=NOW, key=key, by=SHOP))


def lots(account: Account, *points: int) -> None:
    for number, there in enumerate(points, start=1):
        grant(account, there, expires_at=NOW + days(number))


def rows(account: Account) -> list[list[dict]]:
    """All that a write leaves, but for the ids."""
    entries = Entry.objects.filter(account=account).order_by("seq")
    allocations = Allocation.objects.filter(entry__account=account).order_by("pk")
    return [
        list(entries.values(*columns.ENTRY)),
        list(Lot.objects.filter(account=account).order_by("seq", "number").values(*columns.LOT)),
        list(allocations.values("entry__seq", "lot__seq", "lot__number", "delta", "until")),
        list(Account.objects.filter(pk=account.pk).values(*columns.ACCOUNT)),
    ]


@pytest.mark.parametrize("points", [1, 10, 11, 60])
def test_it_writes_what_a_document_would(minji, points, monkeypatch):
    lots(minji, 10, 20, 30)
    left = []
    for is_single in (True, False):
        with transaction.atomic():
            book = redemption(minji, points)
            assert single_entry.is_single(book)
            monkeypatch.setattr(single_entry, "is_single", lambda book, answer=is_single: answer)
            writing.write([book])
            left.append(rows(minji))
            monkeypatch.undo()
            transaction.set_rollback(True)
    assert left[0] == left[1]
    assert left[0][0][-1]["amount"] == -points


def test_allocations_are_numbered_in_the_order_in_which_points_were_taken(minji):
    lots(minji, 10, 20, 30, 40)
    assert single_entry.write(redemption(minji, 100)) is True
    taken = Allocation.objects.filter(entry__kind="redeem").order_by("pk").values_list("lot__seq", "delta")
    assert list(taken) == [(1, -10), (2, -20), (3, -30), (4, -40)]
    assert remainders(minji) == {1: 0, 2: 0, 3: 0, 4: 0}
    assert row_of(minji) == (0, 0, 5)


def test_nothing_is_written_when_the_account_has_moved_on(minji):
    lots(minji, 10, 20)
    book = redemption(minji, 15)
    redeem(minji, 1)
    with nothing_changes():
        assert single_entry.write(book) is False
        with pytest.raises(writing.MovedOn):
            writing.write([book])


def test_points_from_more_lots_than_it_has_places_for_go_as_a_document(minji):
    lots(minji, *[10] * (single_entry.MANY + 1))
    assert not single_entry.is_single(redemption(minji, 10 * single_entry.MANY + 1))
    assert single_entry.is_single(redemption(minji, 10 * single_entry.MANY))


def test_an_entry_that_did_more_than_move_points_goes_as_a_document(minji):
    lots(minji, 10)
    book = redemption(minji, 5)
    draft = book.drafts[0]
    assert single_entry.is_single(book)
    for field, value in (("moves", [object()]), ("told", object()), ("held", object()), ("closing", object())):
        before = getattr(draft, field)
        setattr(draft, field, value)
        assert not single_entry.is_single(book), field
        setattr(draft, field, before)
    book.ended.append(object())  # type: ignore[arg-type]  # a hold that ended
    assert not single_entry.is_single(book)


def test_a_grant_and_a_redemption_are_one_statement_each(minji):
    with statements() as seen:
        grant(minji, 10)
        redeem(minji, 4)
    writes = [sql for sql in seen if "ledger_entry (" in sql or "ledger_write" in sql]
    assert [sql.split(" AS ")[0] for sql in writes] == ["WITH account", "WITH account"]
    assert len(set(writes)) == 2
