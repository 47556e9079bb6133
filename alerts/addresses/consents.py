"""What members said yes and no to: facts with their time and source; the newest word counts.

Consent to advertising must be confirmed every two years (Korea: Network Act, article 50 (8), and its enforcement
decree, article 62-3). Here it counts for two years, and no longer without a new word. At night, 21:00 to 08:00,
advertising needs a second consent (article 50 (3)), and never goes without the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.db import connection, transaction
from django.utils.translation import gettext as _

from alerts.errors import BadInput
from alerts.models import Consent
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from ledger.actors import Actor
from ledger.models import Member, Programme

YEARS = 2
LONGEST_SOURCE = 100
SOON = timedelta(days=30)  # so long before the end of a consent the member is asked to confirm it

Words = Mapping[tuple[str, str], Consent]  # the newest of a member, by channel and purpose


@dataclass(frozen=True, slots=True)
class Due:
    """A consent to advertising that ends at `ends_at`, unless the member confirms it."""

    member_id: int
    channel: str
    purpose: str
    given_at: datetime
    ends_at: datetime


def say(*, member: Member, channel: str, purpose: str, given: bool, source: str, by: Actor, now: datetime) -> Consent:
    """Record that the member said yes or no. Saying yes again confirms it. Raises BadInput naming the field."""
    if channel not in Channel.values:
        raise BadInput(_("There is no such channel."), field="channel")
    if purpose not in Purpose.values:
        raise BadInput(_("There is no such purpose."), field="purpose")
    if not source.strip() or len(source) > LONGEST_SOURCE:
        raise BadInput(_("Say in at most 100 characters where it was said."), field="source")
    return Consent.objects.create(
        member=member, channel=channel, purpose=purpose, given=given, at=now, source=source, actor=str(by)
    )


def choose(
    *, member: Member, said: Mapping[tuple[str, str], bool], source: str, by: Actor, now: datetime
) -> list[Consent]:
    """Record what the member said of several channels and purposes at once: all of it or nothing.

    A consent for the night never outlives, nor comes back with, the one for the day: it ends where advertising is
    refused, and where advertising is agreed to without it. Raises BadInput naming `{channel}_{purpose}`: the night
    without the day; or as `say`.
    """
    before = newest_words(member.pk)
    words = dict(said)
    for channel, purpose in said:
        if purpose == Purpose.NOTICE:
            continue
        day = said.get((channel, Purpose.ADVERTISING), wanted(before, channel, Purpose.ADVERTISING, now=now))
        night = (channel, Purpose.NIGHT_ADVERTISING)
        if said.get(night) and not day:
            rule = _("Advertising at night needs your consent to advertising on this channel, too.")
            raise BadInput(rule, field="_".join(night))
        if night in before and before[night].given and not said.get(night, day and wanted(before, *night, now=now)):
            words[night] = False
    with transaction.atomic():
        return [
            say(member=member, channel=channel, purpose=purpose, given=given, source=source, by=by, now=now)
            for (channel, purpose), given in words.items()
        ]


def confirm(*, member: Member, source: str, by: Actor, now: datetime) -> list[Consent]:
    """The member confirms each consent that ended, or ends SOON; returns the new words."""
    with transaction.atomic():
        return [
            say(member=member, channel=each.channel, purpose=each.purpose, given=True, source=source, by=by, now=now)
            for each in to_confirm(newest_words(member.pk), now=now)
        ]


def ends_all_notices(
    said: Mapping[tuple[str, str], bool], *, after: Mapping[str, bool], reached_by: Collection[str]
) -> bool:
    """Whether what is said leaves the member without any notice, which the ledger may record as a waiver of theirs:
    whoever records it asks first whether they are sure.

    `after`: whether notices are wanted on each channel once it is said; `reached_by`: the channels on which a message
    would reach the member. Where there is none, only a no on every channel is a no to everything.
    """
    says_no = any(purpose == Purpose.NOTICE and not given for (_channel, purpose), given in said.items())
    return says_no and not any(after[channel] for channel in reached_by or Channel.values)


def wants(member_id: int, channel: str, purpose: str, *, now: datetime) -> bool:
    """Whether messages of this purpose may go to the member on this channel; see `wanted`."""
    return wanted(newest_words(member_id), channel, purpose, now=now)


def wanted(words: Words, channel: str, purpose: str, *, now: datetime) -> bool:
    """Whether these words let messages of this purpose go out on this channel.

    Without a word notices may, and advertising may not.
    """
    newest = words.get((channel, purpose))
    if purpose == Purpose.NOTICE:
        return newest is None or newest.given
    if newest is None or not newest.given or now >= ends_at(newest.at):
        return False
    return purpose != Purpose.NIGHT_ADVERTISING or wanted(words, channel, Purpose.ADVERTISING, now=now)


def newest_words(member_id: int) -> Words:
    """The member's newest word on each channel and purpose of which they ever said one."""
    said = Consent.objects.filter(member_id=member_id).order_by("channel", "purpose", "-pk")
    return {(word.channel, word.purpose): word for word in said.distinct("channel", "purpose")}


def newest_word(member_id: int, channel: str, purpose: str) -> Consent | None:
    """The member's newest word on a channel and purpose."""
    said = Consent.objects.filter(member_id=member_id, channel=channel, purpose=purpose)
    return said.order_by("-pk").first()


def ends_at(given_at: datetime) -> datetime:
    """Until when a consent to advertising counts; one of 29 February until 28 February."""
    return given_at + relativedelta(years=YEARS)


def to_confirm(words: Words, *, now: datetime) -> list[Due]:
    """Those of a member's consents to advertising that ended, or end SOON, without having been confirmed.

    One for the night is none without one for the day: where that was taken back, or never given.
    """
    given = {which: word for which, word in sorted(words.items()) if word.given}
    return [
        Due(word.member_id, channel, purpose, word.at, ends_at(word.at))
        for (channel, purpose), word in given.items()
        if purpose != Purpose.NOTICE and (channel, Purpose.ADVERTISING) in given and ends_at(word.at) <= now + SOON
    ]


# `consent_newest`, for the words and the day of each night. No index leads to what is due alone: all words are read,
# which is for a list once in a while, and for nothing that the clock asks.
_DUE = """
SELECT programme.code, member.reference, said.member_id, said.channel, said.purpose, said.at
  FROM (SELECT DISTINCT ON (member_id, channel, purpose) id, member_id, channel, purpose, given, at
          FROM alerts_consent WHERE purpose <> 'notice'
         ORDER BY member_id, channel, purpose, id DESC) said
  JOIN ledger_member member ON member.id = said.member_id
  JOIN ledger_programme programme ON programme.id = member.programme_id
 WHERE said.given AND said.at + interval '2 years' <= %(until)s
   AND (%(programme)s::bigint IS NULL OR member.programme_id = %(programme)s)
   AND (said.purpose = 'advertising'
        OR (SELECT day.given FROM alerts_consent day
             WHERE day.member_id = said.member_id AND day.channel = said.channel AND day.purpose = 'advertising'
             ORDER BY day.id DESC LIMIT 1))
 ORDER BY said.at, said.id"""


def due(
    *, now: datetime, within: timedelta = SOON, programme: Programme | None = None
) -> Iterator[tuple[str, str, Due]]:
    """What `to_confirm` says, of all members, of a programme or of all; `within` this time instead of SOON.

    Gives (the programme's code, the member's reference, what is due), the oldest first. Read in portions: there may be
    a million.
    """
    asked = {"until": now + within, "programme": programme.pk if programme else None}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_DUE, asked)
        for code, reference, member_id, channel, purpose, at in cursor:
            yield code, reference, Due(member_id, channel, purpose, at, ends_at(at))
