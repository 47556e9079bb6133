from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.addresses import contacts, traces, trials
from alerts.admin import lengths, previews
from alerts.admin.pages import PlainAddress
from alerts.channels import Channels, carries_abroad
from alerts.channels.sandbox import KEPT
from alerts.errors import BadInput, CannotBeWritten, SendError
from alerts.models import Template, TemplateVersion
from alerts.models.contact import Channel
from alerts.texts import rendering, template_versions
from alerts.texts.wording import VARIABLES
from alerts.texts.words import Words
from ledger.actors import Actor

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
        here = [self.instance.pk] if self.instance.pk else []
        self.fields["text"].widget.attrs["data-count-url"] = reverse("admin:alerts_template_count", args=here)

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
                abroad=carries_abroad(row.channel),
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
    """Saving makes a new version; the old ones stay in sight. The script counts while words are typed."""

    class Media:
        js = ["alerts/counter.js"]

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
            abroad=carries_abroad(obj.channel),
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
        words = rendering.as_words(newest)
        return lengths.longest(programme=obj.programme, channel=obj.channel, language=obj.language, words=words)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("count/", view(self.count), name="alerts_template_count"),
            path("<int:pk>/count/", view(self.count), name="alerts_template_count"),
            path("<int:pk>/preview/", view(self.preview), name="alerts_template_preview"),
            *super().get_urls(),
        ]

    def count(self, request: HttpRequest, pk: int | None = None) -> JsonResponse:
        """How long the words that are being typed become; `said` is empty where nothing can be said yet."""
        if request.method != "POST":
            return JsonResponse({}, status=405)
        row = None if pk is None else get_object_or_404(Template, pk=pk)
        if not (self.has_add_permission(request) or self.has_change_permission(request, row)):
            raise Http404
        typed = request.POST.dict()
        if row:
            typed |= {"programme": str(row.programme_id), "channel": row.channel, "language": row.language}
        form = lengths.CountForm(typed)
        if not form.is_valid():
            return JsonResponse({"said": ""})
        words = Words(form.cleaned_data.pop("text"))
        return JsonResponse({"said": lengths.longest(**form.cleaned_data, words=words)})

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The newest version as the member with the reference in `member` would get it now; a POST sends it as a
        test."""
        row = Template.objects.select_related("programme").filter(pk=pk).first()
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        reference, shown, refusal = request.GET.get("member", ""), None, ""
        try:
            shown = previews.preview(row, reference, now=timezone.now())
        except (CannotBeWritten, BadInput) as error:
            refusal = error.detail
        may_test = self.has_change_permission(request, row)
        form = previews.TestForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            if not may_test:
                raise PermissionDenied
            if shown and form.is_valid() and self._sent(request, row, shown, form):
                return redirect(request.get_full_path())
        context = {
            **self.admin_site.each_context(request),
            "title": _t("Preview"),
            "member": reference,
            "shown": shown,
            "refusal": refusal,
            "form": form if may_test else None,
        }
        return TemplateResponse(request, "admin/alerts/template/preview.html", context)

    def _sent(self, request: HttpRequest, row: Template, shown: previews.Preview, form: previews.TestForm) -> bool:
        """Send what is shown as a test, say what became of it, and log it without the address. False: not allowed."""
        to = form.cleaned_data["to"]
        try:
            with Channels() as channels:
                accepted = trials.send(
                    to=to,
                    channel=row.channel,
                    language=shown.language,
                    text=shown.text,
                    user_id=request.user.pk,
                    channels=channels,
                    now=timezone.now(),
                )
        except BadInput as refusal:
            form.add_error("to", refusal.detail)
            return False
        except SendError as failure:
            outcome, level = f"{type(failure).__name__}: {failure.answer} {failure.detail}".strip(), messages.ERROR
        else:
            kept = accepted.answer == KEPT
            outcome = _t("the sandbox kept it") if kept else f"{_t('accepted')} {accepted.answer}".strip()
            level = messages.SUCCESS
        self.message_user(request, _t("Test message: %(outcome)s") % {"outcome": outcome}, level)
        self.log_change(
            request, row, f"Test message to {traces.marked(contacts.normal(row.channel, to))[:17]}: {outcome}"
        )
        return True
