"""The bounded statements behind the gauges. Each reads an index, named beside it, and stops at MOST rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from alerts.models import TellingRules, Transport
from alerts.models.contact import Channel

MOST = 10_000
RECENTLY = timedelta(hours=1)  # of finished deliveries
LATELY = timedelta(days=1)  # of arrivals: reports take hours at times
NEAR = timedelta(days=7)  # a duty is longer: what is untold then, nobody could be told of

# A queue is what waits of a programme on a channel: those in which something is due, with the one that is due longest.
# `delivery_due`, once for each programme and channel. The claim (`sending/leases.py`) goes by the same.
QUEUES = """ledger_programme programme
   CROSS JOIN unnest(%(channels)s::text[]) asked (channel)
   CROSS JOIN LATERAL (
         SELECT next_attempt_at FROM alerts_delivery
          WHERE status = 'pending' AND programme_id = programme.id AND channel = asked.channel
            AND next_attempt_at <= %(now)s
          ORDER BY next_attempt_at LIMIT 1) oldest"""
_DUE = f"""
SELECT asked.channel, programme.id = ANY (%(programmes)s) AS stopped, min(oldest.next_attempt_at)
  FROM {QUEUES}
 GROUP BY 1, 2"""  # noqa: S608  # our own constant
# `reminder_to_fan_out`. A date that was planned late is due since it was planned.
_TO_FAN_OUT = """
SELECT extract(epoch FROM %(now)s - greatest(due_at, planned_at)) FROM alerts_reminder
 WHERE fanned_out_at IS NULL AND due_at <= %(now)s ORDER BY due_at LIMIT 1"""
# `delivery_due`, `delivery_leases` and `delivery_unknown`, whose conditions stand here as there.
_OPEN = """
SELECT status, channel, transport, count(*) FROM (
  (SELECT status, channel, '' AS transport FROM alerts_delivery WHERE status = 'pending' LIMIT %(most)s)
  UNION ALL
  (SELECT status, channel, transport FROM alerts_delivery WHERE status IN ('claimed', 'sending') LIMIT %(most)s)
  UNION ALL
  (SELECT status, channel, transport FROM alerts_delivery WHERE status = 'unknown' LIMIT %(most)s)) open
 GROUP BY 1, 2, 3"""
# `delivery_accepted`, once for each channel, `delivery_came_back` and `delivery_ended`
_FINISHED = """
SELECT status, channel, transport, count(*) FROM (
  SELECT taken.* FROM unnest(%(channels)s::text[]) asked (channel)
   CROSS JOIN LATERAL (
         SELECT status, channel, transport FROM alerts_delivery
          WHERE status IN ('accepted', 'delivered') AND channel = asked.channel
            AND accepted_at > %(now)s - %(recently)s AND accepted_at <= %(now)s
          ORDER BY accepted_at DESC LIMIT %(most)s) taken
  UNION ALL
  (SELECT status, channel, transport FROM alerts_delivery
    WHERE status = 'undelivered' AND undelivered_at > %(now)s - %(recently)s AND undelivered_at <= %(now)s
    ORDER BY undelivered_at DESC LIMIT %(most)s)
  UNION ALL
  (SELECT status, channel, transport FROM alerts_delivery
    WHERE status IN ('failed', 'skipped', 'cancelled', 'superseded', 'too_late', 'dead')
      AND next_attempt_at > %(now)s - %(recently)s AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at DESC LIMIT %(most)s)) finished
 GROUP BY 1, 2, 3"""
# `delivery_unknown` and, for each, `attempt_once`. The unknown ones of the other kind are passed over.
_UNKNOWN = """
SELECT count(*), coalesce(max(extract(epoch FROM %(now)s - last.at)), 0)
  FROM (SELECT id, created_at FROM alerts_delivery
         WHERE status = 'unknown' AND (why = 'person') = %(person)s LIMIT %(most)s) unknown
 CROSS JOIN LATERAL (SELECT coalesce(max(attempt.at), unknown.created_at) AS at FROM alerts_attempt attempt
                      WHERE attempt.delivery_id = unknown.id) last"""
# `delivery_given_up`, then for each the indexes of its reminder, of the account's lots and reminders. Counted is what
# `sending.resending` could send again: the points are still there, no nearer reminder took its place, and nothing else
# of its reminder followed it, is on its way or was taken.
_GIVEN_UP = """
SELECT count(*)
  FROM (SELECT reminder_id, channel, resend_no FROM alerts_delivery
         WHERE status = 'dead' AND why = 'exhausted'
         ORDER BY next_attempt_at DESC LIMIT %(most)s) dead
  JOIN alerts_reminder reminder ON reminder.id = dead.reminder_id
 WHERE reminder.expires_at > %(now)s
   AND EXISTS (SELECT FROM ledger_lot lot WHERE lot.open AND lot.account_id = reminder.account_id
                  AND lot.expires_at = reminder.expires_at)
   AND NOT EXISTS (SELECT FROM alerts_reminder nearer
                    WHERE nearer.account_id = reminder.account_id AND nearer.expires_at = reminder.expires_at
                      AND nearer.offset_days < reminder.offset_days)
   AND NOT EXISTS (SELECT FROM alerts_delivery other
                    WHERE other.reminder_id = dead.reminder_id
                      AND (other.status IN ('pending', 'claimed', 'sending', 'unknown', 'accepted', 'delivered')
                           OR (other.channel = dead.channel AND other.resend_no > dead.resend_no)))"""
# `delivery_leases`
_UNCERTAIN = """
SELECT count(*), coalesce(extract(epoch FROM %(now)s - min(lease_until)), 0)
  FROM (SELECT lease_until FROM alerts_delivery
         WHERE status IN ('claimed', 'sending') AND status = 'sending' AND lease_until <= %(now)s
         ORDER BY lease_until LIMIT %(most)s) uncertain"""
# `delivery_reported`, once for each channel
_TO_ARRIVE = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM delivered_at - accepted_at))
  FROM unnest(%(channels)s::text[]) asked (channel)
 CROSS JOIN LATERAL (
       SELECT accepted_at, delivered_at FROM alerts_delivery
        WHERE status = 'delivered' AND channel = asked.channel AND delivered_at IS NOT NULL
          AND accepted_at > %(now)s - %(lately)s AND accepted_at <= %(now)s
        ORDER BY accepted_at DESC LIMIT %(most)s) arrived"""
# `lot_untold`, once for each programme
_UNTOLD = """
SELECT count(*) FILTER (WHERE expires_at > %(now)s), count(*) FILTER (WHERE expires_at <= %(now)s)
  FROM (SELECT lot.expires_at FROM ledger_programme programme
         CROSS JOIN LATERAL (
               SELECT expires_at FROM ledger_lot
                WHERE open AND gated AND programme_id = programme.id AND expires_at <= %(now)s + %(near)s
                ORDER BY expires_at DESC LIMIT %(most)s) lot
         LIMIT %(most)s) untold"""
# `event_to_match`
_UNMATCHED = """
SELECT count(*), coalesce(extract(epoch FROM %(now)s - min(received_at)), 0)
  FROM (SELECT received_at FROM alerts_providerevent WHERE matched_at IS NULL
         ORDER BY received_at LIMIT %(most)s) unmatched"""


@dataclass(frozen=True, slots=True)
class Some:
    """How many there are, up to MOST, and the age of the oldest in seconds; 0: there is none."""

    count: int
    oldest: float


class Line:
    """The alerting line as it stands at `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def oldest_due(self) -> dict[tuple[str, bool], float]:
        """By channel and whether a person has stopped it: the age of the oldest due delivery in seconds."""
        programmes = list(TellingRules.objects.exclude(stopped_at=None).values_list("programme_id", flat=True))
        transports = set(Transport.objects.exclude(stopped_at=None).values_list("name", flat=True))
        rows = self._rows(_DUE, programmes=programmes, channels=Channel.values)
        oldest = {(channel, stopped): at for channel, stopped, at in rows}
        ages: dict[tuple[str, bool], float] = {}
        for channel, transport in settings.TRANSPORTS.items():
            running = self._age(oldest.get((channel, False), self.now))
            stopped = self._age(oldest.get((channel, True), self.now))
            if transport in transports:
                running, stopped = 0.0, max(running, stopped)
            ages[channel, False], ages[channel, True] = running, stopped
        return ages

    def oldest_to_fan_out(self) -> float:
        """The age of the oldest due reminder without messages, in seconds."""
        return max((float(age) for (age,) in self._rows(_TO_FAN_OUT)), default=0.0)

    def open_by_state(self) -> dict[tuple[str, str], int]:
        """By transport and state: what is not finished; what was never tried counts for its channel's transport."""
        return self._by_state(_OPEN)

    def finished_by_state(self) -> dict[tuple[str, str], int]:
        """By transport and state: what was accepted, came back, or was last due and then ended, within RECENTLY."""
        return self._by_state(_FINISHED, recently=RECENTLY, channels=Channel.values)

    def unknown(self, *, by_a_person: bool) -> Some:
        """Unknown outcomes that the clock, or only a person, can find out; the age since their last call."""
        return self._some(_UNKNOWN, person=by_a_person)

    def given_up(self) -> int:
        """Of the newest MOST that were tried as often as we try: those that a person can still send again."""
        ((count,),) = self._rows(_GIVEN_UP)
        return int(count)

    def uncertain(self) -> Some:
        """Calls whose lease ran out; the age since then."""
        return self._some(_UNCERTAIN)

    def unmatched(self) -> Some:
        """Reports of providers that were not looked at yet, or whose delivery is not there yet."""
        return self._some(_UNMATCHED)

    def to_arrive(self, channels: Sequence[str]) -> list[float]:
        """The median and the 95th percentile in seconds from acceptance to delivery; empty: nothing arrived."""
        ((times,),) = self._rows(_TO_ARRIVE, channels=list(channels), lately=LATELY)
        return [float(seconds) for seconds in times or ()]

    def untold(self) -> tuple[int, int]:
        """Lots of which nobody was told: whose date comes within NEAR, and whose date has gone by."""
        ((near, past),) = self._rows(_UNTOLD, near=NEAR)
        return int(near), int(past)

    def _by_state(self, statement: str, **more: object) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for status, channel, transport, count in self._rows(statement, **more):
            counts[transport or settings.TRANSPORTS.get(channel, "none"), status] += count
        return dict(counts)

    def _some(self, statement: str, **more: object) -> Some:
        ((count, oldest),) = self._rows(statement, **more)
        return Some(int(count), max(0.0, float(oldest)))

    def _rows(self, statement: str, **more: Any) -> list[tuple[Any, ...]]:
        values: dict[str, Any] = {"now": self.now, "most": MOST} | more
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def _age(self, at: datetime) -> float:
        return max(0.0, (self.now - at).total_seconds())
