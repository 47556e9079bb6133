"""What a provider reported, without the addresses and telephone numbers in it: those stand, and go, with contacts.

Nor with the words of the message, which some send back: they name the member, and what was sent stands with its
delivery. A value is masked by the name of its field, whatever it holds, and elsewhere where it looks like an address.
All else stays as it came, codes, numbers and keys: it is the proof of what was reported.
"""

from __future__ import annotations

import json
import re
from typing import Any

MASK = "…"

# Names of fields, in small letters and without what is no letter: the providers' own, and the usual ones.
_OF_PEOPLE = re.compile(
    "to|cc|bcc|from|sender|replyto|rcpt|rcptto|called|caller|msisdn|address"
    "|(original|final|international)?recipients?(no|number)?|(resend)?sendno|(to|from|sender)(no|number)"
    "|(to|from|sender|recipient|user|member|customer)?(e?mail|phone|tel|telephone|mobile)s?(no|numbers?|address(es)?)?"
)
_OF_WORDS = re.compile(
    "(resend|template|original|stripped)?(text|content|subject|title|body|html|variable|replacement)s?(plain|html|body|text)?"
)
# Where it is an object, as in some reports, it is the message with its codes: what is in it goes by its own names.
_WORDS_OR_MORE = frozenset({"message", "messages"})
_OF_MESSAGES = frozenset({"messageid"})  # `<…@host>` is no address of a person

# What ends an address in running text is left alone; `%40` stands for the sign in links.
_MAIL = r"[^\s<>\"',;:()\[\]]+(?:@|%40)[^\s<>\"',;:()\[\]]+"
# With its country, or as in Korea, in any usual spelling; not in the middle of a word, an id or a time.
_NUMBER = (
    r"(?<![0-9A-Za-z_.+-])"
    r"(?:\+[0-9](?:[ .()-]{0,2}[0-9]){7,14}|(?:82[ .-]?|0)1[016789][ .-]?[0-9]{3,4}[ .-]?[0-9]{4}"
    r"|0(?:2|[3-6][1-5]|70)[ .-]?[0-9]{3,4}[ .-]?[0-9]{4})"
    r"(?![0-9A-Za-z_-])"
)
_LOOKS_LIKE_ONE = re.compile(f"{_MAIL}|{_NUMBER}")


def without_addresses(raw: str) -> str:
    """A report as `reading.raw` writes it, with MASK in the place of each address and number."""
    try:
        found = json.loads(raw)
    except ValueError:
        return _by_looks(raw)
    return json.dumps(_masked(found), ensure_ascii=False, sort_keys=True)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {_by_looks(name): _of_field(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    if isinstance(value, str):
        return _by_looks(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return MASK if is_number and _by_looks(str(value)) == MASK else value


def _of_field(name: str, value: Any) -> Any:
    letters = re.sub(r"[^a-z]", "", name.lower())
    if _OF_PEOPLE.fullmatch(letters) or _OF_WORDS.fullmatch(letters):
        return _hidden(value)
    if letters in _WORDS_OR_MORE:
        return _words_or_more(value)
    return value if letters in _OF_MESSAGES and isinstance(value, str) else _masked(value)


def _words_or_more(value: Any) -> Any:
    if isinstance(value, list):
        return [_words_or_more(inner) for inner in value]
    return _masked(value) if isinstance(value, dict) else _hidden(value)


def _hidden(value: Any) -> Any:
    """The same shape, with nothing in it."""
    if isinstance(value, dict):
        return {_by_looks(name): _hidden(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    return value if value in (None, "") or isinstance(value, bool) else MASK


def _by_looks(text: str) -> str:
    return _LOOKS_LIKE_ONE.sub(MASK, text)
