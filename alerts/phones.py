"""Telephone numbers: kept as E.164 (`+821012345678`), written to Korean providers as national digits.

The tables of numbers are those of Google's libphonenumber, through `phonenumbers`.
"""

from __future__ import annotations

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from alerts.errors import BadInput

KOREA = 82
# In some plans, as in North America, a number does not show whether it is mobile: those may receive.
RECEIVES_SMS = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def parse(text: str, *, region: str = "KR", field: str = "address") -> str:
    """A number that can receive SMS, as E.164. `region` is the country of numbers written without one.

    Raises BadInput naming `field`: it is no telephone number, or one that cannot receive SMS, as a fixed line.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise BadInput(_("This is no telephone number."), field=field) from error
    if number.extension or not phonenumbers.is_valid_number(number):
        raise BadInput(_("This is no telephone number."), field=field)
    if phonenumbers.number_type(number) not in RECEIVES_SMS:
        raise BadInput(_("This number cannot receive SMS."), field=field)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def readable(number: str) -> str:
    """An E.164 number as people write it: `010-1234-5678` in Korea, elsewhere with the country."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    national = parsed.country_code == KOREA
    form = PhoneNumberFormat.NATIONAL if national else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, form))


def korean_digits(number: str) -> str | None:
    """An E.164 number as a Korean provider wants it, `01012345678`; None: it is no Korean number."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    return f"0{parsed.national_number}" if parsed.country_code == KOREA else None
