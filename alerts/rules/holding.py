"""Holding a programme to its pack when its rules are saved: what would break it anew is refused, or is an exception.

Only what a save would break counts against it, so that a rule can be put right one step at a time. An exception is a
row with its reason, written in the transaction that saves the rule; it is for what was found then, and for nothing
worse. A policy is the ledger's, and saved by it: a new one is held to the pack just before and excused just after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import Override, ReminderRule, TellingRules
from alerts.rules.judging import Facts, Finding
from alerts.rules.linting import facts_of, policies_of, reminders_of, weigh, with_rules
from ledger import programmes
from ledger.actors import Actor
from ledger.models import Policy, Programme

LONGEST_REASON = 500

Held = TellingRules | ReminderRule


def broken_by(row: Held, *, now: datetime) -> list[Finding]:
    """What the programme would break anew if this row were saved, and for which there is no exception."""
    facts = facts_of(row.programme, now=now)
    return broken_anew(row.programme, before=facts, after=_with(facts, row))


def broken_anew(programme: Programme, *, before: Facts, after: Facts) -> list[Finding]:
    """What is broken after a change and was not before it, and for which there is no exception."""
    known = {(finding.rule, finding.found) for finding in weigh(programme, before)}
    return [
        finding
        for finding in weigh(programme, after)
        if finding.overridden_by is None and (finding.rule, finding.found) not in known
    ]


def broken_by_policy(policy: Policy, *, now: datetime) -> list[Finding]:
    """What the programme breaks anew by this policy and has no exception for. One that is not saved yet has no number
    that an exception could name.

    A programme that has no pack and reminds nobody yet is held to nothing: it begins with its policy, and the system
    check `alerts.W022` says what is missing.
    """
    others = list(Policy.objects.filter(programme=policy.programme_id).exclude(pk=policy.pk))
    facts = facts_of(policy.programme, now=now)
    if not facts.pack and not facts.reminders:
        return []
    before = replace(facts, policies=policies_of(others, now=now))
    after = replace(facts, policies=policies_of([*others, policy], now=now))
    return broken_anew(policy.programme, before=before, after=after)


def excuse_policy(policy: Policy, *, reason: str, by: Actor, now: datetime) -> None:
    """Write an exception for all that a policy breaks that was just saved, in the transaction that saved it under the
    programme's lock. Raises BadInput when there is no reason: nothing must be committed then.
    """
    excuse(policy.programme, broken_by_policy(policy, now=now), reason=reason, by=by, now=now)


def keep(row: Held, *, reason: str = "", by: Actor, now: datetime) -> None:
    """Save a programme's rules of telling, or one of its reminder rules; and the exceptions, where `reason` is given.

    Raises BadInput naming the field: the row breaks its own rules, or breaks the pack anew and there is no reason;
    ProgrammeBusy. Nothing is written then.
    """
    with transaction.atomic():
        programmes.lock(row.programme_id)  # two that are saved at once would not see each other
        broken = broken_by(row, now=now)
        if isinstance(row, TellingRules):
            _leave_the_switch(row)
        save_checked(row)
        excuse(row.programme, broken, reason=reason, by=by, now=now)


def _leave_the_switch(row: TellingRules) -> None:
    """Whether the programme is stopped is not for this act to say: it stays as it is at this moment."""
    there = TellingRules.objects.select_for_update().filter(pk=row.pk).first()
    if there:
        row.stopped_at, row.stopped_by, row.stopped_why = there.stopped_at, there.stopped_by, there.stopped_why


def excuse(programme: Programme, broken: list[Finding], *, reason: str, by: Actor, now: datetime) -> None:
    """Write an exception for each finding. Raises BadInput with the findings' texts when there is no reason."""
    if broken and not reason.strip():
        raise BadInput(" ".join(finding.text for finding in broken), field=broken[0].field)
    if len(reason) > LONGEST_REASON:
        raise BadInput(_("A reason has at most %(number)d characters.") % {"number": LONGEST_REASON}, field="override")
    Override.objects.bulk_create(
        Override(programme=programme, rule=finding.rule, found=finding.found, reason=reason.strip(), by=str(by), at=now)
        for finding in broken
    )


def _with(facts: Facts, row: Held) -> Facts:
    """The facts as they would be with this row saved."""
    if isinstance(row, TellingRules):
        return with_rules(facts, row)
    others = ReminderRule.objects.filter(programme=row.programme_id).exclude(pk=row.pk)
    rules = sorted([*others, row], key=lambda rule: -rule.offset_days)
    return replace(facts, reminders=reminders_of(rules))
