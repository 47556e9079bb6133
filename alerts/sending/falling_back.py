"""Which AlimTalks the provider may send as a text message when they do not arrive. Reads only.

One owner decides about that SMS: the provider, or, where the reminder has an SMS of its own or may get one beside its
AlimTalk, we. Nobody gets one who wants no SMS, or whose number takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from alerts.addresses.reachable import REACHABLE
from alerts.channels import capabilities_of
from alerts.models import Contact, Delivery
from alerts.models.contact import Channel

NAME = "falls_back"  # under which the decision stands beside the variables of a message: the proof of who owned it

# The number is looked at as an address for SMS: it is proven for AlimTalk, and it may have no row of its own for SMS.
_MAY = f"""
SELECT asked.delivery_id
  FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[]) asked (delivery_id, reminder_id, member_id, address)
  JOIN alerts_reminder reminder ON reminder.id = asked.reminder_id
  LEFT JOIN alerts_contact own
         ON own.member_id = asked.member_id AND own.channel = 'sms' AND own.address = asked.address
  CROSS JOIN LATERAL (SELECT asked.member_id, 'sms' AS channel, asked.address, true AS verified,
                             coalesce(own.active, true) AS active, own.refused_at) contact
 WHERE {REACHABLE}
   AND NOT EXISTS (SELECT FROM alerts_delivery sms
                    WHERE sms.reminder_id = asked.reminder_id AND sms.channel = 'sms')
   AND NOT EXISTS (SELECT FROM alerts_reminderrule rule
                    WHERE rule.programme_id = reminder.programme_id AND rule.offset_days = reminder.offset_days
                      AND rule.at_once >= 2 AND rule.channels @> '{{sms,alimtalk}}')"""  # noqa: S608 -- a piece of ours


def falling_back(to: Mapping[Delivery, Contact | None]) -> frozenset[UUID]:
    """The ids of those of these messages that the provider may send as SMS: one statement, none without AlimTalk.

    `to`: whom each goes to. Needs their reminders with accounts.
    """
    rows = [
        (one.pk, one.reminder_id, one.reminder.account.member_id, contact.address)
        for one, contact in to.items()
        if one.channel == Channel.ALIMTALK and contact is not None
    ]
    if not rows or not capabilities_of(Channel.ALIMTALK).falls_back_itself:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_MAY, [list(column) for column in zip(*rows, strict=True)])
        return frozenset(found for (found,) in cursor.fetchall())
