"""Which accounts a signed-in person may see: their own, and nothing else."""

from __future__ import annotations

from ledger.models import Account


def accounts_of(user_id: int | None) -> list[Account]:
    """The accounts of the programmes that this user is a member of, by the programme's name; nobody has none."""
    if user_id is None:
        return []
    accounts = Account.objects.filter(member__user_id=user_id).select_related("programme", "member")
    return list(accounts.order_by("programme__name", "programme__code"))


def chosen(accounts: list[Account], code: str) -> Account | None:
    """The one of these accounts whose programme has this code; the first of them without a code."""
    return next((account for account in accounts if code in ("", account.programme.code)), None)
