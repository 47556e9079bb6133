"""Rules of telling, as packs that a programme can be held against. Data only: nothing in here is worked out.

How to read it. A pack is a list of what is asked. Each line has three parts: the value, where it comes from, and how
sure we are of that. A line that a pack does not have is not asked by it. What a programme has is held against its pack
by `manage.py lint_programme` and whenever staff save its rules (`judging.py` says how each line is understood).

A value is changed here, together with its source. No pack replaces the advice of a lawyer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any, Generic, TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from alerts.texts.classifying import ADVERTISING  # (광고)
from alerts.texts.words import PAID_POINTS  # ※ 고객님의 유료 구매로 지급된 포인트 안내입니다.

T = TypeVar("T")


class Sure(TextChoices):
    """How sure we are of a source."""

    READ = "read", _("certain: its own text was read, in a public copy, on 25 November 2026")
    REPORTED = "reported", _("fairly sure: known from reports, its own text was not read")
    OURS = "ours", _("our own choice: no text asks for it in these words")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from, and how sure we are of it."""

    text: Any  # a text that is shown in the reader's language
    sure: Sure


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """A value that a pack asks, with its source."""

    value: T
    source: Source


@dataclass(frozen=True, slots=True)
class Pack:
    """What is asked of a programme. None: this pack does not ask it. Hours are those on the wall where a member lives.

    When points may expire
        expiry             the only ways in which points may expire
        inactivity_years   points that expire by inactivity: after at least so many years of it
    The notice
        duty_days          no point expires before its member was told at least so many days ahead
        duty_most_days     a notice given earlier than so many days ahead does not count
        channels           a member is told on at least so many channels
        notice_alone       a notice speaks of the expiry and of nothing else; it is no advertising
    The reminders
        offsets            a reminder goes out exactly so many days before the last day, for each of these numbers
        times              there are at least so many reminders
        first_days         the first goes out at least so many days before
    The hours
        hours              SMS and AlimTalk go out from the first time on and until the second
    Advertising
        advertising_mark   what advertising begins with, exactly so
        advertising_night  between these times advertising needs a second consent
    KakaoTalk AlimTalk
        alimtalk_origins   it speaks of points of these origins alone, and carries no advertising
        alimtalk_sentence  what it says of them, word for word
    """

    code: str
    expiry: Asked[tuple[str, ...]] | None = None
    inactivity_years: Asked[int] | None = None
    duty_days: Asked[int] | None = None
    duty_most_days: Asked[int] | None = None
    channels: Asked[int] | None = None
    notice_alone: Asked[bool] | None = None
    offsets: Asked[tuple[int, ...]] | None = None
    times: Asked[int] | None = None
    first_days: Asked[int] | None = None
    hours: Asked[tuple[time, time]] | None = None
    advertising_mark: Asked[str] | None = None
    advertising_night: Asked[tuple[time, time]] | None = None
    alimtalk_origins: Asked[tuple[str, ...]] | None = None
    alimtalk_sentence: Asked[str] | None = None


# --- The source of what is asked whatever the pack

DOMAIN = Source(
    _("docs/domain.md, the notice gate: no point expires unannounced, so there must be time to tell."), Sure.OURS
)

# --- Sources in Korea

KFTC_2024 = Source(
    _(
        "Korea Fair Trade Commission, review of 50 schemes, 23 December 2024: 46 gave too little notice, 15 to 20 days "
        "was judged too short. The schedule is voluntary."
    ),
    Sure.REPORTED,
)
CARD_POINTS = Source(
    _(
        "As for points in general, and 180 days before: points of credit cards live for 5 years, and members are told "
        "about 6 months before they end."
    ),
    Sure.REPORTED,
)
PREPAID_2025 = Source(
    _("Recommendation of August 2025 for prepaid value: three notices, the first one year before its end."),
    Sure.REPORTED,
)
DAY_HOURS = Source(
    _(
        "Well inside the day from 08:00 to 21:00 that the Network Act, article 50 (3), leaves to advertising: notices "
        "ring at no other hour, either."
    ),
    Sure.OURS,
)
NETWORK_ACT_MARK = Source(
    _(
        "Network Act, article 50 (4), and its enforcement decree, annex 6: exactly so, at the beginning of the text or "
        "of an e-mail's subject. Guides of senders list what is forbidden, such as (광 고), (광.고), [광고]."
    ),
    Sure.REPORTED,
)
NETWORK_ACT_NIGHT = Source(
    _("Network Act, article 50 (3): a consent of its own, beside the one to advertising."), Sure.REPORTED
)
NETWORK_ACT_NOTICE = Source(
    _("Network Act, article 50: whoever puts advertising into a notice has sent advertising, with all its duties."),
    Sure.REPORTED,
)
KAKAO_2026 = Source(
    _("KakaoTalk's rules of AlimTalk from April 2026: points from paid purchases alone, and the sentence says so."),
    Sure.REPORTED,
)

# --- Sources in Canada

QUEBEC_79_6_3 = Source(
    _(
        "Regulation respecting the application of the Consumer Protection Act (Quebec), P-40.1, r. 3, section 79.6.3: "
        "in case of inactivity, not less than 1 year, a notice exclusively on this, at least 30 and not more than 60 "
        "days before. Section 79.6.2 leaves out schemes whose rewards are worth no more than 50 dollars each."
    ),
    Sure.READ,
)
ONTARIO_47_1 = Source(
    _(
        "Consumer Protection Act, 2002 (Ontario), section 47.1: no expiry due to the passage of time alone. A bill of "
        "2025 (Bill 46) proposes to change these rules: ask what became of it."
    ),
    Sure.READ,
)

# --- The packs

KR_GENERAL = Pack(
    code="kr-general",
    duty_days=Asked(30, KFTC_2024),
    channels=Asked(2, KFTC_2024),
    notice_alone=Asked(True, NETWORK_ACT_NOTICE),
    offsets=Asked((60, 30, 3), KFTC_2024),
    hours=Asked((time(9, 0), time(20, 30)), DAY_HOURS),
    advertising_mark=Asked(ADVERTISING, NETWORK_ACT_MARK),
    advertising_night=Asked((time(21, 0), time(8, 0)), NETWORK_ACT_NIGHT),
    alimtalk_origins=Asked(("purchase",), KAKAO_2026),
    alimtalk_sentence=Asked(PAID_POINTS, KAKAO_2026),
)

KR_CARD = Pack(
    code="kr-card",
    duty_days=Asked(30, KFTC_2024),
    channels=Asked(2, KFTC_2024),
    notice_alone=Asked(True, NETWORK_ACT_NOTICE),
    offsets=Asked((180, 60, 30, 3), CARD_POINTS),
    hours=Asked((time(9, 0), time(20, 30)), DAY_HOURS),
    advertising_mark=Asked(ADVERTISING, NETWORK_ACT_MARK),
    advertising_night=Asked((time(21, 0), time(8, 0)), NETWORK_ACT_NIGHT),
    alimtalk_origins=Asked(("purchase",), KAKAO_2026),
    alimtalk_sentence=Asked(PAID_POINTS, KAKAO_2026),
)

KR_PREPAID = Pack(
    code="kr-prepaid",
    notice_alone=Asked(True, NETWORK_ACT_NOTICE),
    times=Asked(3, PREPAID_2025),
    first_days=Asked(365, PREPAID_2025),
    hours=Asked((time(9, 0), time(20, 30)), DAY_HOURS),
    advertising_mark=Asked(ADVERTISING, NETWORK_ACT_MARK),
    advertising_night=Asked((time(21, 0), time(8, 0)), NETWORK_ACT_NIGHT),
    alimtalk_origins=Asked(("purchase",), KAKAO_2026),
    alimtalk_sentence=Asked(PAID_POINTS, KAKAO_2026),
)

QUEBEC = Pack(
    code="quebec",
    expiry=Asked(("never", "inactivity"), QUEBEC_79_6_3),
    inactivity_years=Asked(1, QUEBEC_79_6_3),
    duty_days=Asked(30, QUEBEC_79_6_3),
    duty_most_days=Asked(60, QUEBEC_79_6_3),
    notice_alone=Asked(True, QUEBEC_79_6_3),
)

ONTARIO = Pack(
    code="ontario",
    expiry=Asked(("never", "inactivity"), ONTARIO_47_1),
)

PACKS = {pack.code: pack for pack in (KR_GENERAL, KR_CARD, KR_PREPAID, QUEBEC, ONTARIO)}
