"""The rules of telling in the admin: the pack that a programme is held against, its reminders, holidays and exceptions.

What would break the pack is refused with the finding's text at its field, unless a reason is given; the exception is
then written with the rule. `policies.py` does the same for the policies, which live in the ledger.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.admin.pages import BoundedPaginator, PlainAddress, ReadOnlyAdmin
from alerts.admin.stops import SwitchedProgrammes
from alerts.errors import BadInput
from alerts.models import Holiday, Override, ReminderRule, TellingRules
from alerts.models.contact import Channel
from alerts.rules import holding, linting, programme_rules
from ledger import programmes
from ledger.actors import Actor
from ledger.admin.refusals import said
from ledger.errors import ProgrammeBusy
from ledger.models import Programme

SEPARATORS = re.compile(r"[,\s]+")


def _split(text: str | None) -> list[str]:
    return [name for name in SEPARATORS.split(text or "") if name]


class ChannelsField(forms.CharField):
    """Channels in the order in which they are written: `sms, email`."""

    default_error_messages = {
        "unknown": _("“%(name)s” is no channel; there are %(known)s."),
    }

    def __init__(self, **kwargs: Any) -> None:
        known = ", ".join(Channel.values)
        super().__init__(
            label=kwargs.pop("label", _("channels in order")),
            help_text=_("The first that reach the member are used; the next ones when a message came to nothing.")
            + f" {known}",
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        names = _split(super().to_python(value))
        for name in names:
            if name not in Channel.values:
                params = {"name": name, "known": ", ".join(Channel.values)}
                raise ValidationError(self.error_messages["unknown"], code="unknown", params=params)
        return names


class OffsetsField(forms.CharField):
    """Numbers of days in the order in which they are written: `60, 30, 3`."""

    def to_python(self, value: Any) -> Any:
        names = _split(super().to_python(value))
        for name in names:
            if not re.fullmatch(r"[0-9]{1,6}", name):
                raise ValidationError(
                    _("“%(name)s” is no number of days; write, for instance, 60, 30, 3."),
                    code="number",
                    params={"name": name},
                )
        return [int(name) for name in names]


def override_field() -> forms.CharField:
    """The reason for an exception, on every form that is held against a pack."""
    return forms.CharField(
        label=_("reason for an exception"),
        required=False,
        max_length=holding.LONGEST_REASON,
        widget=forms.Textarea({"rows": 2, "cols": 80}),
        help_text=_(
            "What breaks the pack is refused. With a reason it is kept as an exception, which stays on record for good."
        ),
    )


class HeldForm(forms.ModelForm):
    """A rule that is held against its programme's pack before it is saved."""

    override = override_field()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own step, in which the row gets its values
        self.now = timezone.now()
        if self.errors:
            return
        try:
            programmes.lock(self.instance.programme_id)  # until the end of the request's transaction, which saves it
        except ProgrammeBusy as refusal:
            self.add_error(None, said(refusal))
            return
        if not self.cleaned_data["override"].strip():
            for finding in holding.broken_by(self.instance, now=self.now):
                self.add_error(finding.field if finding.field in self.fields else None, finding.text)


class HeldAdmin(PlainAddress):
    """Saving calls the act; a rule stays with its programme."""

    list_select_related = ["programme"]
    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.readonly_fields, "programme"] if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = Actor("staff", str(request.user.pk))
        holding.keep(obj, reason=form.cleaned_data["override"], by=by, now=form.now)


class TellingRulesForm(HeldForm):
    class Meta:
        model = TellingRules
        fields = (
            "programme", "pack", "open_from", "open_until", "rests_on_holidays", "country", "counts_when",
            "text_kept_days", "blast_factor", "blast_least",
        )  # fmt: skip


@admin.register(TellingRules)
class TellingRulesAdmin(SwitchedProgrammes, HeldAdmin):
    form = TellingRulesForm
    list_display = ["programme", "pack", "stopped_at", "open_from", "open_until", "rests_on_holidays", "country"]
    list_filter = ["pack"]
    ordering = ["programme__code"]
    readonly_fields = ["findings", "stopped_at", "last_word"]
    fields = [*TellingRulesForm.Meta.fields, "override", "findings", "stopped_at", "last_word"]

    @admin.display(description=_("what breaks the pack"))
    def findings(self, obj: TellingRules) -> str:
        """Everything that `manage.py lint_programme` finds now, with the exceptions."""
        if not obj.programme_id:
            return "–"
        found = linting.lint(obj.programme, now=timezone.now())
        lines = [
            (finding.text, _t("Exception: %(reason)s") % {"reason": finding.overridden_by})
            if finding.overridden_by
            else (finding.text, "")
            for finding in found
        ]
        return format_html_join("", "<p>{} {}</p>", lines) or _t("Nothing.")


class ReminderRuleForm(HeldForm):
    channels = ChannelsField()

    class Meta:
        model = ReminderRule
        fields = ("programme", "offset_days", "channels", "at_once", "least_points")


class ScheduleForm(forms.Form):
    """All reminders of a programme at once."""

    programme = forms.ModelChoiceField(Programme.objects.order_by("code"), label=_("programme"))
    offsets = OffsetsField(
        label=_("days before, each reminder nearer than the one before"),
        initial="60, 30, 3",
        help_text=_("Reminders of the programme that are not named here are removed."),
    )
    channels = ChannelsField(initial="email")
    at_once = forms.IntegerField(label=_("channels used at once"), initial=1, min_value=1, max_value=5)
    least_points = forms.IntegerField(label=_("least points"), initial=1, min_value=1, max_value=10**12)
    override = override_field()


@admin.register(ReminderRule)
class ReminderRuleAdmin(HeldAdmin):
    """One reminder at a time, or the whole schedule; a reminder goes by a schedule that does not name it."""

    form = ReminderRuleForm
    list_display = ["programme", "offset_days", "in_order", "at_once", "least_points"]
    list_filter = ["programme"]
    ordering = ["programme__code", "-offset_days"]
    fields = [*ReminderRuleForm.Meta.fields, "override"]

    @admin.display(description=_("channels in order"))
    def in_order(self, obj: ReminderRule) -> str:
        return ", ".join(obj.channels)

    def get_urls(self) -> list[URLPattern]:
        schedule = path("schedule/", self.admin_site.admin_view(self.schedule), name="alerts_reminderrule_schedule")
        return [schedule, *super().get_urls()]

    def schedule(self, request: HttpRequest) -> HttpResponse:
        """Enter all reminders of a programme at once."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        form = ScheduleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            entered = dict(form.cleaned_data)
            reason, by = entered.pop("override"), Actor("staff", str(request.user.pk))
            try:
                programme_rules.remind_schedule(**entered, reason=reason, by=by, now=timezone.now())
            except BadInput as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.detail)
            except ProgrammeBusy as refusal:
                form.add_error(None, said(refusal))
            else:
                self.message_user(request, _t("The reminders were set."), messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:alerts_reminderrule_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _t("All reminders of a programme"),
            "opts": self.opts,
            "explains": _t("These reminders take the place of those that the programme has now."),
            "form": form,
            "action_url": reverse("admin:alerts_reminderrule_schedule"),
            "list_url": reverse("admin:alerts_reminderrule_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/act_form.html", context)


@admin.register(Holiday)
class HolidayAdmin(PlainAddress):
    """A day that the programme takes for a holiday, or for a working day, whatever the calendar says."""

    list_display = ["programme", "day", "is_holiday", "name"]
    list_filter = ["programme", "is_holiday"]
    list_select_related = ["programme"]
    ordering = ["-day", "-pk"]
    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["programme", "rule", "found", "reason", "by", "at"]
    list_filter = ["programme"]
    list_select_related = ["programme"]
    search_fields = ["=rule"]
    ordering = ["-pk"]
