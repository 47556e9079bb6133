"""The members' pages: they look, and they write nothing."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.models import Account
from portal import balances, inbox
from portal import history as histories
from portal.memberships import accounts_of, chosen


@never_cache
@login_required
@require_safe
def balance(request: HttpRequest, code: str = "") -> HttpResponse:
    """What the member has, and what expires when; without a code that of their first programme."""
    accounts = accounts_of(request.user.pk)
    if not accounts and not code:
        return render(request, "portal/no_membership.html")
    account = _chosen(accounts, code)
    summary = balances.summary(account, now=timezone.now())
    return render(request, "portal/balance.html", _context("balance", account, accounts, summary=summary))


@never_cache
@login_required
@require_safe
def history(request: HttpRequest, code: str) -> HttpResponse:
    """The newest lines of the history, or those before the number `before`."""
    accounts = accounts_of(request.user.pk)
    account = _chosen(accounts, code)
    before = _number(request.GET.get("before"), "before")
    page = histories.page(account, before=before)
    return render(request, "portal/history.html", _context("history", account, accounts, page=page, before=before))


@require_safe
def inbox_list(request: HttpRequest) -> HttpResponse:
    """The demo's messages, newest first."""
    return render(request, "portal/inbox.html", {"messages_found": inbox.messages(_inbox_folder())})


@require_safe
def inbox_message(request: HttpRequest, key: str) -> HttpResponse:
    """One message of the demo."""
    message = inbox.message(_inbox_folder(), key)
    if message is None:
        raise Http404(_("This message does not exist."))
    return render(request, "portal/message.html", {"mail": message})


def _chosen(accounts: list[Account], code: str) -> Account:
    account = chosen(accounts, code)
    if account is None:
        # The same words whether the programme exists or not: who is in it is nobody else's business.
        raise Http404(_("You are not a member of a programme “%(code)s”.") % {"code": code})
    return account


def _context(page_is: str, account: Account, accounts: list[Account], **more: object) -> dict[str, object]:
    return {"page_is": page_is, "account": account, "programme": account.programme, "accounts": accounts, **more}


def _number(text: str | None, name: str) -> int | None:
    """A number of an entry from the address. Raises BadRequest, naming what is wrong."""
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise BadRequest(_("In this address, “%(name)s” must be a whole number of at least 1.") % {"name": name})
    return int(text)


def _inbox_folder() -> str:
    folder: str = settings.INBOX_MAILDIR
    if not folder:
        raise Http404(_("There is no inbox here."))
    return folder
