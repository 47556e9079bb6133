"""The text of a reminder: the programme's own newest words, or those that come with Pointkeep."""

from __future__ import annotations

from alerts.models import TemplateVersion
from alerts.models.consent import Purpose
from alerts.texts.words import LANGUAGES, TEMPLATE, Telling, Text, Words, built_in, spoken_as, write

__all__ = ["LANGUAGES", "TEMPLATE", "Telling", "Text", "as_words", "built_in", "render", "words_of"]


def render(telling: Telling, *, programme_id: int, channel: str, language: str) -> Text:
    """The reminder in `language`, as the channel can carry it. Raises CannotBeWritten, UnknownChannel."""
    words = words_of(programme_id, channel=channel, language=language)
    return write(words, telling, channel=channel, language=language)


def words_of(programme_id: int, *, channel: str, language: str) -> Words:
    """The newest words of the programme for notices, or the built-in ones. Raises UnknownChannel."""
    fallback = built_in(channel, language)
    version = (
        TemplateVersion.objects.filter(
            template__programme_id=programme_id,
            template__channel=channel,
            template__language=spoken_as(language),
            template__purpose=Purpose.NOTICE,
        )
        .order_by("-number")
        .first()
    )
    return as_words(version) if version else fallback


def as_words(version: TemplateVersion) -> Words:
    """A version's templates."""
    return Words(version.text, version.subject, version.html, version.provider_code, version.pk)
