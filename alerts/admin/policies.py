"""The ledger's policies in the admin, held against the pack of their programme.

The ledger has never heard of packs, so its own pages of policies and programmes are taken and stand here anew, with a
reason for an exception. What breaks the pack is refused with the finding's text, or written down with that reason.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from alerts.admin.rules import override_field
from alerts.models import Override
from alerts.rules import holding
from ledger.actors import Actor
from ledger.admin import programme as of_the_ledger
from ledger.models import Policy, Programme

GROUP: tuple[Any, dict[str, Any]] = (_("What breaks the pack"), {"fields": ["override"]})


class HeldPolicyForm(of_the_ledger.PolicyForm):
    """A policy as the ledger takes it, which breaks nothing anew, or comes with the reason of its exception."""

    override = override_field()

    def _post_clean(self) -> None:
        super()._post_clean()
        policy: Policy = self.instance
        if self.errors or not policy.programme_id or not self.has_changed():
            return
        if not self.cleaned_data["override"].strip():
            for finding in holding.broken_by_policy(policy, now=timezone.now()):
                self.add_error(finding.field if finding.field in self.fields else None, finding.text)


class Excused:
    """Of a new policy `override` is the form's field; of one that exists it shows the exceptions that were made."""

    @admin.display(description=_("exceptions"))
    def override(self, policy: Policy) -> str:
        made = Override.objects.filter(programme=policy.programme_id, found__startswith=f"policy {policy.pk}:")
        lines = made.order_by("pk").values_list("rule", "found", "reason")
        return format_html_join("", "<p>{} ({}): {}</p>", lines) or "–"


class HeldPolicyInline(Excused, of_the_ledger.PolicyInline):
    form = HeldPolicyForm
    fieldsets = [*of_the_ledger.PolicyInline.fieldsets, GROUP]


class HeldProgrammeAdmin(of_the_ledger.ProgrammeAdmin):
    inlines = tuple(
        HeldPolicyInline if inline is of_the_ledger.PolicyInline else inline
        for inline in of_the_ledger.ProgrammeAdmin.inlines
    )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is Policy:
            for entered in formset.extra_forms:
                if entered.instance in formset.new_objects:
                    _excuse(entered.instance, entered, request)


class HeldPolicyAdmin(Excused, of_the_ledger.PolicyAdmin):
    form = HeldPolicyForm
    fieldsets = [*of_the_ledger.PolicyAdmin.fieldsets, GROUP]

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _excuse(obj, form, request)


def _excuse(policy: Policy, form: Any, request: HttpRequest) -> None:
    reason, by = form.cleaned_data["override"], Actor("staff", str(request.user.pk))
    holding.excuse_policy(policy, reason=reason, by=by, now=timezone.now())


admin.site.unregister([Policy, Programme])
admin.site.register(Policy, HeldPolicyAdmin)
admin.site.register(Programme, HeldProgrammeAdmin)
