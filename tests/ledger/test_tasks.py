"""What the clock wakes: one line each, at the real time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.models import Entry, Seal, Verdict
from ledger.tasks import audit, seal, sweep
from tests.builders import NOW, days, grant
from tests.looking import entries, nothing_changes


@pytest.mark.django_db
def test_the_sweep_goes_by_the_real_clock(minji):
    grant(minji, 10, expires_at=NOW + days(1))
    sweep()
    assert entries(minji) == [("grant", 10), ("expire", -10)]
    expire = Entry.objects.get(kind="expire")
    assert expire.effective_at == NOW + days(1)
    assert abs(expire.recorded_at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.django_db
def test_a_sweep_leaves_what_is_still_ahead(minji):
    grant(minji, 10, now=timezone.now() - days(1), expires_at=timezone.now() + days(1))
    with nothing_changes():
        sweep()


@pytest.mark.django_db
def test_what_moved_is_sealed_at_the_real_time(minji):
    grant(minji, 10)
    seal()
    seal()
    made = Seal.objects.get()
    assert (made.number, made.accounts) == (1, 1)
    assert abs(made.sealed_at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.django_db
def test_what_moved_is_audited_at_the_real_time(minji):
    grant(minji, 10)
    audit()
    made = Verdict.objects.get()
    assert (made.accounts, made.told, made.findings) == (1, 1, 0)
    assert abs(made.ended_at - timezone.now()) < timedelta(minutes=1)
