"""The kill switch in the admin: a transport or a programme's telling is stopped and let go on, with a reason.

What has no row yet can be stopped as well. Every time stands among the stops, which can only be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from alerts.admin.operations import OperatedAdmin, WhyForm
from alerts.admin.pages import ReadOnlyAdmin
from alerts.channels import TRANSPORTS
from alerts.models import Stop, TellingRules, Transport
from alerts.watch import switches
from ledger.models import Programme


@dataclass(frozen=True, slots=True)
class Switch:
    """One of the two acts of a kill switch: what it is called, what its page says, and what is said afterwards."""

    name: str
    stops: bool
    act: Callable[..., None]
    short: Any
    title: Any
    explains: Any
    done: Any


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be stopped: its key in the form, how it is called, whether it is stopped, and what the acts take."""

    key: str
    label: str
    stopped: bool
    argument: Any


class SwitchedAdmin(OperatedAdmin):
    """Rows that a person can stop and let go on, and so can what has no row yet."""

    permission = "alerts.stop_sending"
    switches: Sequence[Switch] = ()
    asked = ""  # the argument of the acts that says what
    label: Any = ""  # of its field in the form

    def things(self) -> list[Thing]:
        """All that can be stopped, in the order of the form."""
        raise NotImplementedError

    def acts_of(self, row: Any) -> Sequence[tuple[str, str]]:
        if row is None:
            stopped = {thing.stopped for thing in self.things()}
            return [(self._url(one), one.title) for one in self.switches if (not one.stops) in stopped]
        chosen = urlencode({self.asked: row.pk})
        fitting = [one for one in self.switches if one.stops == (row.stopped_at is None)]
        return [(f"{self._url(one)}?{chosen}", one.short) for one in fitting]

    @admin.display(description=_("said last"))
    def last_word(self, row: Any) -> str:
        """Who stopped it, or let it go on, and why; every time stands among the stops."""
        if not row.stopped_by:
            return "–"
        text = _t("Stopped by %(by)s: %(why)s") if row.stopped_at else _t("Let go on by %(by)s: %(why)s")
        return text % {"by": row.stopped_by, "why": row.stopped_why}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"{one.name}/", wrap(partial(self.switch_view, switch=one)), name=self._url_name(one))
            for one in self.switches
        ]
        return [*own, *super().get_urls()]

    def switch_view(self, request: HttpRequest, *, switch: Switch) -> HttpResponse:
        """Stop one, or let it go on."""
        if not self.may_act(request):
            raise PermissionDenied
        chosen = request.POST.get(self.asked)
        things = {thing.key: thing for thing in self.things()}
        offered = [(one.key, one.label) for one in things.values() if one.stopped != switch.stops or one.key == chosen]
        first = {self.asked: request.GET.get(self.asked)}
        form = WhyForm(request.POST if request.method == "POST" else None, initial=first)
        form.fields[self.asked] = forms.ChoiceField(label=self.label, choices=offered)
        form.order_fields([self.asked, "why"])
        if request.method == "POST" and form.is_valid():
            thing = things[form.cleaned_data[self.asked]]
            act = partial(switch.act, **{self.asked: thing.argument})
            log = "Stopped" if switch.stops else "Let go on"
            if self.try_act(request, form, thing.key, log, act):
                self.message_user(request, switch.done % {"what": thing.label}, messages.SUCCESS)
                return HttpResponseRedirect(self.list_url())
        return self.page(request, form, title=switch.title, explains=switch.explains)

    def _url_name(self, switch: Switch) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{switch.name}"

    def _url(self, switch: Switch) -> str:
        return reverse(f"admin:{self._url_name(switch)}")


class SwitchedProgrammes(SwitchedAdmin):
    """The telling of programmes; one without rules of its own gets the usual ones when it is stopped."""

    asked, label = "programme", _("Programme")
    switches = (
        Switch(
            "stop",
            True,
            switches.stop_programme,
            _("Stop"),
            _("Stop a programme"),
            _(
                "From now on no reminder of the programme goes out, on any channel, until a person lets it go on. "
                "Reminders are planned all the same and stay due; a call that is under way ends."
            ),
            _("No reminder of %(what)s goes out any more."),
        ),
        Switch(
            "resume",
            False,
            switches.resume_programme,
            _("Let go on"),
            _("Let a programme go on"),
            _("What came due meanwhile goes out now, where it still makes sense."),
            _("Reminders of %(what)s go out again."),
        ),
    )

    def things(self) -> list[Thing]:
        stopped = set(TellingRules.objects.exclude(stopped_at=None).values_list("pk", flat=True))
        programmes = Programme.objects.order_by("code")
        return [Thing(str(one.pk), str(one), one.pk in stopped, one) for one in programmes]


@admin.register(Transport)
class TransportAdmin(SwitchedAdmin, ReadOnlyAdmin):
    list_display = ["name", "carries", "breaker", "failures", "stopped_at", "last_word"]
    fields = readonly_fields = ("name", "carries", "breaker", "failures", "open_until", "stopped_at", "last_word")
    ordering = ["name"]
    asked, label = "name", _("Transport")
    switches = (
        Switch(
            "stop",
            True,
            switches.stop_transport,
            _("Stop"),
            _("Stop a transport"),
            _(
                "From now on no reminder goes out through it, of any programme, until a person lets it go on. Messages "
                "stay due and do not pass on to another channel; a call that is under way ends."
            ),
            _("No reminder goes out through %(what)s any more."),
        ),
        Switch(
            "resume",
            False,
            switches.resume_transport,
            _("Let go on"),
            _("Let a transport go on"),
            _("What came due meanwhile goes out now, where it still makes sense."),
            _("Reminders go out through %(what)s again."),
        ),
    )

    def things(self) -> list[Thing]:
        """Those that the settings use first; then all that could be used, and those that once were."""
        rows = dict(Transport.objects.values_list("name", "stopped_at"))
        used = set(settings.TRANSPORTS.values())
        names = sorted(used | TRANSPORTS.keys() | rows.keys(), key=lambda name: (name not in used, name))
        return [Thing(name, _labelled(name), bool(rows.get(name)), name) for name in names]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        rows = Transport.objects.values_list("name", flat=True)
        missing = ", ".join(_labelled(name) for name in sorted(set(settings.TRANSPORTS.values()).difference(rows)))
        text = _t("In use, never in trouble and never stopped, so not listed: %(names)s.") % {"names": missing}
        return super().changelist_view(request, {"unlisted": text if missing else "", **(extra_context or {})})

    @admin.display(description=_("carries"))
    def carries(self, row: Transport) -> str:
        return ", ".join(_carried(row.name)) or "–"

    @admin.display(description=_("breaker"))
    def breaker(self, row: Transport) -> str:
        if row.open_until is None:
            return _t("closed")
        if row.open_until <= timezone.now():
            return _t("one message tries it next")
        until = f"{timezone.localtime(row.open_until):%Y-%m-%d %H:%M:%S %Z}"
        return _t("open: not tried before %(moment)s") % {"moment": until}


def _carried(transport: str) -> list[str]:
    """The channels that a transport carries by the settings."""
    return [channel for channel, name in settings.TRANSPORTS.items() if name == transport]


def _labelled(transport: str) -> str:
    channels = ", ".join(_carried(transport)) or _t("carries nothing now")
    return f"{transport} ({channels})"


@admin.register(Stop)
class StopAdmin(ReadOnlyAdmin):
    """Every time that a person stopped something or let it go on."""

    list_display = ["at", "what", "stopped", "why", "by"]
    list_filter = ["stopped", "programme"]
    list_select_related = ["programme"]
    search_fields = ["=transport", "=programme__code"]
    ordering = ["-pk"]

    @admin.display(description=_("what"))
    def what(self, row: Stop) -> str:
        return str(row.programme) if row.programme else row.transport
