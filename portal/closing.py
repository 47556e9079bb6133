"""Leaving is no maze: what a member sees of a closure, and the form that asks for it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from ledger.models import Account
from ledger.policies import last_day


@dataclass(frozen=True, slots=True)
class State:
    """Whether the account is closing, or closed; `last_day` is the last day on which it can be kept, or was open."""

    last_day: date | None
    closed: bool

    @property
    def pending(self) -> bool:
        return self.last_day is not None and not self.closed


def state(account: Account, *, at: datetime) -> State:
    """What becomes of the account, by the clock: a closure is in effect from its instant on, written down or not."""
    if account.closes_at is None:
        return State(last_day=None, closed=False)
    return State(last_day=last_day(account.closes_at, account.programme.tz), closed=account.closes_at <= at)


class KeyForm(forms.Form):
    """A form that is sent once: its key is made when it is shown, so that a second click is the first one again."""

    key = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)


class ClosingForm(KeyForm):
    """What a member sends to close the account."""

    sure = forms.BooleanField(
        label=_("I have read what will be lost, and I want to close my account."),
        error_messages={"required": _("Please tick this box if you want to close your account.")},
    )


def new_key() -> str:
    """A key that nobody can guess and nothing has used."""
    return secrets.token_hex(16)


def key_of(form: KeyForm) -> str:
    """The key under which the ledger keeps what this form asks for. The form must be valid."""
    return f"portal:{form.cleaned_data['key']}"
