"""What a member sends: an address, the code that came there, their time zone, and which messages they want on which
channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.addresses import consents, zones
from alerts.channels import carries_abroad
from alerts.models.consent import Purpose
from alerts.models.contact import Channel

MESSAGES = {
    Purpose.NOTICE: _("Notices, such as of points that expire"),
    Purpose.ADVERTISING: _("Advertising"),
    Purpose.NIGHT_ADVERTISING: _("Advertising at night, too: from 21:00 to 08:00"),
}

AREAS = {  # the first part of the name of a zone
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic Ocean"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific Ocean"),
}
NO_ZONE = _("There is no such time zone. Please choose one from the list.")


class AddressForm(forms.Form):
    """An address that the member claims; what is wrong with one is said by the act that enters it."""

    channel: ClassVar[Channel]
    field: ClassVar[str]

    def refuse(self, words: str) -> None:
        self.add_error(self.field, words)

    @property
    def address(self) -> str:
        return str(self.cleaned_data[self.field])


class EmailForm(AddressForm):
    channel, field = Channel.EMAIL, "email"

    email = forms.CharField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )


class PhoneForm(AddressForm):
    channel, field = Channel.SMS, "phone"

    phone = forms.CharField(
        label=_("Mobile number"),
        max_length=40,
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
        help_text=_("For example 010-1234-5678; a number of another country with its code, as +1 415 555 2671."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not carries_abroad(self.channel):
            self.fields["phone"].help_text = _("For example 010-1234-5678.")


class CodeForm(forms.Form):
    """The code; one that cannot be it costs no try."""

    code = forms.CharField(
        label=_("The six digits of the code"),
        max_length=20,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        code = "".join(str(self.cleaned_data["code"]).split())
        if not (len(code) == 6 and code.isascii() and code.isdecimal()):
            raise forms.ValidationError(_("A code has six digits."))
        return code


class ZoneForm(forms.Form):
    """The time zone: the programme's, one of those to choose from, or what staff entered that is none of them."""

    zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_(
            "By its clock we keep the hours without SMS and KakaoTalk messages, and write the last day of your points. "
            "The dates on these pages are by the clock of the programme."
        ),
        error_messages={"invalid_choice": NO_ZONE},
    )

    def __init__(self, data: Any = None, *, kept: str, programmes_own: str, **kwargs: Any) -> None:
        """`kept` is the member's zone by now, empty for that of the programme, `programmes_own`."""
        super().__init__(data, initial={"zone": kept}, **kwargs)
        field = cast(forms.ChoiceField, self.fields["zone"])
        offered = zones.to_choose_from()
        field.choices = [
            ("", _("The programme's time zone (%(zone)s)") % {"zone": programmes_own}),
            *([(kept, kept)] if kept and kept not in offered else []),
            *_by_area(offered),
        ]

    def clean_zone(self) -> str:
        if "zone" not in self.data:  # a form without the field says nothing, and would else mean the programme's
            raise forms.ValidationError(NO_ZONE)
        return str(self.cleaned_data["zone"])


def _by_area(names: Iterable[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Zones grouped by area, each read by its city first, so that typing its first letters finds it."""
    grouped = groupby(sorted(names), key=lambda name: name.partition("/")[0])
    return [
        (str(AREAS.get(area, area)), sorted(((name, _city(name)) for name in inside), key=itemgetter(1)))
        for area, inside in grouped
    ]


def _city(name: str) -> str:
    """“Buenos Aires, Argentina” for “America/Argentina/Buenos_Aires”."""
    return ", ".join(reversed(name.replace("_", " ").split("/")[1:]))


class PreferencesForm(forms.Form):
    """A box for each channel and purpose. Only those that the member changed, from what the page showed them, count:
    each goes with what it was when it was shown (`show_hidden_initial`)."""

    sure = forms.BooleanField(
        required=False, label=_("I want no notices at all, although my points may then expire without a word to me.")
    )

    def __init__(
        self, data: Any = None, *, words: consents.Words, reached_by: set[str], now: datetime, **kwargs: Any
    ) -> None:
        """`words` are the member's newest; `reached_by` the channels on which a message would reach them."""
        super().__init__(data, **kwargs)
        self.asks_if_sure = False
        self._reached_by = reached_by
        for channel in Channel:
            for purpose in Purpose:
                self.fields[_name(channel, purpose)] = forms.BooleanField(
                    required=False,
                    label=MESSAGES[purpose],
                    initial=consents.wanted(words, channel, purpose, now=now),
                    show_hidden_initial=True,
                )

    def clean(self) -> None:
        after = {channel.value: self.cleaned_data[_name(channel, Purpose.NOTICE)] for channel in Channel}
        if consents.ends_all_notices(self.said(), after=after, reached_by=self._reached_by):
            self.asks_if_sure = True
            if not self.cleaned_data["sure"]:
                self.add_error("sure", _("Nothing was changed yet. Please tick this box if you are sure."))

    def said(self) -> dict[tuple[str, str], bool]:
        """What the member changed, by channel and purpose."""
        return {
            (channel.value, purpose.value): self.cleaned_data[_name(channel, purpose)]
            for channel, purpose in _boxes()
            if _name(channel, purpose) in self.changed_data
        }

    def box(self, channel: str, purpose: str) -> forms.BoundField:
        return self[_name(channel, purpose)]


def _name(channel: str, purpose: str) -> str:
    return f"{channel}_{purpose}"  # as `consents.choose` names the field at fault


def _boxes() -> Iterator[tuple[Channel, Purpose]]:
    return ((channel, purpose) for channel in Channel for purpose in Purpose)
