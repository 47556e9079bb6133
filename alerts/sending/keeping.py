"""The texts of messages are kept for a stated time; their hash, version and variables stay as the proof.

What the sandbox kept goes with them: address, text and all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min

from alerts.models import TellingRules

# `delivery_text_kept` is the index that is read, up to `bound`: what is younger is kept by every programme.
_FORGET = """
WITH over AS MATERIALIZED (
  SELECT delivery.id FROM alerts_delivery delivery
    LEFT JOIN alerts_tellingrules rules ON rules.programme_id = delivery.programme_id
   WHERE delivery.text <> '' AND delivery.status NOT IN ('pending', 'claimed', 'sending', 'unknown')
     AND delivery.created_at < %(now)s - make_interval(days => coalesce(rules.text_kept_days, %(usual)s))
     AND delivery.created_at < %(bound)s
   ORDER BY delivery.created_at LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED)
UPDATE alerts_delivery delivery SET text = '' FROM over WHERE delivery.id = over.id"""

# A code or a test is of no programme, and is kept as long as usual.
_FORGET_IN_SANDBOX = """
DELETE FROM alerts_sandboxmessage WHERE id IN (
  SELECT message.id FROM alerts_sandboxmessage message
    LEFT JOIN alerts_delivery delivery ON delivery.id = message.delivery_id
    LEFT JOIN alerts_tellingrules rules ON rules.programme_id = delivery.programme_id
   WHERE coalesce(delivery.status, '') NOT IN ('pending', 'claimed', 'sending', 'unknown')
     AND message.at < %(now)s - make_interval(days => coalesce(rules.text_kept_days, %(usual)s))
   ORDER BY message.id LIMIT %(limit)s FOR UPDATE OF message SKIP LOCKED)"""


def forget_texts(*, now: datetime, limit: int) -> int:
    """Empty up to `limit` texts whose time is over, the oldest first; returns how many. Those under way stay.

    As many messages of the sandbox are removed, and not counted.
    """
    usual = TellingRules._meta.get_field("text_kept_days").default
    least = TellingRules.objects.aggregate(Min("text_kept_days"))["text_kept_days__min"]
    bound = now - timedelta(days=usual if least is None else min(usual, least))
    terms = {"now": now, "usual": usual, "bound": bound, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_IN_SANDBOX, terms)
        cursor.execute(_FORGET, terms)
        return int(cursor.rowcount)
