"""How long words become, said to whoever writes them: on the page that is saved, and while they are typed."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from alerts.errors import BadInput, CannotBeWritten
from alerts.models.contact import Channel
from alerts.texts import template_versions
from alerts.texts.sms_length import Length
from alerts.texts.words import Words
from ledger.models import Programme


class CountForm(forms.Form):
    """What is being typed, as far as its length depends on it."""

    programme = forms.ModelChoiceField(Programme.objects.all())
    channel = forms.ChoiceField(choices=Channel.choices)
    language = forms.ChoiceField(choices=[("ko", "ko"), ("en", "en")])
    text = forms.CharField(strip=False)


def longest(*, programme: Programme, channel: str, language: str, words: Words) -> str:
    """What the words become with the longest plausible values, in Korea and elsewhere. E-mails are not counted: ""."""
    if channel == Channel.EMAIL:
        return ""
    said = []
    for where, korean in ((_("Korea"), True), (_("elsewhere"), False)):
        if not korean and channel == Channel.ALIMTALK:
            continue
        try:
            length = template_versions.lengths(
                programme=programme, channel=channel, language=language, words=words, korean_number=korean
            )
        except CannotBeWritten as error:
            said.append(f"{where}: {error.detail}")
        except BadInput as error:
            return error.detail  # it is no template, wherever it is read
        else:
            said.append(f"{where}: {in_words(length)}")
    return " · ".join(said)


def in_words(length: Length) -> str:
    """“SMS × 1, 45/90”: the class, how many of them, and what is used of what there is."""
    return f"{length.price_class} × {length.segments}, {length.used}/{length.most}"
