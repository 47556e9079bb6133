"""What the Korean transports share: national digits, and SMS or LMS by the length in cp949.

How many bytes are an SMS, and how many an LMS, `sms_length.py` says.
"""

from __future__ import annotations

from alerts.errors import CannotBeWritten, Rejected
from alerts.phones import KOREA, korean_digits
from alerts.texts.encoding import encoded
from alerts.texts.sms_length import LMS_BYTES, SMS_BYTES

SMS, LMS = "SMS", "LMS"
TITLE_BYTES = 40
COUNTRIES = frozenset({f"+{KOREA}"})


def digits(number: str) -> str:
    """The number as the provider wants it. Raises Rejected: this transport carries Korean numbers only."""
    found = korean_digits(number)
    if found is None:
        raise Rejected("this transport carries Korean numbers only", answer="not_korean", asked=False)
    return found


def kind_of(text: str) -> str:
    """SMS or LMS. Raises Rejected when the telephones of Korea cannot show the text, or not so long a one."""
    try:
        length = len(encoded(text, field="text"))
    except CannotBeWritten as error:
        raise Rejected("the text cannot be written in cp949", answer="encoding", asked=False) from error
    if length > LMS_BYTES:
        raise Rejected(f"the text has {length} bytes, more than {LMS_BYTES}", answer="too_long", asked=False)
    return SMS if length <= SMS_BYTES else LMS


def title(text: str) -> str:
    """The title that an LMS must have: the first words of its first line, as many as fit. The text has none of its own.

    Both transports take 40 bytes (EUC-KR), and refuse an empty one or a longer one.
    """
    first = text.strip().splitlines()[0].rstrip()
    if len(encoded(first, field="text")) <= TITLE_BYTES:
        return first
    cut = encoded(first, field="text")[:TITLE_BYTES].decode("cp949", errors="ignore")
    return cut.rpartition(" ")[0].rstrip() or cut
