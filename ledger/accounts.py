"""Opening accounts: a member and the account that holds their points."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from ledger.errors import BadInput
from ledger.models import Account, Member, Programme


def open_account(*, programme: Programme, reference: str) -> Account:
    """The account of the member with this reference; opened if there is none yet. Raises BadInput."""
    return Account.objects.get(pk=open_accounts(programme=programme, references=[reference])[reference])


def open_accounts(*, programme: Programme, references: Iterable[str]) -> dict[str, int]:
    """The account ids of members by reference; those that are missing are opened. Safe to run twice at once."""
    wanted = sorted(set(references))
    for reference in wanted:
        check_reference(reference)
    found = find_accounts(programme=programme, references=wanted)
    missing = [reference for reference in wanted if reference not in found]
    if missing:
        with transaction.atomic():
            Member.objects.bulk_create(
                [Member(programme=programme, reference=reference) for reference in missing], ignore_conflicts=True
            )
            members = Member.objects.filter(programme=programme, reference__in=missing).order_by("pk")
            Account.objects.bulk_create(
                [Account(programme=programme, member=member) for member in members], ignore_conflicts=True
            )
        found |= find_accounts(programme=programme, references=missing)
    return found


def check_reference(reference: str) -> None:
    """Raises BadInput unless this can be a member's reference."""
    if not (0 < len(reference) <= 100 and reference.isprintable()):
        raise BadInput("A reference must be 1 to 100 printable characters.", field="reference")


def find_accounts(*, programme: Programme, references: Iterable[str]) -> dict[str, int]:
    """The account ids of members by reference; those without an account are left out."""
    rows = Account.objects.filter(programme=programme, member__reference__in=set(references))
    return dict(rows.values_list("member__reference", "pk"))


def connect(*, member: Member, user: AbstractBaseUser) -> None:
    """Let this user sign in as the member."""
    Member.objects.filter(pk=member.pk).update(user=user)
