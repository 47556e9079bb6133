"""What the messages of a claim are about, read in a few statements for all of them together. Reads only.

It is the state of one moment: `recheck.look` decides by it, and what is older than FRESH is read again before a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.addresses import contacts
from alerts.models import Contact, Delivery
from alerts.planning.due import Offset
from alerts.rules import programme_rules
from alerts.texts.rendering import words_of
from alerts.texts.words import Words
from alerts.watch.switches import stopped
from ledger.models import Lot
from ledger.statements import lots_expiring

FRESH = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Known:
    """`lots`: by account and date; `contacts`: by member and channel, those that a notice reaches; both read at `at`.

    What programmes have laid down is read when it is first asked for.
    """

    at: datetime
    lots: dict[tuple[int, datetime], list[Lot]]
    contacts: dict[tuple[int, str], Contact]
    _offsets: dict[int, list[Offset]] = field(default_factory=dict)
    _words: dict[tuple[int, str, str], Words] = field(default_factory=dict)
    _stopped: dict[tuple[int, str], bool] = field(default_factory=dict)

    def is_fresh(self, now: datetime) -> bool:
        return now - self.at < FRESH

    def offsets(self, programme_id: int) -> list[Offset]:
        """The programme's offsets, the nearest first."""
        if programme_id not in self._offsets:
            self._offsets[programme_id] = programme_rules.offsets(programme_id)
        return self._offsets[programme_id]

    def words(self, programme_id: int, channel: str, language: str) -> Words:
        """The words of the programme's notices, or the built-in ones. Raises UnknownChannel."""
        which = programme_id, channel, language
        if which not in self._words:
            self._words[which] = words_of(programme_id, channel=channel, language=language)
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
    return Known(
        at=now,
        lots=lots_expiring({(reminder.account_id, reminder.expires_at) for reminder in reminders}, at=now),
        contacts=contacts.reached({(one.reminder.account.member_id, one.channel) for one in deliveries}),
    )
