"""Members: opened with their account; afterwards only the sign-in can be changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ledger import accounts
from ledger.admin.facts import BoundedAdmin, link, programme_ids
from ledger.errors import BadInput
from ledger.models import Member


class MemberForm(forms.ModelForm):
    class Meta:
        model = Member
        fields = ("programme", "reference", "user")

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        try:
            accounts.check_reference(reference)
        except BadInput as error:
            raise forms.ValidationError(_("A reference must be 1 to 100 printable characters.")) from error
        return reference

    def clean(self) -> dict[str, Any] | None:
        """A user is one member of a programme. Where the programme cannot be edited, Django does not check that."""
        cleaned = super().clean()
        user = self.cleaned_data.get("user")
        others = Member.objects.filter(programme=self.instance.programme_id, user=user).exclude(pk=self.instance.pk)
        if user and self.instance.pk and others.exists():
            self.add_error("user", _("This user is another member of this programme already."))
        return cleaned


@admin.register(Member)
class MemberAdmin(BoundedAdmin):
    form = MemberForm
    list_display = ("reference", "programme", "user", "created_at")
    list_select_related = ("programme", "user")
    ordering = ("-pk",)
    search_fields = ("reference",)
    search_help_text = _("A member's reference, in full.")
    # A drop-down of a million users helps nobody.
    raw_id_fields = ("user",)
    fields = ("programme", "reference", "user", "points_account")
    readonly_fields = ("points_account",)

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> tuple[str, ...]:
        return ("programme", "reference", "points_account") if obj else ("points_account",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return queryset.filter(programme__in=programme_ids(), reference=term) if term else queryset, False

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        """A new member is opened by the ledger, with an account; an old one only gets another sign-in."""
        if not change:
            obj.pk = accounts.open_account(programme=obj.programme, reference=obj.reference).member_id
        Member.objects.filter(pk=obj.pk).update(user=obj.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("account"))
    def points_account(self, member: Member) -> str:
        account = getattr(member, "account", None)
        return link(reverse("admin:ledger_account_change", args=[account.pk]), account) if account else "–"
