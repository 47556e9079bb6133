"""The pages on which members say how they are reached. Each thing they do is one act; nobody's address but their own
is ever found."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from alerts.addresses import consents, contacts, verifications, zones
from alerts.channels import Channels
from alerts.errors import BadInput, SendError
from alerts.models import Contact
from alerts.texts.words import spoken_as
from ledger.models import Account
from portal.memberships import accounts_of, actor_of, chosen_or_404, context
from portal.reaching import pages
from portal.reaching.forms import AddressForm, CodeForm, EmailForm, PhoneForm, PreferencesForm, ZoneForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reaching(request: HttpRequest, code: str) -> HttpResponse:
    """All addresses and preferences; what the button is named decides what is done."""
    account = chosen_or_404(accounts_of(request.user.pk), code)
    if request.method != "POST":
        return _page(request, account, now=timezone.now())
    match request.POST.get("do"):
        case "email":
            return _add(request, account, EmailForm(request.POST))
        case "phone":
            return _add(request, account, PhoneForm(request.POST))
        case "zone":
            return _move(request, account)
        case "preferences":
            return _prefer(request, account)
        case "confirm":
            consents.confirm(member=account.member, source=pages.SOURCE, by=actor_of(request), now=timezone.now())
            messages.success(request, _("Thank you: that is on record for two more years."))
            return redirect("portal:reaching", code=code)
    raise BadRequest(_("This form is damaged. Please open the page again."))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def proving(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Enter the code that was sent to an address, or ask for another one."""
    account = chosen_or_404(accounts_of(request.user.pk), code)
    contact = _theirs(account, pk)
    if contact.verified:
        return redirect("portal:reaching", code=code)
    if request.method != "POST":
        return _code_page(request, account, contact, CodeForm())
    if request.POST.get("do") == "resend":
        return _resend(request, account, contact)
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            verifications.check(contact=contact, code=form.cleaned_data["code"], now=timezone.now())
        except BadInput as refusal:
            form.add_error("code", refusal.detail)
        else:
            messages.success(request, _("%(address)s is verified.") % {"address": pages.written(contact)})
            return redirect("portal:reaching", code=code)
    return _code_page(request, account, contact, form)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def removing(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Erase an address; what that means is said first."""
    account = chosen_or_404(accounts_of(request.user.pk), code)
    contact = _theirs(account, pk)
    if request.method == "POST":
        contacts.remove(contact=contact, by=actor_of(request))
        messages.success(request, _("The address was removed."))
        return redirect("portal:reaching", code=code)
    shown = {"written": pages.written(contact), "is_the_last": pages.is_the_last(contact, now=timezone.now())}
    return render(request, "portal/removing.html", _context(request, account, **shown))


def _add(request: HttpRequest, account: Account, form: AddressForm) -> HttpResponse:
    now = timezone.now()
    if form.is_valid():
        try:
            with Channels() as channels:
                claim = verifications.claim(
                    member=account.member,
                    address=form.address,
                    language=spoken_as(get_language() or ""),
                    channel=form.channel,
                    channels=channels,
                    by=actor_of(request),
                    now=now,
                )
        except BadInput as refusal:
            form.refuse(refusal.detail)
        else:
            _say_if_sent(request, claim.failure)
            return redirect("portal:proving", code=account.programme.code, pk=claim.contact.pk)
    return _page(request, account, form, now=now)


def _resend(request: HttpRequest, account: Account, contact: Contact) -> HttpResponse:
    failure = None
    try:
        with Channels() as channels:
            verifications.send_code(contact=contact, channels=channels, now=timezone.now())
    except BadInput as refusal:
        return _code_page(request, account, contact, CodeForm(), refusal=refusal.detail)
    except SendError as error:
        failure = error
    _say_if_sent(request, failure)
    return redirect("portal:proving", code=account.programme.code, pk=contact.pk)


def _move(request: HttpRequest, account: Account) -> HttpResponse:
    form = _zone_form(account, request.POST)
    if form.is_valid():
        try:
            zones.move(member=account.member, zone=form.cleaned_data["zone"], by=actor_of(request))
        except BadInput as refusal:
            form.add_error("zone", refusal.detail)
        else:
            messages.success(request, _("Your time zone is saved."))
            return redirect("portal:reaching", code=account.programme.code)
    return _page(request, account, form, now=timezone.now())


def _zone_form(account: Account, data: object = None) -> ZoneForm:
    return ZoneForm(data, kept=zones.zone_of(account.member_id), programmes_own=account.programme.zone)


def _prefer(request: HttpRequest, account: Account) -> HttpResponse:
    now = timezone.now()
    form = _preferences(account, now, request.POST)
    if form.is_valid():
        try:
            consents.choose(member=account.member, said=form.said(), source=pages.SOURCE, by=actor_of(request), now=now)
        except BadInput as refusal:
            form.add_error(refusal.field, refusal.detail)
        else:
            messages.success(request, _("Your choices are saved."))
            return redirect("portal:reaching", code=account.programme.code)
    return _page(request, account, form, now=now)


def _preferences(account: Account, now: datetime, data: object = None) -> PreferencesForm:
    return PreferencesForm(
        data,
        words=consents.newest_words(account.member_id),
        reached_by={contact.channel for contact in contacts.deliverable(account.member_id)},
        now=now,
    )


def _say_if_sent(request: HttpRequest, failure: SendError | None) -> None:
    if failure is None:
        messages.success(request, _("A code was sent."))
    else:
        messages.warning(
            request, _("The code could not be sent at the moment. Please ask for another one in a few minutes.")
        )


def _theirs(account: Account, pk: int) -> Contact:
    """An address of this member. Raises Http404, whether it is nobody's or somebody else's."""
    contact = Contact.objects.filter(member=account.member_id, pk=pk).first()
    if contact is None:
        raise Http404(_("There is no such address."))
    return contact


def _page(request: HttpRequest, account: Account, sent: Form | None = None, *, now: datetime) -> HttpResponse:
    """`sent`: the form that was refused, with what is wrong in it."""
    zone, words = account.programme.tz, consents.newest_words(account.member_id)
    preferences = sent if isinstance(sent, PreferencesForm) else _preferences(account, now)
    shown = {
        "addresses": pages.address_lines(account.member_id, zone),
        "forms": {kind.field: sent if isinstance(sent, kind) else kind() for kind in (EmailForm, PhoneForm)},
        "zone": sent if isinstance(sent, ZoneForm) else _zone_form(account),
        "preferences": preferences,
        "choices": pages.choices(preferences, words, zone, now),
        "to_confirm": pages.to_confirm(words, zone, now),
    }
    return render(request, "portal/reaching.html", _context(request, account, **shown))


def _code_page(
    request: HttpRequest, account: Account, contact: Contact, form: CodeForm, *, refusal: str = ""
) -> HttpResponse:
    """`refusal`: why no other code is sent."""
    shown = {"written": pages.written(contact), "contact": contact, "form": form, "refusal": refusal}
    return render(request, "portal/proving.html", _context(request, account, **shown))


def _context(request: HttpRequest, account: Account, **more: object) -> dict[str, object]:
    return context("reaching", account, accounts_of(request.user.pk), **more)
