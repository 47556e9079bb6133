"""Which addresses may be written to with a notice, in SQL: the one place that says it.

The statements of planning and of `contacts.usable` put this condition behind their own; the test holds it against
the same rule in Python, over all combinations.
"""

from __future__ import annotations

# An address that a message would reach, whatever its member wants. Suppressions keep addresses in lower case, so that
# a provider that reports `Minji@Example.com` as `minji@example.com` stops the same address.
DELIVERABLE = """(contact.active AND contact.verified AND contact.refused_at IS NULL
  AND NOT EXISTS (SELECT FROM alerts_suppression stands
                   WHERE stands.channel = contact.channel AND stands.address = lower(contact.address)
                     AND stands.lifted_at IS NULL))"""

# The newest word about notices on that channel; without one they may be sent, for a notice of expiry is information.
WANTS_NOTICES = """coalesce((SELECT said.given FROM alerts_consent said
                     WHERE said.member_id = contact.member_id AND said.channel = contact.channel
                       AND said.purpose = 'notice'
                     ORDER BY said.id DESC LIMIT 1), true)"""

# On an alias `contact` of alerts_contact.
REACHABLE = f"({DELIVERABLE} AND {WANTS_NOTICES})"
