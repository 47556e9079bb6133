"""What was decided on a page is not written once somebody else has written to the account: the pen's calls say so."""

from __future__ import annotations

import pytest
from django.db import transaction

from ledger.grants import grant_order
from ledger.reading import look_at
from ledger.single_entry import is_single
from ledger.writing import MovedOn, write
from tests.builders import NOW, SHOP, grant
from tests.looking import row_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("keys", [["late"], ["late", "later"]], ids=["a single entry", "a document"])
def test_a_page_that_was_read_before_another_write_is_refused_whole(minji, keys):
    opened = look_at(minji.pk, keys[0])
    (book,) = opened.books.values()
    book.begin(NOW)
    for key in keys:
        order = grant_order(account_id=minji.pk, points=5, now=NOW, key=key, by=SHOP)
        order.decide(book, order.signature)
    assert is_single(book) is (len(keys) == 1)
    grant(minji, 10)
    with pytest.raises(MovedOn), transaction.atomic():
        write([book])
    assert row_of(minji) == (10, 0, 1)
