"""Holding what a programme has against what its pack asks: purely, from facts. No database, no clock.

Each finding has a rule with a stable name, `kr-general.duty_days` for instance, and says in words without a language
what was found. The two together name it for good: an exception is made for a rule and for what was found then. What is
asked whatever the pack stands first (`house.…`); `domain.md` is its source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from alerts.rules.packs import DOMAIN, Asked, Pack, Source
from alerts.rules.quiet_hours import Window
from alerts.texts.classifying import NOTICE, classify
from alerts.texts.words import Words
from ledger.policies import Model, Unit

DAYS = {Unit.DAYS: 1, Unit.WEEKS: 7}
MONTHS = {Unit.MONTHS: 1, Unit.YEARS: 12}


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """A policy in force or announced: how points expire, and the notice before. `number` is its own; None: it is only
    being entered.
    """

    number: int | None
    model: str
    count: int
    unit: str
    notice_days: int
    notice_slack: int
    notice_max_days: int
    notice_channels: int


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """A reminder so many days before, on the first `at_once` of these channels that reach the member."""

    offset_days: int
    channels: tuple[str, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """The newest words of a template. `number` is the version's own."""

    number: int
    channel: str
    language: str
    purpose: str
    words: Words


@dataclass(frozen=True, slots=True)
class Facts:
    """What a programme has: its rules of telling, its policies, its reminders and its templates."""

    pack: str
    open_from: time
    open_until: time
    country: str
    policies: Sequence[PolicyFacts] = ()
    reminders: Sequence[ReminderFacts] = ()
    templates: Sequence[TemplateFacts] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: what it asks, what there is, and the source. `field` is where it is put right.

    `found` says what there is in words without a language. `overridden_by`: the reason of the exception, if there is
    one.
    """

    rule: str
    field: str
    asks: str
    has: str
    found: str
    source: Source
    overridden_by: str | None = None

    @property
    def text(self) -> str:
        """For people: what is asked, what there is, and where it comes from."""
        said = _("Asked: %(asks)s. There is: %(has)s. (%(rule)s; %(source)s %(sure)s.)")
        return said % {
            "asks": self.asks,
            "has": self.has,
            "rule": self.rule,
            "source": self.source.text,
            "sure": self.source.sure.label,
        }


def judge(pack: Pack | None, facts: Facts) -> list[Finding]:
    """Everything in which these facts break the pack, and the rules that hold without one; in a stable order."""
    found = [*_in_the_house(facts)]
    if pack:
        for policy in facts.policies:
            found += _of_expiry(pack, policy)
            found += _of_the_notice(pack, policy)
        found += _of_reminders(pack, facts)
        found += _of_hours(pack, facts)
        found += _of_templates(pack, facts)
    return found


def _in_the_house(facts: Facts) -> Iterator[Finding]:
    """There must be time to tell, and on as many channels as count: else points stay gated for ever."""
    first = max((reminder.offset_days for reminder in facts.reminders), default=None)
    for policy in facts.policies:
        needed = policy.notice_days + policy.notice_slack
        if not policy.notice_days or policy.model == Model.NEVER:
            continue
        if first is None or first < needed:
            yield Finding(
                "house.first_reminder",
                "offset_days",
                _("a first reminder at least %(days)d days before") % {"days": needed},
                _("no reminder") if first is None else _("the first is %(days)d days before") % {"days": first},
                f"policy {policy.number}: {needed}",
                DOMAIN,
            )
        in_time = [reminder for reminder in facts.reminders if reminder.offset_days >= policy.notice_days]
        channels = {channel for reminder in in_time for channel in reminder.channels[: reminder.at_once]}
        if in_time and len(channels) < policy.notice_channels:
            yield Finding(
                "house.channels",
                "at_once",
                _("reminders in time on %(number)d different channels") % {"number": policy.notice_channels},
                ", ".join(sorted(channels)),
                f"policy {policy.number}: {policy.notice_channels}",
                DOMAIN,
            )


def _of_expiry(pack: Pack, policy: PolicyFacts) -> Iterator[Finding]:
    if pack.expiry and policy.model not in pack.expiry.value:
        ways = ", ".join(str(Model(way).label) for way in pack.expiry.value)
        yield _policy(pack, "expiry", policy, "model", ways, str(Model(policy.model).label), policy.model)
    years = pack.inactivity_years
    if years and policy.model == Model.INACTIVITY and not _lasts(policy, years.value):
        yield _policy(
            pack,
            "inactivity_years",
            policy,
            "count",
            _("expiry after at least %(number)d years without activity") % {"number": years.value},
            f"{policy.count} {Unit(policy.unit).label}",
            f"{policy.count} {policy.unit}",
        )


def _lasts(policy: PolicyFacts, years: int) -> bool:
    """Whether a span is at least so many years, whichever they are: a year can have 366 days."""
    unit = Unit(policy.unit)
    return policy.count * MONTHS[unit] >= 12 * years if unit in MONTHS else policy.count * DAYS[unit] >= 366 * years


def _of_the_notice(pack: Pack, policy: PolicyFacts) -> Iterator[Finding]:
    if policy.model == Model.NEVER:
        return
    duty, most, channels = pack.duty_days, pack.duty_most_days, pack.channels
    days = _("%(days)d days")
    if duty and policy.notice_days < duty.value:
        asks = _("a notice duty of at least %(days)d days") % {"days": duty.value}
        has = days % {"days": policy.notice_days}
        yield _policy(pack, "duty_days", policy, "notice_days", asks, has, str(policy.notice_days))
    if most and not 0 < policy.notice_max_days <= most.value:
        asks = _("a notice at most %(days)d days ahead") % {"days": most.value}
        has = days % {"days": policy.notice_max_days} if policy.notice_max_days else _("no bound")
        yield _policy(pack, "duty_most_days", policy, "notice_max_days", asks, has, str(policy.notice_max_days))
    if channels and policy.notice_channels < channels.value:
        asks = _("a notice on at least %(number)d channels") % {"number": channels.value}
        has = str(policy.notice_channels)
        yield _policy(pack, "channels", policy, "notice_channels", asks, has, has)


def _of_reminders(pack: Pack, facts: Facts) -> Iterator[Finding]:
    there = sorted((reminder.offset_days for reminder in facts.reminders), reverse=True)
    has = _("reminders %(days)s days before") % {"days": ", ".join(map(str, there))} if there else _("no reminder")
    for offset in pack.offsets.value if pack.offsets else ():
        if offset not in there:
            asks = _("a reminder %(days)d days before") % {"days": offset}
            yield _finding(pack, "offsets", "offset_days", asks, has, f"none {offset} days before")
    times = pack.times.value if pack.times else 0
    for number in range(len(there) + 1, times + 1):
        asks = _("at least %(number)d reminders") % {"number": times}
        yield _finding(pack, "times", "offset_days", asks, has, f"no number {number}")
    if pack.first_days and there and there[0] < pack.first_days.value:
        asks = _("a first reminder at least %(days)d days before") % {"days": pack.first_days.value}
        yield _finding(pack, "first_days", "offset_days", asks, has, str(there[0]))
    for reminder in facts.reminders:
        yield from _of_channels(pack, reminder)


def _of_channels(pack: Pack, reminder: ReminderFacts) -> Iterator[Finding]:
    where = f"reminder {reminder.offset_days}"
    days = {"days": reminder.offset_days, "channels": ", ".join(reminder.channels)}
    if pack.channels and reminder.at_once < pack.channels.value:
        asks = _("reminders on at least %(number)d channels at once") % {"number": pack.channels.value}
        has = _("%(days)d days before, %(number)d at once of %(channels)s") % (days | {"number": reminder.at_once})
        yield _finding(pack, "channels", "at_once", asks, has, f"{where}: {reminder.at_once}")
    if pack.alimtalk_origins and set(reminder.channels) == {"alimtalk"}:
        asks = _("another channel for points that an AlimTalk must not speak of")
        has = _("%(days)d days before on %(channels)s alone") % days
        yield _finding(pack, "alimtalk_origins", "channels", asks, has, f"{where}: alimtalk alone")


def _of_hours(pack: Pack, facts: Facts) -> Iterator[Finding]:
    opens, closes = facts.open_from, facts.open_until
    has = f"{opens:%H:%M}–{closes:%H:%M}"
    if pack.hours:
        first, last = pack.hours.value
        if not first <= opens < closes <= last:
            asks = _("SMS and AlimTalk only from %(first)s until %(last)s") % _clock(first, last)
            yield _finding(pack, "hours", "open_until" if first <= opens else "open_from", asks, has, has)
    night = pack.advertising_night
    advertises = any(template.purpose == "advertising" for template in facts.templates)
    if night and advertises and _meet(Window(opens, closes), Window(*night.value)):
        asks = _("a second consent to advertising from %(first)s until %(last)s") % _clock(*night.value)
        yield _finding(pack, "advertising_night", "open_until", asks, has, has)


def _clock(first: time, last: time) -> dict[str, str]:
    return {"first": f"{first:%H:%M}", "last": f"{last:%H:%M}"}


def _meet(one: Window, other: Window) -> bool:
    return one.holds(other.opens) or other.holds(one.opens)


# Which line of a pack a template breaks that the classifier refuses with this code.
LINE_OF = {
    "mark_missing": "advertising_mark",
    "mark_not_first": "advertising_mark",
    "mark_nearly": "advertising_mark",
    "mark_on_a_notice": "notice_alone",
    "advertising_in_a_notice": "notice_alone",
    "advertising_by_alimtalk": "alimtalk_origins",
    "other_points_in_alimtalk": "alimtalk_origins",
    "sentence_missing": "alimtalk_sentence",
}


def _of_templates(pack: Pack, facts: Facts) -> Iterator[Finding]:
    for template in facts.templates:
        found = classify(
            purpose=template.purpose,
            channel=template.channel,
            language=template.language,
            words=template.words,
            country=facts.country,
        )
        for refusal in found.refusals:
            line = LINE_OF[refusal.code]
            if line == "advertising_mark" and template.purpose == NOTICE:
                line = "notice_alone"  # nearly the mark, on a notice
            if getattr(pack, line):
                where = f"{template.channel}/{template.language}/{template.purpose}"
                has = _("version %(number)d of %(template)s") % {"number": template.number, "template": where}
                yield _finding(pack, line, "text", refusal.words.rstrip("."), has, f"{where}: {refusal.code}")


def _policy(pack: Pack, line: str, policy: PolicyFacts, field: str, asks: str, has: str, found: str) -> Finding:
    said = _("the new policy: %(has)s") if policy.number is None else _("policy %(number)d: %(has)s")
    said %= {"number": policy.number, "has": has}
    return _finding(pack, line, field, asks, said, f"policy {policy.number}: {found}")


def _finding(pack: Pack, line: str, field: str, asks: str, has: str, found: str) -> Finding:
    asked: Asked[Any] = getattr(pack, line)
    return Finding(f"{pack.code}.{line}", field, asks, has, found, asked.source)
