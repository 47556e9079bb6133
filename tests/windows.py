"""For tests of the windows: the clock stands still on the stage of `builders`, and members have sign-ins."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User

from ledger.models import Account, Member
from tests.builders import NOW

PASSWORD = "correct horse battery"


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: datetime = NOW) -> None:
    """Views read the clock; let it show `at`."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)


def sign_in_of(*accounts: Account, name: str = "") -> User:
    """A user who is the member of these accounts; named as the member is, unless another name is given."""
    user = User.objects.create_user(name or accounts[0].member.reference, password=PASSWORD)
    Member.objects.filter(account__in=accounts).update(user=user)
    return user


def staff(*permissions: str, name: str = "sora") -> User:
    """Sora: staff with exactly these permissions of the ledger, such as "view_lot"."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    found = Permission.objects.filter(content_type__app_label="ledger", codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    return user


def chief() -> User:
    """Hana: staff who may do everything."""
    return User.objects.create_superuser("hana", password=PASSWORD)
