"""Which accounts a signed-in person may see: their own, and nothing else."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from ledger.actors import Actor
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


def chosen_or_404(accounts: list[Account], code: str) -> Account:
    """The same. Raises Http404, in the same words whether the programme exists or not: who is in it is nobody else's
    business."""
    account = chosen(accounts, code)
    if account is None:
        raise Http404(_("You are not a member of a programme “%(code)s”.") % {"code": code})
    return account


def context(page_is: str, account: Account, accounts: list[Account], **more: object) -> dict[str, object]:
    """What every page of a programme shows."""
    return {"page_is": page_is, "account": account, "programme": account.programme, "accounts": accounts, **more}


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person as the one who acts: an id, for a reference may hold what an actor's name may not."""
    return Actor("member", str(request.user.pk))
