"""What a member sends: an address, the code that came there, and which messages they want on which channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.addresses import consents
from alerts.models.consent import Purpose
from alerts.models.contact import Channel

MESSAGES = {
    Purpose.NOTICE: _("Notices, such as of points that expire"),
    Purpose.ADVERTISING: _("Advertising"),
    Purpose.NIGHT_ADVERTISING: _("Advertising at night, too: from 21:00 to 08:00"),
}


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
        said = self.said()
        says_no = any(purpose == Purpose.NOTICE and not given for (_channel, purpose), given in said.items())
        # Without an address that works, only a no on every channel is a no to everything.
        channels = self._reached_by or set(Channel)
        if says_no and not any(self.cleaned_data[_name(channel, Purpose.NOTICE)] for channel in channels):
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
