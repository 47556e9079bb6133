"""What was decided on a page is not written once somebody else has written to the account: the pen's call says so."""

from __future__ import annotations

import pytest
from django.db import transaction

from ledger.grants import grant_order
from ledger.reading import look_at
from ledger.writing import MovedOn, write
from tests.builders import NOW, SHOP, grant
from tests.looking import row_of

pytestmark = pytest.mark.django_db


def test_a_page_that_was_read_before_another_write_is_refused_whole(minji):
    order = grant_order(account_id=minji.pk, points=5, now=NOW, key="late", by=SHOP)
    opened = look_at(minji.pk, order.key)
    (book,) = opened.books.values()
    book.begin(NOW)
    order.decide(book, order.signature)
    grant(minji, 10)
    with pytest.raises(MovedOn), transaction.atomic():
        write([book])
    assert row_of(minji) == (10, 0, 1)
