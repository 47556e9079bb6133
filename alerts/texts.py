"""What a reminder says: subject, text and HTML in the reader's language. No database, no clock.

It says how many points, the last day in the programme's zone, what to do, and where to look.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from django.template.loader import render_to_string
from django.utils import translation

LANGUAGES = ("ko", "en")
TEMPLATE = "reminder/1"  # raised when the words of the templates change, so that the proof can say which were used


@dataclass(frozen=True, slots=True)
class Telling:
    """The variables of a reminder, and all of them."""

    programme: str
    unit: str
    points: int
    last_day: date
    days_left: int
    link: str


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered message; `subject` is one line."""

    subject: str
    text: str
    html: str

    @property
    def hash(self) -> str:
        """SHA-256 over what the reader sees as plain text: shows later which words were sent."""
        return hashlib.sha256(f"{self.subject}\n{self.text}".encode()).hexdigest()


def render(telling: Telling, language: str) -> Text:
    """The reminder in `language`; a language without templates gets the first of LANGUAGES."""
    spoken = language if language in LANGUAGES else LANGUAGES[0]
    variables = {"reminder": telling, "language": spoken}
    with translation.override(spoken):  # numbers and dates are written as this language writes them
        subject, text, html = (
            render_to_string(f"alerts/reminder/{spoken}.{part}", variables) for part in ("subject.txt", "txt", "html")
        )
    return Text(subject=" ".join(subject.split()), text=text.strip() + "\n", html=html.strip() + "\n")
