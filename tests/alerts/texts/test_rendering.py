from dataclasses import replace
from datetime import date

import pytest

from alerts.errors import CannotBeWritten, UnknownChannel
from alerts.texts import template_versions
from alerts.texts.rendering import TEMPLATE, Telling, render
from alerts.texts.words import Words, built_in, write
from tests import builders

TELLING = Telling(
    programme="Byeol",
    unit="P",
    points=1_234_567,
    last_day=date(2026, 3, 31),
    days_left=60,
    link="https://points.example/",
)
OWN = Words(
    "{{ points }}{{ unit }} {{ last_day }}{% if last_time %} {{ last_time }}{% endif %} {{ link }}"
    "{% if name %} {{ name }}{% endif %}"
)


def save(programme, text=OWN.text, *, language="ko"):
    return template_versions.save(
        programme=programme, channel="sms", language=language, words=Words(text), by=builders.STAFF, now=builders.NOW
    )


def test_without_words_of_its_own_a_programme_has_the_built_in_ones(byeol):
    text = render(TELLING, programme_id=byeol.pk, channel="email", language="ko")
    assert text == write(built_in("email", "ko"), TELLING, channel="email", language="ko")
    assert (text.version_id, text.provider_code) == (None, "")
    assert TEMPLATE == "reminder/3"


def test_the_newest_version_is_used_and_named(byeol):
    save(byeol)
    newest = save(byeol, f"Byeol: {OWN.text}")
    text = render(TELLING, programme_id=byeol.pk, channel="sms", language="ko")
    assert text.text == "Byeol: 1,234,567P 2026년 3월 31일 https://points.example/"
    assert (text.subject, text.html, text.version_id) == ("", "", newest.pk)


def test_words_are_of_one_programme_channel_and_language(byeol):
    save(byeol)
    other = builders.moa()
    for programme, channel, language in [(other, "sms", "ko"), (byeol, "alimtalk", "ko"), (byeol, "sms", "en")]:
        assert render(TELLING, programme_id=programme.pk, channel=channel, language=language).version_id is None


def test_a_language_without_words_is_written_to_in_korean(byeol):
    version = save(byeol)
    assert render(TELLING, programme_id=byeol.pk, channel="sms", language="fr").version_id == version.pk


def test_an_alimtalk_names_the_code_under_which_it_was_approved(byeol):
    words = replace(built_in("alimtalk", "ko"), provider_code="KA01")
    template_versions.save(
        programme=byeol, channel="alimtalk", language="ko", words=words, by=builders.STAFF, now=builders.NOW
    )
    assert render(TELLING, programme_id=byeol.pk, channel="alimtalk", language="ko").provider_code == "KA01"


def test_what_a_channel_cannot_carry_is_refused_naming_the_variable(byeol):
    with pytest.raises(CannotBeWritten) as refusal:
        render(replace(TELLING, unit="𠮷"), programme_id=byeol.pk, channel="sms", language="ko")
    assert refusal.value.field == "unit"


def test_there_is_no_other_channel(byeol):
    with pytest.raises(UnknownChannel):
        render(TELLING, programme_id=byeol.pk, channel="fax", language="ko")
