from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.admin.pages import PlainAddress
from alerts.errors import BadInput, CannotBeWritten
from alerts.models import Template, TemplateVersion
from alerts.models.contact import Channel
from alerts.texts import rendering, template_versions
from alerts.texts.wording import VARIABLES
from alerts.texts.words import Telling, Words, ending, write
from ledger.actors import Actor
from ledger.models import Account
from ledger.statements import expiring

PARTS = ("subject", "text", "html", "provider_code")


class TemplateForm(forms.ModelForm):
    """The words of the newest version; those that are saved become the next one."""

    subject = forms.CharField(label=_("subject"), required=False, widget=forms.TextInput({"size": 80}))
    text = forms.CharField(
        label=_("text"),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 12, "cols": 80}),
        help_text=" ".join(f"{{{{ {name} }}}}" for name in VARIABLES),
    )
    html = forms.CharField(
        label=_("HTML"), required=False, strip=False, widget=forms.Textarea({"rows": 16, "cols": 80})
    )
    provider_code = forms.CharField(label=_("code at the provider"), required=False)

    class Meta:
        model = Template
        fields = ("programme", "channel", "language", "purpose")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = self.instance.versions.order_by("-number").first() if self.instance.pk else None
        for part in PARTS if newest else ():
            self.fields[part].initial = getattr(newest, part)

    def words(self) -> Words:
        return Words(**{part: self.cleaned_data[part] for part in PARTS})

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own step, in which the row gets its values
        if self.errors:
            return
        row = self.instance
        try:
            template_versions.check(
                programme=row.programme,
                channel=row.channel,
                language=row.language,
                purpose=row.purpose,
                words=template_versions.tidied(self.words()),
            )
        except BadInput as error:
            self.add_error(error.field if error.field in self.fields else None, error.detail)


class VersionInline(admin.TabularInline):
    model = TemplateVersion
    can_delete = False
    extra = 0
    fields = readonly_fields = ("number", "made_at", "made_by", *PARTS)
    ordering = ["-number"]

    def has_add_permission(self, *args: object) -> bool:
        return False

    def has_change_permission(self, *args: object) -> bool:
        return False


@admin.register(Template)
class TemplateAdmin(PlainAddress):
    """Saving makes a new version; the old ones stay in sight."""

    form = TemplateForm
    list_display = ["programme", "channel", "language", "purpose"]
    list_filter = ["programme", "channel"]
    list_select_related = ["programme"]
    inlines = [VersionInline]
    change_form_template = "admin/alerts/template/words_form.html"
    fields = ["programme", "channel", "language", "purpose", "subject", "text", "html", "provider_code"]

    def get_fields(self, request: HttpRequest, obj: Template | None = None) -> Any:
        return [*self.fields, "price"] if obj and obj.channel != Channel.EMAIL else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> Any:
        return ["programme", "channel", "language", "purpose", "price"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Template | None) -> Any:
        return self.inlines if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # the proof names versions

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        version = template_versions.save(
            programme=obj.programme,
            channel=obj.channel,
            language=obj.language,
            purpose=obj.purpose,
            words=form.words(),
            by=Actor("staff", str(request.user.pk)),
            now=timezone.now(),
        )
        obj.pk = version.template_id

    @admin.display(description=_("price class of the longest"))
    def price(self, obj: Template) -> str:
        """What the newest version becomes with the longest plausible values, in Korea and elsewhere."""
        newest = obj.versions.order_by("-number").first()
        if newest is None:
            return "-"
        said = []
        for where, korean in ((_t("Korea"), True), (_t("elsewhere"), False)):
            if not korean and obj.channel == Channel.ALIMTALK:
                continue
            try:
                length = template_versions.lengths(
                    programme=obj.programme,
                    channel=obj.channel,
                    language=obj.language,
                    words=rendering.as_words(newest),
                    korean_number=korean,
                )
            except (CannotBeWritten, BadInput) as error:
                said.append(f"{where}: {error.detail}")
            else:
                said.append(f"{where}: {length.price_class} × {length.segments}, {length.used}/{length.most}")
        return " · ".join(said)

    def get_urls(self) -> list[URLPattern]:
        preview = path("<int:pk>/preview/", self.admin_site.admin_view(self.preview), name="alerts_template_preview")
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The newest version as the member with the reference in `member` would get it now."""
        row = Template.objects.select_related("programme").filter(pk=pk).first()
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        reference, text, refusal = request.GET.get("member", ""), None, ""
        try:
            telling = _telling(row, reference)
            newest = row.versions.order_by("-number").first()
            words = rendering.as_words(newest) if newest else rendering.built_in(row.channel, row.language)
            text = write(words, telling, channel=row.channel, language=row.language)
        except (CannotBeWritten, BadInput) as error:
            refusal = error.detail
        context = {
            **self.admin_site.each_context(request),
            "title": _t("Preview"),
            "member": reference,
            "text": text,
            "refusal": refusal,
        }
        return TemplateResponse(request, "admin/alerts/template/preview.html", context)


def _telling(row: Template, reference: str) -> Telling:
    """What the member would be told of the points that go first. Raises BadInput: nobody, or nothing that goes."""
    if "\0" in reference:
        raise BadInput(_t("There is no such member."), field="member")
    account = Account.objects.filter(programme=row.programme, member__reference=reference).first()
    if account is None:
        raise BadInput(_t("There is no such member."), field="member")
    now = timezone.now()
    first = next(iter(expiring(account, at=now)), None)
    if first is None:
        raise BadInput(_t("This member has no points that expire."), field="member")
    last_day, last_time = ending(first.expires_at, row.programme.tz)
    return Telling(
        programme=row.programme.name,
        unit=row.programme.unit,
        points=first.points,
        last_day=last_day,
        last_time=last_time,
        days_left=(last_day - now.astimezone(row.programme.tz).date()).days,
        link=f"{settings.SITE_URL}/",
    )
