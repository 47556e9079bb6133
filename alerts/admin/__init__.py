"""The admin of the alerting line: settings can be edited, what happened can only be looked at."""

from alerts.admin import consents, held_plans, messages, policies, rules, settings, stops, suppressions, templates

__all__ = ["consents", "held_plans", "messages", "policies", "rules", "settings", "stops", "suppressions", "templates"]
