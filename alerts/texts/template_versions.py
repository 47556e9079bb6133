"""A programme's own words: each save is a new version, checked as far as anything can be before there is a reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.checked import save_checked
from alerts.errors import BadInput, CannotBeWritten
from alerts.models import TellingRules, Template, TemplateVersion
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.texts import wording
from alerts.texts.classifying import Marks, classify
from alerts.texts.days_said import says_the_day, says_the_month
from alerts.texts.sms_length import Length
from alerts.texts.words import WIDEST_DAYS, Telling, Text, Words, measure, widest, write
from ledger.actors import Actor
from ledger.models import Programme

MUST_SAY = ("points", "last_day", "link")


def save(
    *,
    programme: Programme,
    channel: str,
    language: str,
    words: Words,
    by: Actor,
    now: datetime,
    purpose: str = "notice",
    abroad: bool = True,
) -> TemplateVersion:
    """Keep the words as the newest version; the older ones stay. Words that are the newest already are that version.

    Raises BadInput naming the field: see `check`; or the language is not known. Nothing is written then.
    """
    words = tidied(words)
    check(programme=programme, channel=channel, language=language, purpose=purpose, words=words, abroad=abroad)
    with transaction.atomic():
        # The programme's row, not the template's: of two first saves at once one would make it, the other fail.
        Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
        found = {"programme": programme, "channel": channel, "language": language, "purpose": purpose}
        template = Template.objects.filter(**found).first()
        if template is None:
            template = Template(**found)
            save_checked(template)
        newest = template.versions.order_by("-number").first()
        parts = {"subject": words.subject, "text": words.text, "html": words.html, "provider_code": words.provider_code}
        if newest and all(getattr(newest, part) == value for part, value in parts.items()):
            return newest
        number = newest.number + 1 if newest else 1
        version = TemplateVersion(template=template, number=number, made_at=now, made_by=str(by), **parts)
        save_checked(version)
        return version


def check(
    *, programme: Programme, channel: str, language: str, purpose: str, words: Words, abroad: bool = True
) -> None:
    """Refuse what could not be sent to every member. Raises BadInput with the field and the name at fault.

    SMS and AlimTalk must be writable in cp949 and fit with the longest plausible values: any member may have a Korean
    number. An SMS must also fit into the segments of other networks, unless `abroad` is false: the channel's transport
    carries to Korean numbers alone (`channels.carries_abroad`). A notice says how many points, until when (the day, its
    month, and the time where there is one), and where to look, in each turn that its template can take. Words that mix
    a notice and advertising, or lack the marks of what they are, are refused: see `classifying`.
    """
    for field, value, known in (("channel", channel, Channel), ("purpose", purpose, Purpose)):
        if value not in known.values:
            raise BadInput(_("“%(name)s” is not known.") % {"name": value}, field=field)
    _look_at_the_parts(channel, words)
    used = {
        part: wording.read(source, html=part == "html", field=part).uses
        for part, source in (("subject", words.subject), ("text", words.text), ("html", words.html))
    }
    for part in ("text", "html") if channel == Channel.EMAIL else ("text",):
        missing = [name for name in MUST_SAY if name not in used[part]]
        if missing and purpose == Purpose.NOTICE:
            raise BadInput(_("It must say {{ %(name)s }}.") % {"name": missing[0]}, field=part)
    country = (TellingRules.objects.filter(programme=programme).first() or TellingRules()).country
    found = classify(purpose=purpose, channel=channel, language=language, words=words, country=country)
    for refusal in found.refusals:
        raise BadInput(refusal.words, field=refusal.field)
    for telling in widest(_sample(programme)):
        try:
            text = write(words, telling, channel=channel, language=language)
        except CannotBeWritten as error:
            raise BadInput(error.detail, field=error.field) from error
        _bears(text, found.marks)
        if purpose == Purpose.NOTICE:
            for part in ("text", "html") if channel == Channel.EMAIL else ("text",):
                _says_it(getattr(text, part), part, telling)
                _says_until_when(words, getattr(text, part), part, telling, channel=channel, language=language)
    if abroad and channel == Channel.SMS:
        _fits_abroad(programme, language, words)


def lengths(*, programme: Programme, channel: str, language: str, words: Words, korean_number: bool) -> Length:
    """The longest that these words plausibly become on a channel that counts, and so the class that they cost.

    Raises CannotBeWritten (too long there), BadInput (no template).
    """
    found = []
    for telling in widest(replace(_sample(programme), korean_number=korean_number)):
        text = write(tidied(words), telling, channel=channel, language=language)
        found.append(measure(text.text, channel=channel, korean_number=korean_number))
    return max(found, key=lambda length: (length.segments, length.most, length.used))


def tidied(words: Words) -> Words:
    """With plain line ends: forms send two characters for each."""
    subject, text, html = (part.replace("\r\n", "\n") for part in (words.subject, words.text, words.html))
    return replace(words, subject=subject.strip(), text=text, html=html, provider_code=words.provider_code.strip())


def _look_at_the_parts(channel: str, words: Words) -> None:
    needed = {Channel.EMAIL.value: {"text", "subject", "html"}, Channel.ALIMTALK.value: {"text", "provider_code"}}
    for part in ("subject", "text", "html", "provider_code"):
        is_needed, given = part in needed.get(channel, {"text"}), bool(getattr(words, part).strip())
        if is_needed and not given:
            raise BadInput(_("This channel needs it."), field=part)
        if given and not is_needed:
            raise BadInput(_("This channel has none."), field=part)


def _bears(written: Text, marks: Marks) -> None:
    """That this turn of the template bears the marks, not only another turn of it."""
    if marks.says not in written.text:
        raise BadInput(_("It must say this, whatever the values are: %(words)s") % {"words": marks.says}, field="text")


def _says_it(written: str, part: str, telling: Telling) -> None:
    """That this turn of the template says the number and where to look, not only another turn of it."""
    for name, value in (("points", f"{telling.points:,}"), ("link", telling.link)):
        if value not in written:
            raise BadInput(_("It must say {{ %(name)s }}, whatever the values are.") % {"name": name}, field=part)


def _says_until_when(words: Words, written: str, part: str, telling: Telling, *, channel: str, language: str) -> None:
    """That this turn of the template says the day and the month, and the time where the points end during the day."""
    day = telling.last_day

    def about(another: date) -> str:
        return str(getattr(write(words, replace(telling, last_day=another), channel=channel, language=language), part))

    (other,) = {*WIDEST_DAYS} - {day}
    if not says_the_day(day, written, on_another_day=about(day - timedelta(weeks=1))) or not says_the_month(
        day, written, in_another_month=about(other), language=language
    ):
        rule = _("It must say the day and the month of {{ last_day }}, whatever the values are.")
        raise BadInput(rule, field=part)
    if telling.last_time and f"{telling.last_time:%H:%M}" not in written:
        rule = _("It must say {{ last_time }} wherever there is one: there the points end during the day.")
        raise BadInput(rule, field=part)


def _fits_abroad(programme: Programme, language: str, words: Words) -> None:
    """That the longest of it fits into the segments in which networks outside Korea carry it."""
    try:
        lengths(programme=programme, channel=Channel.SMS, language=language, words=words, korean_number=False)
    except CannotBeWritten as error:
        rule = _("To numbers outside Korea: %(rule)s") % {"rule": error.detail}
        raise BadInput(rule, field=error.field) from error


def _sample(programme: Programme) -> Telling:
    return Telling(
        programme=programme.name,
        unit=programme.unit,
        points=1,
        last_day=date(2026, 12, 30),
        days_left=0,
        link=f"{settings.SITE_URL}/",
    )
