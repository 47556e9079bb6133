"""What the messages of a claim are about, read in a few statements for all of them together. Reads only.

It is the state of one moment: `recheck.look` decides by it, and what is older than FRESH is read again before a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from alerts.addresses import contacts
from alerts.errors import CannotBeWritten
from alerts.models import Contact, Delivery
from alerts.models.contact import Channel
from alerts.planning.due import Offset
from alerts.rules import programme_rules
from alerts.sending.falling_back import falling_back
from alerts.sending.untried import addresses_left
from alerts.texts.rendering import words_of
from alerts.texts.words import Words
from alerts.watch.switches import stopped
from ledger.models import Lot
from ledger.statements import lots_expiring

FRESH = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Known:
    """`lots`: by account and date; `contacts`: by member and channel, those that a notice reaches; `others`: by
    delivery, the address that is left for one that follows another on its channel; `falling_back`: ids of AlimTalks
    that the provider may send as SMS; all read at `at`.

    What programmes have laid down is read when it is first asked for.
    """

    at: datetime
    lots: dict[tuple[int, datetime], list[Lot]]
    contacts: dict[tuple[int, str], Contact]
    falling_back: frozenset[UUID] = frozenset()
    others: dict[UUID, Contact] = field(default_factory=dict)
    _offsets: dict[int, list[Offset]] = field(default_factory=dict)
    _words: dict[tuple[int, str, str], Words] = field(default_factory=dict)
    _stopped: dict[tuple[int, str], bool] = field(default_factory=dict)

    def is_fresh(self, now: datetime) -> bool:
        return now - self.at < FRESH

    def contact_of(self, delivery: Delivery) -> Contact | None:
        """To whom this message goes, never where one before it went; None: nobody can be told by it."""
        return _contact_of(delivery, self.contacts, self.others)

    def offsets(self, programme_id: int) -> list[Offset]:
        """The programme's offsets, the nearest first."""
        if programme_id not in self._offsets:
            self._offsets[programme_id] = programme_rules.offsets(programme_id)
        return self._offsets[programme_id]

    def words(self, programme_id: int, channel: str, language: str) -> Words:
        """The words of the programme's notices, or the built-in ones. Raises UnknownChannel, CannotBeWritten.

        An AlimTalk says what KakaoTalk has approved, under its code; the built-in words have none.
        """
        which = programme_id, channel, language
        if which not in self._words:
            self._words[which] = words_of(programme_id, channel=channel, language=language)
        if channel == Channel.ALIMTALK and not self._words[which].provider_code:
            raise CannotBeWritten("An AlimTalk needs the code of an approved template.", field="provider_code")
        return self._words[which]

    def is_stopped(self, programme_id: int, transport: str) -> bool:
        """Whether a person has stopped the programme or the transport, though this was claimed before."""
        which = programme_id, transport
        if which not in self._stopped:
            self._stopped[which] = stopped(programme_id, transport)
        return self._stopped[which]


def read(deliveries: Sequence[Delivery], *, now: datetime) -> Known:
    """What is known at `now` of these deliveries. Needs their reminders with accounts."""
    reminders = [delivery.reminder for delivery in deliveries]
    reached = contacts.reached({(one.reminder.account.member_id, one.channel) for one in deliveries})
    resent = [delivery for delivery in deliveries if delivery.resend_no]
    others = addresses_left(resent) if resent else {}
    return Known(
        at=now,
        lots=lots_expiring({(reminder.account_id, reminder.expires_at) for reminder in reminders}, at=now),
        contacts=reached,
        falling_back=falling_back({one: _contact_of(one, reached, others) for one in deliveries}),
        others=others,
    )


def _contact_of(
    delivery: Delivery, reached: dict[tuple[int, str], Contact], others: dict[UUID, Contact]
) -> Contact | None:
    if delivery.resend_no:
        return others.get(delivery.pk)
    return reached.get((delivery.reminder.account.member_id, delivery.channel))
