"""After a run: what the line says of each message against what the provider took, law 15, and the auditor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db import connection
from django.db.models import Count, Q

from alerts.models import Attempt, Delivery
from alerts.models.delivery import Outcome
from alerts.sending.unsolved import BY_HAND, LEASE_OVER, LOOKED_UP
from chaos.judging import Judgement, Sent, judge
from chaos.stage import Stage
from ledger.audit import audit


def deliveries() -> list[Sent]:
    """All messages there are."""
    unknown = Count("tries", filter=Q(tries__outcome=Outcome.UNKNOWN))
    rows = Delivery.objects.annotate(unknown=unknown).values_list(
        "pk", "reminder__account__member__reference", "status", "why", "unknown"
    )
    rows = rows.order_by("created_at", "pk")
    return [Sent(str(key), member, status, why, unknown) for key, member, status, why, unknown in rows]


def calls() -> str:
    """How many calls came to what, for people: a worker that was killed in the middle of one left it unknown."""
    rows = Attempt.objects.exclude(code__in=(LOOKED_UP, BY_HAND)).values_list("outcome", "code").order_by()
    counted = Counter("unknown (worker killed)" if code == LEASE_OVER else outcome for outcome, code in rows)
    return ", ".join(f"{number} {what}" for what, number in counted.most_common())


def expired_members() -> set[str]:
    """The members some of whose points have expired."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT member.reference FROM ledger_entry entry
                 JOIN ledger_account account ON account.id = entry.account_id
                 JOIN ledger_member member ON member.id = account.member_id
                WHERE entry.kind = 'expire'"""
        )
        return {reference for (reference,) in cursor.fetchall()}


def verdict(stage: Stage, taken: Mapping[str, int], *, exactly_once: bool) -> tuple[Judgement, list[str], int]:
    """The judgement, what else is wrong, and how many members' points have gone by now.

    The auditor checks law 15 on the notices; here it is checked on what the provider took as well.
    """
    sent = deliveries()
    found = judge(stage.members, sent, taken, exactly_once=exactly_once)
    expired = expired_members()
    told = {one.member for one in sent if taken.get(one.key)}
    findings = [f"{member}: points expired, and the provider took no message" for member in sorted(expired - told)]
    if not expired:
        findings.append("no points expired: nothing was shown")
    return found, [*findings, *(str(finding) for finding in audit())], len(expired)
