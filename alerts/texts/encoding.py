"""What a Korean SMS can hold: cp949, and readable substitutes for what it cannot. No database, no clock.

cp949 has all 11,172 modern Hangul syllables, 4,888 Hanja, Latin letters mostly without marks, and no emoji. Substitutes
are for the values of variables only, as names; the words of a template are refused where they are entered.
"""

from __future__ import annotations

import re
import unicodedata

from alerts.errors import CannotBeWritten

CODEC = "cp949"
# Signs without a sound of their own: a name without them is still the name.
SILENT = {"So", "Sk", "Cf", "Mn", "Me", "Cc", "Zl", "Zp"}
DASHES = dict.fromkeys("‐‑‒–—−", "-")
_LATIN = re.compile(r"LATIN (SMALL|CAPITAL) LETTER ([A-Z]{1,2})(?: WITH .+)?")


def fits(text: str) -> bool:
    """Whether a Korean SMS can hold every character of it."""
    try:
        text.encode(CODEC)
    except UnicodeEncodeError:
        return False
    return True


def encoded(text: str, *, field: str = "text") -> bytes:
    """The text as the Korean networks carry it. Raises CannotBeWritten naming the first character at fault."""
    try:
        return text.encode(CODEC)
    except UnicodeEncodeError as error:
        at_fault = ord(text[error.start])
        raise CannotBeWritten(
            f"U+{at_fault:04X} cannot be written in an SMS to a Korean number.", field=field
        ) from error


def substituted(value: str) -> str | None:
    """The value as cp949 can hold it; None: a letter of it has no readable substitute, so that it would be mutilated.

    In this order: composed (Hangul from its letters, NFC); the compatibility form (NFKC: a circled or wide letter, a
    duplicate Hanja); the letter without its marks; the letter that its Unicode name says. Emoji, marks and invisible
    signs are left out. A rare Hanja, an old Hangul syllable and other scripts have no substitute.
    """
    written: list[str] = []
    for character in unicodedata.normalize("NFC", value):
        substitute = _substitute(character)
        if substitute is None:
            return None
        written.append(substitute)
    return " ".join("".join(written).split())


def _substitute(character: str) -> str | None:
    if fits(character):
        return character
    if character in DASHES:
        return DASHES[character]
    compatible = unicodedata.normalize("NFKC", character)
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    for candidate in (compatible, bare):
        if candidate.strip() and fits(candidate):
            return candidate
    if unicodedata.category(character) == "Zs":
        return " "
    if unicodedata.category(character) in SILENT or 0x1F3FB <= ord(character) <= 0x1F3FF:
        return ""
    named = _LATIN.fullmatch(unicodedata.name(character, ""))
    if named is None:
        return None
    return named[2].lower() if named[1] == "SMALL" else named[2].capitalize()
