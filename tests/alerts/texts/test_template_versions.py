from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction

from alerts.errors import BadInput, CannotBeWritten
from alerts.models import TellingRules, Template, TemplateVersion
from alerts.texts import template_versions
from alerts.texts.sms_length import PriceClass
from alerts.texts.words import PAID_POINTS, Words, built_in
from tests import builders

DAY = "{{ last_day }}{% if last_time %} {{ last_time }}{% endif %}"
SMS = Words(f"{{{{ points }}}} {DAY} {{{{ link }}}}")


def save(programme, words=SMS, channel="sms", language="ko", **more):
    return template_versions.save(
        programme=programme,
        channel=channel,
        language=language,
        words=words,
        by=builders.STAFF,
        now=builders.NOW,
        **more,
    )


def test_each_save_is_a_new_version_and_the_old_ones_stay(byeol):
    first, second = save(byeol), save(byeol, Words(f"별: {SMS.text}"))
    assert (first.number, second.number) == (1, 2)
    assert (second.made_at, second.made_by) == (builders.NOW, "staff:1")
    assert list(TemplateVersion.objects.order_by("number").values_list("text", flat=True)) == [first.text, second.text]
    assert Template.objects.count() == 1


def test_the_same_words_again_are_the_same_version(byeol):
    assert save(byeol) == save(byeol, Words(SMS.text))
    assert TemplateVersion.objects.count() == 1


def test_line_ends_of_a_form_are_one_character(byeol):
    assert save(byeol, Words(f"{SMS.text}\r\nx")).text == f"{SMS.text}\nx"


def test_the_database_keeps_a_version_as_it_was(byeol):
    version = save(byeol)
    for act in (TemplateVersion.objects.filter(pk=version.pk).delete, lambda: TemplateVersion.objects.update(text="x")):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    assert TemplateVersion.objects.get().text == SMS.text


@pytest.mark.parametrize("channel", ["email", "sms", "alimtalk"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_built_in_words_could_be_saved(byeol, channel, language):
    words = replace(built_in(channel, language), provider_code="KA01" if channel == "alimtalk" else "")
    assert save(byeol, words, channel, language).number == 1


EMAIL, TALK = built_in("email", "ko"), replace(built_in("alimtalk", "ko"), provider_code="KA01")
SOMETIMES = f"{{% if name %}}{PAID_POINTS}{{% endif %}}"
ALONE = "{% if last_time and name %}{{ last_time }}{% endif %}"
NO_MONTH = '{{ last_day|date:"j" }}{% if last_time %} {{ last_time }}{% endif %}'


def saying(day: str) -> Words:
    """Words that say this in the place of the day."""
    return Words(SMS.text.replace("{{ last_day }}", day))


REFUSED = [
    ("sms", Words(f"{SMS.text} {{{{ pionts }}}}"), "text", "pionts"),
    ("sms", Words("{{ last_day }} {{ link }}"), "text", "points"),
    ("sms", Words("{{ points }} {{ link }}"), "text", "last_day"),
    ("sms", Words("{{ points }} {{ last_day }}"), "text", "link"),
    ("sms", Words(f"{{% if days_left %}}{{{{ points }}}}{{% endif %}} {DAY} {{{{ link }}}}"), "text", "points"),
    ("sms", Words("{{ points }} {% if name %}{{ last_day }}{% endif %} {{ link }}"), "text", "the day and the month"),
    ("sms", saying('{{ last_day|date:"Y" }}'), "text", "the day and the month"),
    ("sms", saying('{{ last_day|date:"l" }}'), "text", "the day and the month"),
    ("sms", saying('{{ last_day|date:"j" }}'), "text", "the day and the month"),
    ("sms", saying('{{ last_day|date:"F Y" }}'), "text", "the day and the month"),
    ("sms", saying("{% if last_day %}{% endif %} 1588-3012, 9/30"), "text", "the day and the month"),
    ("sms", Words("{{ points }} {{ last_day }} {{ link }}"), "text", "{{ last_time }}"),
    ("sms", Words(f"{{{{ points }}}} {{{{ last_day }}}} {ALONE} {{{{ link }}}}"), "text", "{{ last_time }}"),
    ("email", replace(EMAIL, text="{{ points }} {{ last_day }} {{ link }}"), "text", "{{ last_time }}"),
    ("email", replace(EMAIL, html="<p>{{ points }} {{ last_day }} {{ link }}</p>"), "html", "{{ last_time }}"),
    ("email", replace(EMAIL, html=f"{{{{ points }}}} {NO_MONTH} {{{{ link }}}}"), "html", "the day and the month"),
    ("alimtalk", replace(TALK, text=TALK.text.replace("n월 ", "")), "text", "the day and the month"),
    ("sms", Words(f"{SMS.text} 🌸"), "text", "U+1F338"),
    ("sms", Words(f"{SMS.text} {'가' * 1_000}"), "text", "2000"),
    ("sms", replace(SMS, subject="x"), "subject", ""),
    ("sms", replace(SMS, html="x"), "html", ""),
    ("sms", replace(SMS, provider_code="x"), "provider_code", ""),
    ("sms", Words(" "), "text", ""),
    ("email", replace(EMAIL, subject=""), "subject", ""),
    ("email", replace(EMAIL, html=""), "html", ""),
    ("email", replace(EMAIL, html="<p>{{ points }} {{ last_day }}</p>"), "html", "link"),
    ("email", replace(EMAIL, subject="{{ x }}"), "subject", "x"),
    ("email", replace(EMAIL, subject="x" * 201), "subject", "200"),
    ("alimtalk", replace(TALK, provider_code=""), "provider_code", ""),
    ("alimtalk", replace(TALK, text=SMS.text), "text", "유료 구매"),
    ("alimtalk", replace(TALK, text=TALK.text.replace(PAID_POINTS, SOMETIMES)), "text", "유료 구매"),
    ("sms", Words(f"(광고) {SMS.text}"), "text", "(광고)"),
    ("sms", Words(f"[광고] {SMS.text}"), "text", "[광고]"),
    ("sms", Words(f"{SMS.text} 지금 쓰면 할인"), "text", "할인"),
    ("email", replace(EMAIL, subject="(광고) {{ points }}"), "subject", "(광고)"),
    ("fax", SMS, "channel", "fax"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "words", "field", "name"), REFUSED, ids=range(len(REFUSED)))
def test_what_could_not_be_sent_is_refused_with_the_field_and_nothing_is_written(byeol, channel, words, field, name):
    with pytest.raises(BadInput) as refusal:
        save(byeol, words, channel)
    assert refusal.value.field == field
    assert name in refusal.value.detail
    assert not Template.objects.exists()
    assert not TemplateVersion.objects.exists()


def test_a_language_or_purpose_that_is_not_known_is_refused(byeol):
    for more, field in [({"language": "fr"}, "language"), ({"purpose": "x"}, "purpose")]:
        with pytest.raises(BadInput) as refusal:
            save(byeol, **more)
        assert refusal.value.field == field
    assert not Template.objects.exists()


def test_advertising_says_so_at_its_beginning(byeol):
    with pytest.raises(BadInput) as refusal:
        save(byeol, Words("( 광고 ) 별"), purpose="advertising")
    assert refusal.value.field == "text"
    assert "“( 광고 )”" in refusal.value.detail
    assert not Template.objects.exists()
    assert save(byeol, Words("(광고) 별"), purpose="advertising").number == 1


def test_advertising_does_not_go_by_alimtalk(byeol):
    with pytest.raises(BadInput) as refusal:
        save(byeol, replace(TALK, text=f"(광고) {TALK.text}"), "alimtalk", purpose="advertising")
    assert refusal.value.field == "purpose"
    assert not Template.objects.exists()


def test_the_korean_mark_is_for_korean_and_for_korea(byeol):
    TellingRules.objects.create(programme=byeol, country="CA-ON")
    assert save(byeol, Words("Byeol"), language="en", purpose="advertising").number == 1
    with pytest.raises(BadInput):
        save(byeol, Words("Byeol"), language="ko", purpose="advertising")
    TellingRules.objects.update(country="KR")
    with pytest.raises(BadInput):
        save(byeol, Words("Byeol!"), language="en", purpose="advertising")
    assert Template.objects.count() == 1


def test_the_price_class_is_that_of_the_longest_plausible_values(byeol):
    def longest(words, *, korean_number):
        return template_versions.lengths(
            programme=byeol, channel="sms", language="ko", words=words, korean_number=korean_number
        )

    assert longest(SMS, korean_number=True).price_class == PriceClass.SMS
    assert longest(Words(SMS.text + "가" * 40), korean_number=True).price_class == PriceClass.LMS
    abroad = longest(SMS, korean_number=False)  # 년, 월 and 일 are outside the GSM alphabet
    assert (abroad.price_class, abroad.segments) == (PriceClass.UCS2, 1)
    with pytest.raises(CannotBeWritten):
        longest(Words(SMS.text + "가" * 700), korean_number=False)


def filled_up(programme, segments: int) -> str:
    """The shortest text behind which its longest takes more than so many segments of UCS-2."""
    room = segments * 67
    used = template_versions.lengths(
        programme=programme, channel="sms", language="ko", words=SMS, korean_number=False
    ).used
    return SMS.text + "가" * (room + 1 - used)


def test_an_sms_that_fits_into_no_ten_segments_is_refused_unless_it_goes_to_korea_alone(byeol):
    long = filled_up(byeol, 10)
    with pytest.raises(BadInput) as refusal:
        save(byeol, Words(long))
    assert (refusal.value.field, refusal.value.detail) == (
        "text",
        "To numbers outside Korea: It needs 11 segments; at most 10 are sent.",
    )
    assert not Template.objects.exists()
    assert save(byeol, Words(long), abroad=False).number == 1  # an LMS of some 1,400 bytes
    assert save(byeol, Words(long[:-1])).number == 2


def test_the_name_counts_with_the_longest_that_is_plausible(byeol):
    words = Words(f"{SMS.text} {'x' * 800}")  # in English GSM letters alone, until a name is Korean
    assert save(byeol, words, language="en").number == 1
    with pytest.raises(BadInput) as refusal:
        save(byeol, Words(f"{words.text} {{% if name %}}{{{{ name }}}}{{% endif %}}"), language="en")
    assert "at most 10 are sent" in refusal.value.detail
    assert TemplateVersion.objects.count() == 1


def test_going_to_korea_alone_makes_no_lms_longer(byeol):
    with pytest.raises(BadInput) as refusal:
        save(byeol, Words(f"{SMS.text} {'가' * 1_000}"), abroad=False)
    assert "an LMS has room for 2000." in refusal.value.detail
    assert not Template.objects.exists()


@pytest.mark.parametrize(("channel", "words"), [("email", EMAIL), ("alimtalk", TALK)])
def test_only_an_sms_is_held_against_segments(byeol, channel, words):
    assert save(byeol, replace(words, text=words.text + "가" * 700), channel).number == 1


@pytest.mark.parametrize("form", ["Y-m-d", "n월 j일", "d/m", "j F", "jS M Y"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_day_is_said_in_any_usual_form(byeol, form, language):
    words = saying(f'{{{{ last_day|date:"{form}" }}}}')
    assert save(byeol, words, language=language).number == 1


def test_advertising_need_not_say_a_day(byeol):
    assert save(byeol, Words("(광고) 별"), purpose="advertising").number == 1
