"""Which accounts a signed-in person may see: their own, and nothing else."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from ledger.models import Account


def accounts_of(user: AbstractBaseUser | AnonymousUser) -> list[Account]:
    """The accounts of the programmes that this user is a member of, by the programme's name."""
    accounts = Account.objects.filter(member__user_id=user.pk).select_related("programme", "member")
    return list(accounts.order_by("programme__name", "programme__code"))


def chosen(accounts: list[Account], code: str) -> Account | None:
    """The one of these accounts whose programme has this code; the first of them without a code."""
    return next((account for account in accounts if code in ("", account.programme.code)), None)
