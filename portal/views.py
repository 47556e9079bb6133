"""The members' pages. All of them look; three write, by one act each: close the account, keep it after all, and
end messages by one click. How a member is reached is in `portal/reaching`."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerts.addresses import unsubscribing
from alerts.errors import BadInput
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from ledger import closures
from ledger.errors import AccountBusy, AccountClosed, AlreadyClosing, FutureAct, KeyReused, NotClosing
from ledger.models import Account
from portal import balances, inbox
from portal import closing as closings
from portal import history as histories
from portal.memberships import accounts_of, actor_of, chosen_or_404, context


@never_cache
@login_required
@require_safe
def balance(request: HttpRequest, code: str = "") -> HttpResponse:
    """What the member has, and what expires when; without a code that of their first programme."""
    accounts = accounts_of(request.user.pk)
    if not accounts and not code:
        return render(request, "portal/no_membership.html")
    account = chosen_or_404(accounts, code)
    return _balance_page(request, account, accounts)


@never_cache
@login_required
@require_safe
def history(request: HttpRequest, code: str) -> HttpResponse:
    """The newest lines of the history, or those before the number `before`."""
    accounts = accounts_of(request.user.pk)
    account = chosen_or_404(accounts, code)
    before = _number(request.GET.get("before"), "before")
    page = histories.page(account, before=before)
    return render(request, "portal/history.html", context("history", account, accounts, page=page, before=before))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def closing(request: HttpRequest, code: str) -> HttpResponse:
    """Close the account: what would be lost is told first; one form, one tick, one button."""
    accounts = accounts_of(request.user.pk)
    account = chosen_or_404(accounts, code)
    if request.method != "POST":
        if account.closes_at:
            return redirect("portal:programme", code=code)  # that page says so, and has the button to withdraw
        form = closings.ClosingForm(initial={"key": closings.new_key()})
        return _closing_page(request, account, accounts, form)
    form = closings.ClosingForm(request.POST)
    if not form.is_valid():
        return _closing_page(request, account, accounts, _usable_again(form))
    try:
        closures.close(account=account, now=timezone.now(), key=closings.key_of(form), by=actor_of(request))
    except (AlreadyClosing, AccountClosed):
        pass  # as the member wanted it; the page that follows says so
    except (AccountBusy, FutureAct, KeyReused):
        return _closing_page(request, account, accounts, form, busy=True)
    return redirect("portal:programme", code=code)


@never_cache
@login_required
@require_POST
def keeping(request: HttpRequest, code: str) -> HttpResponse:
    """Keep the account after all: the closure is withdrawn, and nothing was lost."""
    accounts = accounts_of(request.user.pk)
    account = chosen_or_404(accounts, code)
    form = closings.KeyForm(request.POST)
    if not form.is_valid():
        raise BadRequest(_("This form is damaged. Please open the page again."))
    try:
        closures.withdraw(account=account, now=timezone.now(), key=closings.key_of(form), by=actor_of(request))
    except (NotClosing, AccountClosed):
        pass  # the page that follows says what is so
    except (AccountBusy, FutureAct, KeyReused):
        return _balance_page(request, account, accounts, busy=True)
    return redirect("portal:programme", code=code)


@csrf_exempt  # RFC 8058: the reader's mail provider posts, without a cookie; the signed address is what lets it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click ends the messages that the link names. GET shows a button, no more: scanners follow links."""
    try:
        if request.method != "POST":
            scope = unsubscribing.read(token)
        elif request.POST.get("List-Unsubscribe") != "One-Click":
            raise BadRequest(_("“List-Unsubscribe” must be “One-Click”."))
        else:
            scope = unsubscribing.unsubscribe(token=token, now=timezone.now())
    except BadInput as error:
        raise BadRequest(error.detail) from error
    shown = {"channel": Channel(scope.channel).label, "purpose": Purpose(scope.purpose).label}
    return render(request, "portal/unsubscribe.html", shown | {"done": request.method == "POST"})


@never_cache
@require_safe
def inbox_list(request: HttpRequest) -> HttpResponse:
    """The demo's messages, newest first; elsewhere what the sandbox kept, for staff."""
    _look_whether_the_inbox_is_for(request)
    found = inbox.messages(settings.INBOX_MAILDIR)
    return render(request, "portal/inbox.html", {"messages_found": found, "is_open": inbox.is_open()})


@never_cache
@require_safe
def inbox_message(request: HttpRequest, key: str) -> HttpResponse:
    """One message of the inbox."""
    _look_whether_the_inbox_is_for(request)
    message = inbox.message(settings.INBOX_MAILDIR, key)
    if message is None:
        raise Http404(_("This message does not exist."))
    return render(request, "portal/message.html", {"mail": message, "is_open": inbox.is_open()})


def _balance_page(
    request: HttpRequest, account: Account, accounts: list[Account], *, busy: bool = False
) -> HttpResponse:
    summary = balances.summary(account, now=timezone.now())
    more = {"summary": summary, "key": closings.new_key() if summary.closing.pending else "", "busy": busy}
    shown = context("balance", account, accounts, **more)
    return render(request, "portal/balance.html", shown, status=503 if busy else 200)


def _closing_page(
    request: HttpRequest,
    account: Account,
    accounts: list[Account],
    form: closings.ClosingForm,
    *,
    busy: bool = False,
) -> HttpResponse:
    now = timezone.now()
    loss = closures.preview(account, at=max(now, account.last_recorded_at or now))
    shown = context("closing", account, accounts, form=form, loss=loss, busy=busy)
    return render(request, "portal/closing.html", shown, status=503 if busy else 200)


def _usable_again(form: closings.ClosingForm) -> closings.ClosingForm:
    """A form whose key is damaged gets a new one; nothing was kept under the old."""
    if "key" not in form.errors:
        return form
    ticked = {"sure": "on"} if form.cleaned_data.get("sure") else {}
    again = closings.ClosingForm({**ticked, "key": closings.new_key()})
    again.is_valid()
    return again


def _number(text: str | None, name: str) -> int | None:
    """A number of an entry from the address. Raises BadRequest, naming what is wrong."""
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise BadRequest(_("In this address, “%(name)s” must be a whole number of at least 1.") % {"name": name})
    return int(text)


def _look_whether_the_inbox_is_for(request: HttpRequest) -> None:
    """Raises Http404: for this visitor there is none."""
    if not inbox.may_look(request.user):
        raise Http404(_("There is no inbox here."))
