"""A page for each act of an operator: it says what will happen, asks why, and acts on a POST alone.

The act and its line in the admin's log are written together, or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from alerts.admin.pages import PlainAddress
from alerts.errors import BadInput
from alerts.reasons import LONGEST, reason
from ledger.actors import Actor

DETAILS = (gettext_noop("The plan was decided already, and stays so."),)  # of acts that know no languages


class ReasonForm(forms.Form):
    """The reason, as one line."""

    why = forms.CharField(
        label=_("Reason"),
        help_text=_("It stays on record for good. Addresses and telephone numbers in it are masked."),
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 3, "cols": 60}),
    )

    def clean_why(self) -> str:
        """One line, without addresses: who did what, and why, is a fact that stays, and so does the admin's log."""
        return reason(self.cleaned_data["why"])


class WhyForm(ReasonForm):
    """The same, for an operator: with who is on record, and the rule where it is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].help_text = _t(
            "It stays on record, with your number as staff and the time. Addresses and telephone numbers in it are "
            "masked."
        )
        rule = _t("Say why, in at most %(number)d letters.") % {"number": LONGEST}
        self.fields["why"].error_messages["required"] = rule


class OperatedAdmin(PlainAddress):
    """A list with acts of operators: a page for each, and links to it for those who may act."""

    change_list_template = "admin/alerts/operations/list.html"
    change_form_template = "admin/alerts/operations/look.html"
    permission = ""  # what the acts need, besides looking

    def may_act(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(self.permission)

    def acts_of(self, row: Any) -> Sequence[tuple[str, str]]:
        """Address and name of what can be done with a row now; without a row, of what is offered above the list."""
        raise NotImplementedError

    def get_list_display(self, request: HttpRequest) -> Any:
        first, *others = super().get_list_display(request)
        return [first, "acts", *others] if self.may_act(request) else [first, *others]

    @admin.display(description=_("acts"))
    def acts(self, row: Any) -> SafeString:
        links = format_html_join(" · ", '<a href="{}">{}</a>', self.acts_of(row))
        return format_html('<span class="nowrap">{}</span>', links) if links else links

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = capfirst(self.opts.verbose_name_plural)  # Django's own is longer, and the acts stand beside it
        more = {"title": title, "acts": self.acts_of(None) if self.may_act(request) else ()}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        acts = self.acts_of(row) if row and self.may_act(request) else ()
        return super().render_change_form(request, {**context, "acts": acts}, *args, **kwargs)

    def page(self, request: HttpRequest, form: forms.Form, **said: Any) -> HttpResponse:
        """The page of an act. `said`: its title and what it `explains`; maybe `facts`, and where to look before.
        `is_over`: nothing can be done any more, and the page says why.
        """
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": self.list_url(),
            "action_url": request.path,
            "form": form,
        }
        return TemplateResponse(request, "admin/alerts/operations/act.html", {**context, **said})

    def try_act(self, request: HttpRequest, form: forms.Form, pk: Any, log: str, act: Callable[..., None]) -> bool:
        """Do it and log it with its reason, at the row with this key; False: it was refused, as the form says now."""
        why = form.cleaned_data["why"]

        def at_the_row(**terms: Any) -> list[Model]:
            act(why=why, **terms)
            return [self.model._default_manager.get(pk=pk)]

        return self.try_rows(request, form, f"{log}: {why}", at_the_row)

    def try_rows(self, request: HttpRequest, form: forms.Form, log: str, act: Callable[..., Sequence[Model]]) -> bool:
        """The same with an act that returns the rows it made or changed: it is logged at each of them."""
        try:
            with transaction.atomic():
                for row in act(by=Actor("staff", str(request.user.pk)), now=timezone.now()):
                    self.log_change(request, row, log)
        except BadInput as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, _t(refusal.detail))
            return False
        return True

    def list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
