"""What a reminder says, of what, and the words it has where a programme has none of its own. No database, no clock.

It says how many points, the last day where the member lives, what to do, and where to look.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts.errors import CannotBeWritten, UnknownChannel
from alerts.texts import sms_length, wording
from alerts.texts.encoding import substituted

LANGUAGES = ("ko", "en")
CHANNELS = ("email", "sms", "alimtalk")
# Raised when the built-in words change, or what their hash covers, so that the proof can say which were used.
TEMPLATE = "reminder/3"
BUILT_IN = Path(__file__).parent.parent / "templates" / "alerts" / "reminder"
LONGEST_SUBJECT = 300
# The same number of the day, and both Wednesdays: long words in English.
WIDEST_DAYS = (date(2026, 9, 30), date(2026, 12, 30))
# What an AlimTalk must say of the points that it speaks of, word for word (KakaoTalk, from April 2026).
PAID_POINTS = "※ 고객님의 유료 구매로 지급된 포인트 안내입니다."


@dataclass(frozen=True, slots=True)
class Telling:
    """The variables of a reminder, and what is known of the reader.

    `last_day` and `last_time` are the member's own (`ending`): None means until the end of that day. `name` may be
    empty. `korean_number`: the message goes to a +82 number, which holds cp949 and nothing else.
    """

    programme: str
    unit: str
    points: int
    last_day: date
    days_left: int
    link: str
    name: str = ""
    last_time: time | None = None
    korean_number: bool = True

    def variables(self) -> dict[str, object]:
        """The values as templates get them: one line each."""
        return {
            "points": self.points,
            "unit": " ".join(self.unit.split()),
            "last_day": self.last_day,
            "last_time": f"{self.last_time:%H:%M}" if self.last_time else "",
            "days_left": self.days_left,
            "programme": " ".join(self.programme.split()),
            "link": self.link,
            "name": " ".join(self.name.split()),
        }


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered message; `subject` is one line. `version_id` None: the built-in words."""

    subject: str
    text: str
    html: str
    provider_code: str = ""
    version_id: int | None = None

    @property
    def hash(self) -> str:
        """SHA-256 over what the reader sees, the HTML of an e-mail too: shows later which words were sent.

        The HTML is not kept: the template's version and the variables, which are, write it again, and this says whether
        what they write is what was sent.
        """
        seen = f"{self.subject}\n{self.text}" + (f"\n{self.html}" if self.html else "")
        return hashlib.sha256(seen.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Words:
    """The templates of one message: e-mail has all three, SMS and AlimTalk a text."""

    text: str
    subject: str = ""
    html: str = ""
    provider_code: str = ""
    version_id: int | None = None


def ending(expires_at: datetime, zone: ZoneInfo) -> tuple[date, time | None]:
    """When points end where the member lives: the last day, and the time on it, or None at the end of that day.

    Points "until 31 March" in Seoul end on that day at 16:00 in London, which a date alone would not say.
    """
    there = expires_at.astimezone(zone)
    if there.time() == time(0):
        return there.date() - timedelta(days=1), None
    return there.date(), there.time()


@cache
def built_in(channel: str, language: str) -> Words:
    """The words that come with Pointkeep; a language without any gets the first of LANGUAGES. Raises UnknownChannel."""
    if channel not in CHANNELS:
        raise UnknownChannel(field="channel")
    spoken = spoken_as(language)
    if channel != "email":
        return Words(text=_kept(f"{channel}.{spoken}.txt"))
    return Words(
        text=_kept(f"email.{spoken}.txt"),
        subject=_kept(f"email.{spoken}.subject.txt"),
        html=_kept(f"email.{spoken}.html"),
    )


def _kept(name: str) -> str:
    return (BUILT_IN / name).read_text(encoding="utf-8")


def spoken_as(language: str) -> str:
    """The language that a reader of `language` is written to in."""
    return language if language in LANGUAGES else LANGUAGES[0]


def write(words: Words, telling: Telling, *, channel: str, language: str) -> Text:
    """The message, as the channel can carry it.

    Raises CannotBeWritten naming the field: the text is too long, or the programme's name or unit has a letter without
    a substitute. A member's name never stops a message: where it cannot be written it is left out. Raises BadInput:
    the words are no template.
    """
    variables = telling.variables()
    if channel == "alimtalk" or (channel == "sms" and telling.korean_number):
        variables = _in_cp949(variables)
    spoken = spoken_as(language)
    subject, text, html = (
        wording.read(source, html=part == "html", field=part).write(variables, language=spoken) if source else ""
        for part, source in (("subject", words.subject), ("text", words.text), ("html", words.html))
    )
    subject, text = " ".join(subject.split()), text.strip()
    if channel == "email":
        if len(subject) > LONGEST_SUBJECT:
            raise CannotBeWritten(f"A subject has at most {LONGEST_SUBJECT} characters.", field="subject")
        return Text(subject, f"{text}\n", f"{html.strip()}\n", version_id=words.version_id)
    measure(text, channel=channel, korean_number=telling.korean_number)
    return Text("", text, "", words.provider_code, words.version_id)


def measure(text: str, *, channel: str, korean_number: bool) -> sms_length.Length:
    """How long a text is on a channel that counts. Raises CannotBeWritten where it is too long or cannot be encoded."""
    if channel == "alimtalk":
        return sms_length.alimtalk(text)
    return sms_length.korean(text) if korean_number else sms_length.elsewhere(text)


def _in_cp949(variables: dict[str, object]) -> dict[str, object]:
    """The values with readable substitutes for what a Korean SMS cannot hold."""
    written = dict(variables)
    for field in ("name", "unit", "programme"):
        value = substituted(str(variables[field]))
        if field == "name":
            written[field] = value or ""  # templates have a wording without it
        elif not value and variables[field]:
            raise CannotBeWritten("It cannot be written in an SMS to a Korean number.", field=field)
        else:
            written[field] = value
    return written


def widest(telling: Telling) -> list[Telling]:
    """The longest values that are plausible beside a programme's own name, unit and link, in each turn that a template
    can take: with and without a name and a time, on the last day, on the one before, and long before."""
    return [
        replace(telling, points=9_999_999_999, last_day=day, days_left=left, name=name, last_time=at)
        for day in WIDEST_DAYS
        for left in (0, 1, 3_650)
        for name in ("", "가나다라마바사아자차카타파하거너더러머버")
        for at in (None, time(23, 59))
    ]
