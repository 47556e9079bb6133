"""Programmes, their policies, and what their points are worth. Of these two what exists stays; a new one can follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.utils import label_for_field
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import point_values, programmes
from ledger.actors import Actor
from ledger.admin.facts import BoundedAdmin
from ledger.admin.refusals import said
from ledger.comparing import worsened
from ledger.errors import BadInput, ProgrammeBusy, WorseTooSoon
from ledger.models import PointValue, Policy, Programme
from ledger.rules import rules_of

# Each group: its title, its fields line by line, and what it is about.
POLICY_GROUPS: list[tuple[Any, tuple[str | tuple[str, ...], ...]]] = [
    (gettext_lazy("In force"), (("effective_from", "origin"), "announced_on")),
    (
        gettext_lazy("When points expire"),
        (("model", "count", "unit", "rounding"), ("fixed_month", "fixed_day"), "spendable_after_days"),
    ),
    (
        gettext_lazy("Telling members before"),
        (
            ("notice_days", "notice_slack", "notice_max_days"),
            ("notice_channels", "accepts_waivers"),
        ),
    ),
    (
        gettext_lazy("Points that come back or are taken back"),
        ("restored_floor_days", ("reinstate_window_days", "reinstate_life_days"), "clawback_beyond"),
    ),
]


def _fieldsets(*first: str) -> Any:
    groups: list[tuple[Any, dict[str, Any]]] = [(title, {"fields": list(fields)}) for title, fields in POLICY_GROUPS]
    groups[0][1]["fields"] = [*first, *groups[0][1]["fields"]]
    return groups


class PolicyForm(forms.ModelForm):
    """A new policy keeps what the ledger asks of it: from now on, and announced early enough where it is worse."""

    def _post_clean(self) -> None:
        programme = self.cleaned_data.get("programme")
        if programme and programme.pk and self.has_changed():
            try:
                programmes.lock(programme.pk)  # until the end of the request's transaction, which writes the policy
            except ProgrammeBusy as refusal:
                self.add_error(None, said(refusal))
                return
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, in which the instance gets its values
        policy: Policy = self.instance
        if self.errors or not policy.programme_id or not self.has_changed():
            return  # a programme that is only being made has no policy yet: its first may reach back
        try:
            programmes.check_prospective(policy, now=timezone.now())
        except WorseTooSoon as refusal:
            self.add_error(refusal.field, worse_too_soon(policy) if refusal.field == "announced_on" else worse_later())
        except BadInput as refusal:
            self.add_error(refusal.field, _("A policy takes effect from now on; it cannot reach back."))


def worse_too_soon(policy: Policy) -> str:
    """What is worse under a policy that was refused, and until when it would have had to be announced."""
    programme, since = policy.programme, policy.effective_from
    worse = worsened(policy.terms(), rules_of(programme.pk).in_force(since, policy.origin), since)
    latest = since.astimezone(programme.tz).date() - timedelta(days=programme.policy_notice_days)
    return _(
        "New points would be worse than under the policy before (%(what)s). Members must be told of that by "
        "%(latest)s, %(days)d days before it takes effect; enter the day on which they were told."
    ) % {
        "what": ", ".join(str(label_for_field(name, Policy)) for name in worse),
        "latest": date_format(latest, "DATE_FORMAT"),
        "days": programme.policy_notice_days,
    }


def worse_later() -> str:
    return _(
        "A policy that takes effect after this one would then make new points worse, and was not announced for that. "
        "It would come without notice."
    )


class PolicyFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        """Each new policy is compared with those that exist: two at once would not be compared with each other."""
        super().clean()
        added = [form for form in self.forms if not form.instance.pk and form.has_changed()]
        if self.instance.pk and len(added) > 1:
            raise forms.ValidationError(_("Please add one policy at a time."))


class KeptOnceWritten:
    """New ones can be added; those that exist can neither be changed nor deleted."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NeededByAProgramme(KeptOnceWritten, InlineModelAdmin):
    """A programme is made together with its first one; more follow one by one."""

    def get_extra(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> int:
        return 0

    def get_min_num(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> int:
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: Programme | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, **kwargs)


class PointValueForm(forms.ModelForm):
    """A new value of a point counts from now on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].required = False

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, in which the instance gets its values
        row: PointValue = self.instance
        row.recorded_at = timezone.now()  # the one time of this request: what is checked here is what is recorded
        if self.errors or not row.programme_id or not self.has_changed():
            return
        try:
            programmes.lock(row.programme_id)  # until the end of the request's transaction, which writes the value
            if row.since is not None:
                point_values.check_since(row.programme, row.since, now=row.recorded_at)
        except ProgrammeBusy as refusal:
            self.add_error(None, said(refusal))
        except BadInput as refusal:
            self.add_error(refusal.field, _("A value of a point counts from now on; it cannot reach back."))


class OneValueAtATime(BaseInlineFormSet):
    def clean(self) -> None:
        """Two at once would leave open which was recorded later."""
        super().clean()
        if len([form for form in self.forms if not form.instance.pk and form.has_changed()]) > 1:
            raise forms.ValidationError(_("Please add one value of a point at a time."))


class PointValueInline(NeededByAProgramme, admin.TabularInline):
    """Without what its points are worth a liability would have no money."""

    model = PointValue
    form = PointValueForm
    formset = OneValueAtATime
    fields = ("since", "value", "currency", "recorded_at", "actor")
    readonly_fields = ("recorded_at", "actor")


class PolicyInline(NeededByAProgramme, admin.StackedInline):
    """Without a policy no points can be granted."""

    model = Policy
    form = PolicyForm
    formset = PolicyFormSet
    fieldsets = _fieldsets()
    ordering = ("-effective_from",)


@admin.register(Programme)
class ProgrammeAdmin(BoundedAdmin):
    list_display = ("code", "name", "unit", "zone", "language", "books_closed_until", "created_at")
    fieldsets = (
        (None, {"fields": ("code", "name", "unit", "zone", "language")}),
        (gettext_lazy("Money"), {"fields": ("earn_rate",)}),
        (gettext_lazy("Rules of the whole programme"), {
            "fields": ("policy_notice_days", "cooling_off_days", "books_closed_until"),
        }),
    )  # fmt: skip
    inlines: ClassVar[tuple[Any, ...]] = (PolicyInline, PointValueInline)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A value of a point is recorded by its act, with when and by whom."""
        if formset.model is not PointValue:
            super().save_formset(request, form, formset, change)
            return
        for row in formset.save(commit=False):
            point_values.record(
                programme=form.instance,
                value=row.value,
                currency=row.currency,
                since=row.since,
                now=row.recorded_at,
                by=Actor("staff", str(request.user.pk)),
            )

    def get_readonly_fields(self, request: HttpRequest, obj: Programme | None = None) -> tuple[str, ...]:
        """The code is in keys and addresses; another zone would give every lot that exists another last day."""
        return ("code", "zone") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Policy)
class PolicyAdmin(KeptOnceWritten, BoundedAdmin):
    form = PolicyForm
    list_display = ("programme", "__str__", "effective_from", "origin", "announced_on", "notice_days", "notice_slack")
    list_display_links = ("__str__",)
    list_filter = ("programme",)
    list_select_related = ("programme",)
    fieldsets = _fieldsets("programme")
