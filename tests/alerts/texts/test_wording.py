from datetime import date

import pytest

from alerts.errors import BadInput
from alerts.texts.wording import VARIABLES, read

REFUSED = [
    ("{{ pionts }}", "pionts"),
    ("{% if pionts %}x{% endif %}", "pionts"),
    ("{% if points and not pionts > 1 %}x{% endif %}", "pionts"),
    ("{{ points.real }}", "points.real"),
    ("{{ programme.__class__ }}", "__class__"),
    ("{{ points.0 }}", "points.0"),
    ("{{ points|safe }}", "safe"),
    ("{{ points|add:1 }}", "add"),
    ('{{ points|date:"Y" }}', "points"),
    ("{{ last_day|date }}", "date"),
    ("{{ last_day|date:unit }}", "date"),
    ('{{ last_day|date:"H:i" }}', "H:i"),
    ("{% load i18n %}", "load"),
    ("{% include 'a' %}", "include"),
    ("{% extends 'a' %}", "extends"),
    ("{% for x in points %}{% endfor %}", "for"),
    ("{% with a=points %}{% endwith %}", "with"),
    ("{% debug %}", "debug"),
    ("{% verbatim %}{{ x }}{% endverbatim %}", "verbatim"),
    ("{% autoescape off %}{% endautoescape %}", "autoescape"),
    ('{{ _("secret") }}', "secret"),
    ("{% if points %}", "endif"),
    ("{% endif %}", "endif"),
    ("{{ }}", ""),
    ("{{ points points }}", "points"),
    ("a\0b", "U+0000"),
    ("{{ name }}", "name"),
    ("{% if not name %}{{ name }}{% endif %}", "name"),
    ("{% if points or name %}{{ name }}{% endif %}", "name"),
    ("{% if name %}x{% else %}{{ name }}{% endif %}", "name"),
    ("{{ last_time }}", "last_time"),
    ("{% if points %}" * 101 + "{% endif %}" * 101, "100"),
    ("{{ points|" + "x" * 300 + " }}", "200"),
    ("x" * 60_001, "60000"),
]


@pytest.mark.parametrize(("source", "name"), REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("html", [False, True])
def test_what_is_not_listed_is_refused_with_the_field_and_the_name(source, name, html):
    with pytest.raises(BadInput) as refusal:
        read(source, html=html, field="subject")
    assert refusal.value.field == "subject"
    assert name in refusal.value.detail


def test_the_listed_variables_and_no_others_are_known():
    for name in VARIABLES:
        assert read(f"{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}").uses == {name}


def test_a_name_may_stand_where_it_is_asked_for():
    read("{% if name and points > 1 %}{{ name }}{% if points %}{{ name }}{% endif %}{% endif %}")
    read("{% if points %}x{% elif name %}{{ name }}{% endif %}")


def test_nesting_up_to_the_limit_is_read_and_written():
    deep = read("{% if points %}" * 50 + "x" + "{% endif %}" * 50)
    assert deep.write({"points": 1}, language="ko") == "x"


def test_numbers_and_dates_are_written_as_the_language_writes_them():
    values = {"points": 1_234, "last_day": date(2026, 3, 31)}
    assert read("{{ points }} {{ last_day|date:'l' }}").write(values, language="ko") == "1,234 화요일"
    assert read("{{ points }} {{ last_day|date:'l' }}").write(values, language="en") == "1,234 Tuesday"


def test_values_are_escaped_in_html_and_there_alone():
    assert read("{{ unit }}", html=True).write({"unit": "<"}, language="en") == "&lt;"
    assert read("{{ unit }}").write({"unit": "<"}, language="en") == "<"


def test_a_value_that_looks_like_a_template_stays_a_value():
    assert read("{{ unit }}").write({"unit": "{{ points }}{% load x %}"}, language="en") == "{{ points }}{% load x %}"
