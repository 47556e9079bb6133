"""What in a programme breaks its pack: looks up the facts, and the exceptions that were made. Reads only.

The programme's policies count that are in force, for each origin, and those that are to come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from alerts.models import Override, ReminderRule, TellingRules, TemplateVersion
from alerts.rules.judging import Facts, Finding, PolicyFacts, ReminderFacts, TemplateFacts, judge
from alerts.rules.packs import PACKS
from alerts.texts.rendering import as_words
from ledger.models import Policy, Programme


def lint(programme: Programme, *, now: datetime) -> list[Finding]:
    """Everything in which the programme breaks its pack at `now`, each with the reason of its exception, if any."""
    return weigh(programme, facts_of(programme, now=now))


def weigh(programme: Programme, facts: Facts) -> list[Finding]:
    """Everything in which these facts of the programme break its pack, each with the reason of its exception."""
    made = Override.objects.filter(programme=programme).order_by("pk")
    reasons = {(rule, found): reason for rule, found, reason in made.values_list("rule", "found", "reason")}
    return [
        replace(finding, overridden_by=reasons.get((finding.rule, finding.found)))
        for finding in judge(PACKS.get(facts.pack), facts)
    ]


def facts_of(programme: Programme, *, now: datetime) -> Facts:
    """What the programme has at `now`. One without rules of its own has those that theirs begin with, and no pack."""
    rules = TellingRules.objects.filter(programme=programme).first() or TellingRules(programme=programme)
    facts = with_rules(Facts("", rules.open_from, rules.open_until, rules.country), rules)
    return replace(
        facts,
        policies=policies_of(Policy.objects.filter(programme=programme), now=now),
        reminders=reminders_of(ReminderRule.objects.filter(programme=programme).order_by("-offset_days")),
        templates=_templates(programme),
    )


def with_rules(facts: Facts, rules: TellingRules) -> Facts:
    """The facts as they are under these rules of telling, which need not be saved."""
    return replace(
        facts, pack=rules.pack, open_from=rules.open_from, open_until=rules.open_until, country=rules.country
    )


def reminders_of(rules: Iterable[ReminderRule]) -> list[ReminderFacts]:
    """Reminder rules as facts; they need not be saved."""
    return [ReminderFacts(rule.offset_days, tuple(rule.channels), rule.at_once) for rule in rules]


def policies_of(policies: Iterable[Policy], *, now: datetime) -> list[PolicyFacts]:
    """Those to come, and of those that were in force ever the newest for each origin; they need not be saved."""
    rows, in_force = [], set()
    for policy in sorted(policies, key=lambda policy: policy.effective_from, reverse=True):
        if policy.origin not in in_force:
            rows.append(policy)
        if policy.effective_from <= now:
            in_force.add(policy.origin)
    return [
        PolicyFacts(
            number=row.pk,
            model=row.model,
            count=row.count,
            unit=row.unit,
            notice_days=row.notice_days,
            notice_slack=row.notice_slack,
            notice_max_days=row.notice_max_days,
            notice_channels=row.notice_channels,
        )
        for row in rows
    ]


def _templates(programme: Programme) -> list[TemplateFacts]:
    """The newest version of each template."""
    newest = (
        TemplateVersion.objects.filter(template__programme=programme)
        .select_related("template")
        .order_by("template_id", "-number")
        .distinct("template_id")
    )
    return [
        TemplateFacts(row.number, row.template.channel, row.template.language, row.template.purpose, as_words(row))
        for row in newest
    ]
