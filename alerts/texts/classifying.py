"""What a message is, a notice or advertising but never a mix of both, and the marks that belong on it. Pure.

A notice of expiry is information. Advertising begins with `(광고)`, exactly so (Network Act, article 50 (4), and its
decree's annex 6): at the beginning of the text, of an e-mail at the beginning of the subject. A KakaoTalk AlimTalk is
for information alone; from April 2026 it speaks only of points from paid purchases, and says so.

When a template is saved, `classify` looks at its words; when a message goes out, `refused_of` looks at the lots that
it speaks of, which are known only then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.texts.words import PAID_POINTS, Words
from ledger.kinds import Origin

ADVERTISING = "(광고)"
NOTICE, PURPOSES = "notice", ("notice", "advertising", "night_advertising")
ALIMTALK, CHANNELS = "alimtalk", ("email", "sms", "alimtalk")

Code = Literal[
    "advertising_by_alimtalk",  # an AlimTalk is for information
    "other_points_in_alimtalk",  # not all of its lots come from paid purchases
    "sentence_missing",  # an AlimTalk that does not say of which points it speaks
    "mark_missing",  # advertising that does not say so
    "mark_not_first",  # it says so, but not at its very beginning
    "mark_nearly",  # what stands there is nearly the mark, and so is none
    "mark_on_a_notice",  # a notice that says it is advertising
    "advertising_in_a_notice",  # a notice that speaks as advertising does
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is refused: a stable code, the part at fault, and words for people."""

    code: Code
    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What a message must bear: what its `part` begins with, and what its text says word for word. "": nothing."""

    begins_with: str = ""
    part: Literal["subject", "text"] = "text"
    says: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """The marks that belong on a message, and everything for which it is refused: nothing, when it may go."""

    marks: Marks
    refusals: tuple[Refusal, ...]


def classify(
    *,
    purpose: str,
    channel: str,
    language: str,
    words: Words,
    country: str = "KR",
    origins: Collection[str] | None = None,
) -> Class:
    """The class of a message by its words, and by the `origins` of its lots where they are known.

    `purpose`: notice, advertising or night_advertising. `country`: where the programme's members are, as `KR` or
    `CA-QC`. Raises BadInput naming a purpose, channel or origin that is not known.
    """
    marks = marks_of(purpose=purpose, channel=channel, language=language, country=country)
    refused = refused_of(purpose=purpose, channel=channel, origins=origins or ())
    by_words = _as_notice(words, marks) if purpose == NOTICE else _as_advertising(words, marks)
    return Class(marks, (*([refused] if refused else ()), *by_words))


def marks_of(*, purpose: str, channel: str, language: str, country: str = "KR") -> Marks:
    """What a message must bear. Advertising in Korean, and to people in Korea in any language, begins with the mark."""
    _check_known("purpose", purpose, PURPOSES)
    _check_known("channel", channel, CHANNELS)
    if purpose == NOTICE:
        return Marks(says=PAID_POINTS if channel == ALIMTALK else "")
    in_korea = language == "ko" or country.partition("-")[0] == "KR"
    return Marks(begins_with=ADVERTISING if in_korea else "", part="subject" if channel == "email" else "text")


def refused_of(*, purpose: str, channel: str, origins: Collection[str]) -> Refusal | None:
    """Why a message of this purpose cannot go on this channel about lots of these origins; None: it can.

    For the moment of sending. Raises BadInput naming a purpose, channel or origin that is not known.
    """
    _check_known("purpose", purpose, PURPOSES)
    _check_known("channel", channel, CHANNELS)
    for origin in origins:
        _check_known("origins", origin, Origin.values)
    if channel != ALIMTALK:
        return None
    if purpose != NOTICE:
        return Refusal(
            "advertising_by_alimtalk", "purpose", _("An AlimTalk carries information alone, never advertising.")
        )
    others = sorted({str(origin) for origin in origins} - {Origin.PURCHASE.value})
    if others:
        words = _("An AlimTalk speaks only of points from paid purchases, not of those from: %(origins)s.")
        return Refusal("other_points_in_alimtalk", "origins", words % {"origins": ", ".join(others)})
    return None


def _check_known(field: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise BadInput(_("“%(name)s” is not known.") % {"name": value}, field=field)


# Nearly the mark: other brackets or one of them missing, something between the letters, other letters.
_LETTERS = r"(?:대출)?광[\W_]*고|廣[\W_]*告|AD"
_OPENS, _CLOSES = r"[(\[{<（［｛＜【〔〈《]", r"[)\]}>）］｝＞】〕〉》]"
_BRACKETED = rf"{_OPENS}[\W_]*?(?:{_LETTERS})[\W_]*?{_CLOSES}"
_HALF = rf"{_OPENS}[\W_]*?(?:{_LETTERS})|(?:{_LETTERS})[\W_]*?{_CLOSES}"
_ANYWHERE = re.compile(f"(?P<mark>{_BRACKETED})", re.IGNORECASE)
_AT_THE_START = re.compile(rf"[\W_]*?(?P<mark>{_BRACKETED}|{_HALF})", re.IGNORECASE)


def _as_advertising(words: Words, marks: Marks) -> Iterator[Refusal]:
    """The mark stands at the very beginning, exactly so."""
    source = getattr(words, marks.part)
    if not marks.begins_with or source.startswith(marks.begins_with):
        return
    there = _AT_THE_START.match(source)
    if there and there["mark"] != marks.begins_with:
        yield _nearly(there["mark"], marks.part)
    elif marks.begins_with in source:
        said = _("Nothing may stand before %(mark)s, not even a space: advertising begins with it.")
        yield Refusal("mark_not_first", marks.part, said % {"mark": marks.begins_with})
    else:
        said = _("Advertising begins with %(words)s.") % {"words": marks.begins_with}
        yield Refusal("mark_missing", marks.part, said)


def _nearly(found: str, part: str) -> Refusal:
    said = _("“%(found)s” is not the mark of advertising: it is written %(mark)s, exactly so.")
    return Refusal("mark_nearly", part, said % {"found": found, "mark": ADVERTISING})


# What only advertising says. Whatever urges the reader to buy makes the whole message advertising.
_ENTICING = re.compile(
    r"할인|쿠폰|특가|세일|프로모션|이벤트|경품|사은품|무료\s*수신\s*거부"
    r"|\b(?:discounts?|coupons?|vouchers?|special offers?|promo code|on sale|sweepstakes)\b|\d\s*% off\b",
    re.IGNORECASE,
)


def _as_notice(words: Words, marks: Marks) -> Iterator[Refusal]:
    """No mark of advertising, nothing that only advertising says, and what must be said of the points."""
    for part in ("subject", "text", "html"):
        source = getattr(words, part)
        there = _ANYWHERE.search(source) or _AT_THE_START.match(source)
        if ADVERTISING in source:
            said = _("A notice of expiry is information and bears no %(mark)s; advertising has templates of its own.")
            yield Refusal("mark_on_a_notice", part, said % {"mark": ADVERTISING})
        elif there:
            yield _nearly(there["mark"], part)
        enticing = _ENTICING.search(source)
        if enticing:
            said = _("“%(word)s” belongs to advertising; a notice of expiry says nothing but what expires and when.")
            yield Refusal("advertising_in_a_notice", part, said % {"word": enticing[0]})
    if marks.says and marks.says not in words.text:
        yield Refusal("sentence_missing", "text", _("An AlimTalk must say: %(words)s") % {"words": marks.says})
