"""The catalogues: every text of the program is in Korean, none is fuzzy, and the compiled file is the written one."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
APPS = ("config", "ledger", "alerts", "portal", "demo")
CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

RECIPE = (
    "with GNU gettext: python manage.py makemessages -l ko --no-location --no-obsolete -i .venv -i tests -i devstack; "
    "translate what is empty; then without it: pybabel compile -D django -d locale"
)

Text = tuple[str | None, str]  # (context, message)


def written(path: Path) -> Catalog:
    return read_po(path.open("rb"))


def texts(catalog: Catalog) -> dict[Text, object]:
    return {
        (_text(message.context), message.id if isinstance(message.id, str) else message.id[0]): _strings(message.string)
        for message in catalog
        if message.id
    }


def _text(context: str | bytes | None) -> str | None:
    return context.decode() if isinstance(context, bytes) else context  # Babel reads it as bytes from a .mo


def _strings(string: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [string or ""] if string is None or isinstance(string, str) else list(string)


def in_the_source() -> Iterator[Text]:
    """All marked texts of the code and the templates; templates as Django itself makes them readable for gettext."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                source = path.read_text()
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                source = templatize(path.read_text())
            else:
                continue
            for _line, message, _comments, context in extract("python", BytesIO(source.encode()), KEYWORDS):
                yield context, message if isinstance(message, str) else message[0]


def test_there_is_a_korean_catalogue():
    assert [path.parts[-3] for path in CATALOGUES] == ["ko"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_message_is_missing_or_fuzzy(path: Path):
    unfinished = [
        message.id for message in written(path) if message.id and (message.fuzzy or not all(_strings(message.string)))
    ]
    assert unfinished == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_of_the_source_is_there(path: Path):
    missing = sorted(set(in_the_source()) - set(texts(written(path))), key=str)
    assert missing == [], RECIPE


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_compiled_file_is_up_to_date(path: Path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = texts(read_mo(file))
    assert compiled == texts(written(path)), RECIPE


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_placeholders_survive_translation(path: Path):
    import re

    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)[sd]", text))

    for message in written(path):
        if message.id:
            source = message.id if isinstance(message.id, str) else message.id[1]
            assert {frozenset(placeholders(string)) for string in _strings(message.string)} == {
                frozenset(placeholders(source))
            }
