"""The sheet as one line for each fact, in the order in which they happened: what a spreadsheet can sort and count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from alerts.proof.circumstances import Noted, Stopped
from alerts.proof.evidence import Planned, Told
from alerts.proof.sheet import OfDate, Sheet
from alerts.proof.spreadsheets import as_csv


@dataclass(frozen=True, slots=True)
class Line:
    """A fact. `last_day` and `offset_days` say what it is about; `entry` is its number in the member's ledger."""

    at: datetime
    fact: str
    last_day: date | None = None
    offset_days: int | None = None
    message: str = ""
    channel: str = ""
    address: str = ""
    points: int | None = None
    said: str = ""
    code: str = ""
    detail: str = ""
    entry: int | None = None
    text: str = ""


def csv_of(sheet: Sheet) -> str:
    """The sheet as CSV: `at` by the clock of the programme's zone with its offset, then the same in UTC."""
    zone = ZoneInfo(sheet.zone)
    names = [field.name for field in fields(Line)]
    rows = ([_local(line.at, zone), line.at, *astuple(line)[1:]] for line in lines(sheet))
    return as_csv(["at", "at_utc", *names[1:]], rows)


def lines(sheet: Sheet) -> list[Line]:
    """Each fact of the sheet once, the first to happen first."""
    found = [line for each in sheet.dates for line in _of_date(each)]
    found += [
        Line(
            word.at,
            _("said yes") if word.given else _("said no"),
            channel=word.channel_said,
            said=word.purpose_said,
            detail=_joined(word.source, word.by),
        )
        for word in sheet.words
    ]
    for stop in sheet.stops:
        found.append(_of_stop(stop, stop.at, _("address suppressed")))
        if stop.lifted_at:
            found.append(_of_stop(stop, stop.lifted_at, _("suppression lifted")))
    return sorted(found, key=lambda line: line.at)


def _of_date(each: OfDate) -> Iterator[Line]:
    for reminder in each.reminders:
        yield from _of_reminder(reminder)
    for noted in (*each.notices, *each.waivers):
        yield from _of_notice(noted)
    for move in each.moves:
        what = _("date moved: nobody was told") if move.untold else _("date moved")
        until = move.until.isoformat() if move.until else _("never")
        yield Line(move.at, what, each.expires_on, said=move.reason, detail=_joined(until, move.by), entry=move.seq)


def _of_reminder(reminder: Planned) -> Iterator[Line]:
    about = (reminder.expires_on, reminder.offset_days)
    yield Line(reminder.planned_at, _("reminder planned"), *about, points=reminder.points_planned)
    for told in reminder.messages:
        yield from _of_message(told, about)


def _of_message(told: Told, about: tuple[date, int]) -> Iterator[Line]:
    where = (*about, str(told.key), told.channel_said)
    came_to = _joined(told.status_said, told.why_said)
    yield Line(told.made_at, _("message made"), *where, address=told.address, said=came_to, code=told.status)
    for one in told.tries:
        yield Line(
            one.at,
            _("call to the provider"),
            *where,
            told.address,
            said=one.said,
            code=one.code,
            detail=_joined(told.transport, one.detail),
        )
    if told.text_hash:
        yield Line(
            max([one.at for one in told.tries], default=told.made_at),
            _("what it said"),
            *where,
            told.address,
            told.points,
            _words(told),
            code=told.text_hash,
            detail=json.dumps(told.variables, ensure_ascii=False),
            text=told.text,
        )
    for report in told.reports:
        received = _("received %(at)s") % {"at": report.received_at.isoformat()}
        yield Line(
            report.occurred_at,
            _("report"),
            *where,
            told.address,
            said=report.said,
            code=report.kind,
            detail=_joined(report.transport, report.detail, received),
        )
    came = (
        (told.accepted_at, _("accepted")),
        (told.delivered_at, _("delivered")),
        (told.undelivered_at, _("came back")),
    )
    for at, what in came:
        if at:
            yield Line(at, what, *where, told.address, told.points)


def _of_notice(noted: Noted) -> Iterator[Line]:
    what = _("notice waived") if noted.waiver else _("notice in the ledger")
    told_on = _("told on %(day)s") % {"day": noted.told_on}
    yield Line(
        noted.at,
        what,
        noted.expires_on,
        channel=noted.channel,
        said=noted.waiver_said,
        code=noted.evidence,
        detail=_joined(told_on, noted.by),
        entry=noted.seq,
    )
    if noted.withdrawn_at:
        yield Line(
            noted.withdrawn_at,
            _("notice withdrawn"),
            noted.expires_on,
            said=noted.withdrawn_why,
            code=noted.evidence,
            entry=noted.withdrawn_seq,
        )


def _of_stop(stop: Stopped, at: datetime, what: str) -> Line:
    return Line(at, what, channel=stop.channel_said, address=stop.address, said=stop.said, detail=stop.note)


def _words(told: Told) -> str:
    """Which words it had."""
    return _("version %(number)d") % {"number": told.version} if told.version else told.template


def _joined(*texts: str) -> str:
    return " · ".join(filter(None, texts))


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
