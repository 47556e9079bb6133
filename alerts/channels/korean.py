"""What the Korean transports share: national digits, and SMS or LMS by the length in cp949.

Source: the providers' guides: 90 bytes are an SMS, up to 2,000 an LMS, in the encoding of Korean telephones.
"""

from __future__ import annotations

from alerts.errors import Rejected
from alerts.phones import korean_digits

SMS, LMS = "SMS", "LMS"
SMS_BYTES, LMS_BYTES = 90, 2_000


def digits(number: str) -> str:
    """The number as the provider wants it. Raises Rejected: this transport carries Korean numbers only."""
    found = korean_digits(number)
    if found is None:
        raise Rejected("this transport carries Korean numbers only", answer="not_korean")
    return found


def kind_of(text: str) -> str:
    """SMS or LMS. Raises Rejected when the telephones of Korea cannot show the text, or not so long a one."""
    try:
        length = len(text.encode("cp949"))
    except UnicodeEncodeError as error:
        raise Rejected("the text cannot be written in cp949", answer="encoding") from error
    if length > LMS_BYTES:
        raise Rejected(f"the text has {length} bytes, more than {LMS_BYTES}", answer="too_long")
    return SMS if length <= SMS_BYTES else LMS
