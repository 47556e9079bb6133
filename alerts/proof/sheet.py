"""The evidence sheet of a member: by the date on which points go, all that was told of it, or why nothing was.

A page holds a few dates, the newest first, and is found by the date it begins before: a long history costs each page
the same number of statements. A period is one of last days, for that is what people ask about: the points that went on
31 March, and not the mails of February.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.models import Reminder, TellingRules
from alerts.proof import circumstances, evidence
from alerts.proof.circumstances import Address, Moved, Noted, Stopped, Word
from alerts.proof.evidence import Planned
from alerts.proof.readers import Reader
from ledger.inputs import YEARS
from ledger.models import Account, Notice
from ledger.policies import end_of_day, last_day, start_of_day

DATES = 12  # on a page: a year of month's ends
MOST_REMINDERS = 500  # of a page; a rule makes one for each date


@dataclass(frozen=True, slots=True)
class OfDate:
    """What was told of the points of one date, and what the ledger holds of it."""

    expires_at: datetime
    expires_on: date
    reminders: list[Planned]
    notices: list[Noted]
    waivers: list[Noted]
    moves: list[Moved]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the sheet. `older`: the next page begins before this instant; None: there is none."""

    reference: str
    programme: str
    programme_name: str
    unit: str
    zone: str
    made_at: datetime
    since: date | None
    until: date | None
    text_kept_days: int
    dates: list[OfDate]
    addresses: list[Address]
    words: list[Word]
    stops: list[Stopped]
    older: datetime | None


def page(
    account: Account,
    *,
    reader: Reader,
    now: datetime,
    since: date | None = None,
    until: date | None = None,
    before: datetime | None = None,
) -> Sheet:
    """The newest dates of the account before `before`, their last days from `since` to `until`, both included.

    Needs the account's member and programme. Raises BadInput naming the field: no such period.
    """
    programme = account.programme
    _check(since, until)
    found = _dates(account, since=since, until=until, before=before)
    dates = found[:DATES]
    reminders = evidence.of_account(account, limit=MOST_REMINDERS, dates=dates, reader=reader)
    notices = circumstances.notices(account, dates, reader=reader)
    moves = circumstances.moves(account, dates, reader=reader)
    contacts = circumstances.addresses(account)
    rules = TellingRules.objects.filter(programme=programme).first() or TellingRules(programme=programme)
    return Sheet(
        reference=account.member.reference,
        programme=programme.code,
        programme_name=programme.name,
        unit=programme.unit,
        zone=programme.zone,
        made_at=now,
        since=since,
        until=until,
        text_kept_days=rules.text_kept_days,
        dates=[
            OfDate(
                expires_at=at,
                expires_on=last_day(at, programme.tz),
                reminders=sorted((one for one in reminders if one.expires_at == at), key=lambda one: one.planned_at),
                notices=[one for one in notices if one.expires_at == at and not one.waiver],
                waivers=[one for one in notices if one.expires_at == at and one.waiver],
                moves=[one for one in moves if one.was == at],
            )
            for at in dates
        ],
        addresses=[circumstances.shown(contact, reader=reader) for contact in contacts],
        words=circumstances.words(account, reader=reader),
        stops=circumstances.stops(account, contacts, reader=reader),
        older=dates[-1] if len(found) > DATES else None,
    )


def whole(
    account: Account, *, reader: Reader, now: datetime, since: date | None = None, until: date | None = None
) -> Sheet:
    """All pages as one, for a file. Read page by page. Raises as `page`."""
    first = newest = page(account, reader=reader, now=now, since=since, until=until)
    dates = [*first.dates]
    while newest.older:
        newest = page(account, reader=reader, now=now, since=since, until=until, before=newest.older)
        dates += newest.dates
    return replace(first, dates=dates, older=None)


def _check(since: date | None, until: date | None) -> None:
    for field, day in (("since", since), ("until", until)):
        if day and day.year not in YEARS:
            raise BadInput(_("The year must lie between 1900 and 9000."), field=field)
    if since and until and until < since:
        raise BadInput(_("The period ends before it begins."), field="until")


def _dates(account: Account, *, since: date | None, until: date | None, before: datetime | None) -> list[datetime]:
    """The newest dates of which anything is on record, one more than a page has. One statement.

    Each part goes by an index of the account: `reminder_once`, `notice_of_a_date`, and its few extensions.
    """
    zone = account.programme.tz
    # Points of a last day go after it has begun, and at its end at the latest.
    after = start_of_day(since, zone) if since else None
    latest = end_of_day(until, zone) if until else None

    def of(rows: QuerySet, field: str) -> QuerySet:
        rows = rows.filter(**{f"{field}__gt": after}) if after else rows
        rows = rows.filter(**{f"{field}__lte": latest}) if latest else rows
        rows = rows.filter(**{f"{field}__lt": before}) if before else rows
        return rows.order_by(f"-{field}").values_list(field, flat=True).distinct()[: DATES + 1]

    parts = [
        of(Reminder.objects.filter(account=account), "expires_at"),
        of(Notice.objects.filter(account=account), "expires_at"),
        of(circumstances.moved(account), "was"),
    ]
    return sorted(parts[0].union(*parts[1:]), reverse=True)[: DATES + 1]
