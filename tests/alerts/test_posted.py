from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from alerts import posted
from alerts.posted import Posted, post_all
from ledger.models import Account, Entry
from ledger.notes import note_order
from tests import builders
from tests.builders import NOW, SHOP


def note(account, key="note:1", reason="nothing to do"):
    return note_order(account_id=account.pk, now=NOW, key=key, by=SHOP, reason=reason)


def test_orders_are_posted_in_batches(minji, monkeypatch):
    monkeypatch.setattr(posted, "BATCH", 2)
    orders = [note(minji, f"note:{n}") for n in range(5)]
    assert post_all(orders, lots=7) == Posted(lots=7, orders=5, refused=0)
    assert Entry.objects.filter(kind="note").count() == 5


def test_what_is_refused_stops_no_other(minji):
    orders = [note(minji), note(minji, reason="something else"), note(minji, "note:2")]
    assert post_all(orders, lots=3) == Posted(lots=3, orders=2, refused=1)


def test_passes_add_up():
    assert Posted(1, 2, 3) + Posted(10, 20, 30) == Posted(11, 22, 33)


@pytest.mark.django_db(transaction=True)
def test_a_busy_account_is_left_for_the_next_pass_and_the_others_are_written():
    programme = builders.byeol()
    busy, free = builders.minji(programme), builders.jun(programme)
    held, done = Barrier(2), Barrier(2)

    def hold():
        try:
            with transaction.atomic():
                list(Account.objects.select_for_update(no_key=True).filter(pk=busy.pk))
                held.wait(60)
                done.wait(30)
        finally:
            connection.close()

    holder = Thread(target=hold)
    holder.start()
    held.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 200")
    try:
        assert post_all([note(busy, "a"), note(free, "b"), note(free, "c")], lots=3) == Posted(3, 2, 1)
    finally:
        done.wait(60)
        holder.join()
        connection.close()  # and with it the short patience
    assert list(Entry.objects.order_by("key").values_list("account", "key")) == [(free.pk, "b"), (free.pk, "c")]
