"""How long a message is as the networks count it, and what it costs by that. No database, no clock.

To Korean numbers: bytes in cp949, 90 as SMS, then LMS up to 2,000. Elsewhere: segments, 160 characters of the GSM
alphabet in one or 153 in each of several; with any other character 70 or 67 units of UTF-16 (3GPP TS 23.038 and
23.040, where the header that joins segments takes 6 of 140 bytes). An AlimTalk holds 1,000 characters, and must fit
into an LMS too, since that is what carries it where it does not arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from alerts.errors import CannotBeWritten
from alerts.texts.encoding import encoded

SMS_BYTES, LMS_BYTES = 90, 2_000
ALIMTALK_CHARACTERS = 1_000
GSM_ALONE, GSM_JOINED = 160, 153
UCS2_ALONE, UCS2_JOINED = 70, 67
MOST_SEGMENTS = 10  # providers take no longer ones: Twilio ends at 1,600 characters

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # behind an escape: they count as two


class PriceClass(StrEnum):
    """What a message is charged as."""

    SMS = "SMS"
    LMS = "LMS"
    GSM7 = "GSM-7"
    UCS2 = "UCS-2"
    ALIMTALK = "AlimTalk"


@dataclass(frozen=True, slots=True)
class Length:
    """`used` of `most`: bytes in Korea, characters of the GSM alphabet or UTF-16 units elsewhere, characters in an
    AlimTalk. `most` is the limit of the class for so many segments."""

    price_class: PriceClass
    used: int
    most: int
    segments: int = 1


def korean(text: str, *, field: str = "text") -> Length:
    """A message to a +82 number. Raises CannotBeWritten: a character outside cp949, or more than 2,000 bytes."""
    used = len(encoded(text, field=field))
    if used > LMS_BYTES:
        raise CannotBeWritten(f"It has {used} bytes; an LMS has room for {LMS_BYTES}.", field=field)
    return Length(PriceClass.SMS, used, SMS_BYTES) if used <= SMS_BYTES else Length(PriceClass.LMS, used, LMS_BYTES)


def elsewhere(text: str, *, field: str = "text") -> Length:
    """A message to any other number. Raises CannotBeWritten: more than MOST_SEGMENTS segments."""
    if set(text) <= GSM_BASIC | GSM_EXTENDED:
        price_class, alone, joined = PriceClass.GSM7, GSM_ALONE, GSM_JOINED
        sizes = [2 if character in GSM_EXTENDED else 1 for character in text]
    else:
        price_class, alone, joined = PriceClass.UCS2, UCS2_ALONE, UCS2_JOINED
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    used = sum(sizes)
    if used <= alone:
        return Length(price_class, used, alone)
    segments = _packed(sizes, joined)
    if segments > MOST_SEGMENTS:
        raise CannotBeWritten(f"It needs {segments} segments; at most {MOST_SEGMENTS} are sent.", field=field)
    return Length(price_class, used, segments * joined, segments)


def alimtalk(text: str, *, field: str = "text") -> Length:
    """A KakaoTalk AlimTalk. Raises CannotBeWritten: more than 1,000 characters, or nothing that an LMS could carry."""
    if len(text) > ALIMTALK_CHARACTERS:
        raise CannotBeWritten(
            f"It has {len(text)} characters; an AlimTalk has room for {ALIMTALK_CHARACTERS}.", field=field
        )
    korean(text, field=field)
    return Length(PriceClass.ALIMTALK, len(text), ALIMTALK_CHARACTERS)


def _packed(sizes: Iterable[int], room: int) -> int:
    """How many segments: a character of two units is never torn apart."""
    segments, free = 1, room
    for size in sizes:
        if size > free:
            segments, free = segments + 1, room
        free -= size
    return segments
